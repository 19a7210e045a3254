#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The test machine without the corevisor: what everything else is compared with."""

import hashlib

import tap


def boots_natively(series, level):
    done = tap.machine("--no-corevisor", level, "--kernel", series, "--lean", "--cmd", "uname -r; nproc; dmesg")
    tap.equal(done.status, 0, done)
    release, cpus, log = done.out.split("\n", 2)
    tap.require(release.startswith(series + "."), release)
    tap.equal(cpus, "4")
    tap.equal("HYP mode not available" in log, level == "el1", "KVM's opinion of the exception level")


for kernel in ("6.1", "6.12", "7.2"):
    for el in ("el1", "el2"):
        tap.test(lambda kernel=kernel, el=el: boots_natively(kernel, el), f"host {kernel} boots natively at {el}")


@tap.test
def an_open_guest_runs_under_stock_kvm():
    "an open guest answers under stock KVM (nested, 6.1)"
    done = tap.machine("--no-corevisor", "el2", "--cmd", """
        guest start open --wait >/tmp/command || exit 1
        guest exec open 'uname -r; nproc; cat /sys/block/vda/size; exit 9'; echo $?
        guest list
        guest stop open && guest list""", limit=150)
    tap.equal(done.status, 0, done)
    lines = done.out.splitlines()
    tap.require(lines[0].startswith("7.2."), done)
    tap.equal(lines[1:4], ["2", "32768", "9"], done)
    tap.require(lines[5].startswith("open ") and " running " in lines[5], done)
    tap.equal(len(lines), 7, done)


@tap.test
def answers_do_not_mix():
    "guest exec: binary output, commands at once and abandoned ones keep their answers apart"
    done = tap.machine("--no-corevisor", "el2", "--kernel", "6.12", "--cmd", r"""
        guest start open --wait >/dev/null || exit 1
        timeout 1 guest exec open 'echo late; sleep 3; echo later'; echo $?
        guest exec open 'head -c 200000 /dev/zero' | sha256sum
        for n in 1 2 3; do (guest exec open "sleep 0.3; echo answer $n; exit $n"; echo $? for $n) >/tmp/$n & done
        wait; cat /tmp/[123]
        guest exec open 'printf "a b\000c"; false' | od -c | head -n 1
        kill -9 $(guest pid open); guest exec open true 2>/dev/null; echo $?""", limit=150)
    zeros = hashlib.sha256(bytes(200000)).hexdigest()
    tap.equal(done.out.splitlines(), [
        "125", f"{zeros}  -", "answer 1", "1 for 1", "answer 2", "2 for 2", "answer 3", "3 for 3",
        "0000000   a       b  \\0   c", "125"], done)


@tap.test
def no_protected_guest_without_the_corevisor():
    "a protected guest is refused without the corevisor, and the message says why"
    done = tap.machine("--no-corevisor", "el2", "--cmd", "guest start protected 2>&1")
    tap.equal(done.status, 1, done)
    tap.require("/dev/kvm-protected is missing: this host does not run above the corevisor" in done.out, done)


tap.main()
