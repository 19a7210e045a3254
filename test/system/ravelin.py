#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""ravelin version, status and log inside the host: what the corevisor publishes, read by its root."""

import re

import tap


@tap.test
def shows_what_the_corevisor_publishes():
    "version, status and log in the host; a forbidden access is counted"
    done = tap.machine("--lean", "--cmd", """
        ravelin version || exit 1
        ravelin log | head -n 1
        ravelin status >/tmp/before || exit 1
        core=$(ravelin log | sed -n 's/.*Ravelin, .* at \\(0x[0-9a-f]*\\),.*/\\1/p')
        busybox devmem $core; echo "devmem $?"
        ravelin status || exit 1
        grep '^faults' /tmp/before""")
    tap.equal(done.status, 0, done)
    lines = done.out.splitlines()
    tap.require(re.match(r"ravelin [0-9.]+ \(ABI [0-9.]+\)", lines[0]), done)
    tap.require(re.match(r"corevisor ABI [0-9.]+", lines[1]), done)
    tap.require(lines[2].startswith("corevisor: Ravelin, ABI "), done)
    tap.require("devmem 135" in done.out, f"reading the corevisor's text does not end in SIGBUS\n{done}")
    pages = [int(number) for number in re.findall(r"^  .* (\d+) +[0-9.]+ MiB$", done.out, re.M)]
    tap.equal(len(pages), 6, done)
    tap.equal(sum(pages[:5]), pages[5], done)
    faults = [int(number) for number in re.findall(r"faults injected: +(\d+)", done.out)]
    tap.equal(faults, [faults[1] + 1, faults[1]], done)


@tap.test
def says_so_without_the_corevisor():
    "without a corevisor ravelin fails and says why"
    done = tap.machine("--lean", "--no-corevisor", "el1", "--cmd", "ravelin status 2>&1; echo $?; ravelin log 2>&1; echo $?")
    tap.equal(done.status, 0, done)
    tap.equal(done.out.count("no corevisor: this system was not started by Ravelin"), 2, done)
    tap.equal(re.findall(r"(?m)^\d$", done.out), ["1", "1"], done)


tap.main()
