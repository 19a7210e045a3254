#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The demo as a test: everything it promises is kept. Names of tests as arguments choose among them."""

import os
import tempfile

import tap


def demo(*options):
    with tempfile.TemporaryDirectory() as scratch:
        return tap.run("demo/run", "--log", os.path.join(scratch, "console.log"), *options, limit=900)


@tap.test
def search_finds_what_is_there():
    "control: on Debian's own KVM the scanner finds the secret, and never itself"
    done = demo("--bare")
    tap.equal(done.status, 0, done)


def all_promises_are_kept(kernel, cpu):
    done = demo("--kernel", kernel, "--cpu", cpu)
    tap.equal(done.status, 0, done)


for series, model in (("6.1", "neoverse-n1"), ("6.12", "neoverse-n1"), ("6.12", "max")):
    tap.test(lambda series=series, model=model: all_promises_are_kept(series, model),
             f"open and protected guest, host {series}, {model}: every promise is kept")

tap.main()
