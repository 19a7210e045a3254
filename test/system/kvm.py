#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""hostvisor.ko from below a VMM: every answer of the interface, a VMM killed at 50 seeded moments, when the module
refuses to come and to go. `kvm.py full` adds the other host kernels and CPU models, and the same tests on stock KVM."""

import glob
import sys

import tap

API = "build/test/system/kvm_api"
KILL = "build/test/system/kvm_kill"
COMPLAINTS = "dmesg | grep -iE 'oops|BUG:|WARNING:|Unable to handle|rcu.*stall|lost until reboot'"


def lines_of(done, first):
    tap.equal(done.status, 0, done)
    lines = done.out.splitlines()
    tap.require(lines and lines[0].startswith(first), done)
    return lines


def all_ok(done, count, first="ok 1 "):
    lines = lines_of(done, first)
    tap.equal([line for line in lines if line.startswith("not ok") or "Bail out" in line], [], done)
    tap.equal(sum(line.startswith("ok ") for line in lines), count, done)
    tap.equal(lines[-1], "done", done)


def api(kernel, cpu):
    all_ok(tap.machine("--lean", "--kernel", kernel, "--cpu", cpu, "--file", API,
                       "--cmd", f"/files/kvm_api; {COMPLAINTS}; echo done", limit=150), 39)


def kills(kernel, cpu):
    all_ok(tap.machine("--lean", "--kernel", kernel, "--cpu", cpu, "--file", KILL,
                       "--cmd", f"/files/kvm_kill; {COMPLAINTS}; echo done", limit=240), 51, "1..51")


tap.test(lambda: api("6.1", "neoverse-n1"), "every answer of the interface (6.1)")
tap.test(lambda: kills("6.12", "neoverse-n1"), "a VMM killed at 50 moments leaves nothing behind (6.12)")


def stays_while_needed():
    "rmmod is refused while a VM lives, and works after"
    done = tap.machine("--lean", "--file", API, "--cmd", """
        /files/kvm_api hold & sleep 3
        rmmod hostvisor 2>/dev/null; echo $?
        kill -9 $!; wait $! 2>/dev/null
        rmmod hostvisor; echo $?; ls /dev/kvm* 2>/dev/null; echo done""")
    tap.equal(done.out.split(), ["1", "0", "done"], done)


tap.test(stays_while_needed)


def needs_corevisor():
    "the module refuses a machine without corevisor, and says why"
    for kernel in ("6.1", "6.12"):
        modules = glob.glob(f"build/hostvisor/{kernel}.*/hostvisor.ko")
        tap.equal(len(modules), 1, modules)
        done = tap.machine("--lean", "--no-corevisor=el1", "--kernel", kernel, "--file", modules[0], "--cmd",
                           "insmod /files/hostvisor.ko 2>&1; dmesg | grep -o 'hostvisor: no Ravelin.*'; ls /dev/kvm*")
        tap.require("No such device" in done.out and "no Ravelin corevisor on this machine" in done.out, done)


tap.test(needs_corevisor)


def ends_before_reboot():
    "VMs end before a reboot"
    done = tap.machine("--lean", "--file", API, "--log", "build/kvm_reboot.log", "--cmd", """
        /files/kvm_api hold & sleep 3
        ravelin status | grep '^VMs:'; reboot -f; sleep 30""", limit=60)
    tap.require(done.status == 125 and "1, with 1 vCPU" in done.out, done)


tap.test(ends_before_reboot)

if "full" in sys.argv[1:]:
    sys.argv.remove("full")
    for row in (("6.12", "neoverse-n1"), ("6.12", "max"), ("6.1", "cortex-a57")):
        tap.test(lambda row=row: api(*row), "every answer of the interface ({}, {})".format(*row))
    for row in (("6.1", "neoverse-n1"), ("6.12", "max")):
        tap.test(lambda row=row: kills(*row), "a VMM killed at 50 moments leaves nothing behind ({}, {})".format(*row))
    tap.test(lambda: all_ok(tap.machine("--lean", "--no-corevisor=el2", "--file", API, "--cmd",
                                        "/files/kvm_api stock; echo done", limit=150), 9),
             "stock KVM answers the same tests alike (6.1)")
tap.main()
