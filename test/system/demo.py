#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The demo as a test: everything it promises is kept. Names of tests as arguments choose among them."""

import os
import re
import shutil
import tempfile

import tap
import weakened


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


def notices(title):
    """Above a corevisor without this protection the demo must not be content."""
    name = "demo-" + re.sub(r"\W+", "-", title)
    weakened.build(name, weakened.WEAKENED[title][2])
    top = os.path.join(weakened.DIRECTORY, name)
    done = demo("--kinds", "protected", "--corevisor", os.path.join(top, "build", "corevisor", "corevisor.img"))
    tap.equal(done.status, 1, done)
    tap.require(re.search(r"^protected .* all-RAM .* BROKEN$", done.out, re.MULTILINE), done)
    shutil.rmtree(top)


for protection in ("a donated page stays in the host's stage 2", "reclaimed pages are not scrubbed"):
    tap.test(lambda protection=protection: notices(protection), f"the demo notices: {protection}")

tap.main()
