#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""hostvisor.ko from below a VMM: every answer of the interface, a VMM killed at 50 seeded moments, when the module
refuses to come and to go. `kvm.py full` adds the other host kernels and CPU models, and the same tests on stock KVM."""

import glob
import os
import re
import shutil
import sys

import tap
import weakened

API = "build/test/system/kvm_api"
KILL = "build/test/system/kvm_kill"
COMPLAINTS = "dmesg | grep -iE 'oops|BUG:|WARNING:|Unable to handle|rcu.*stall|blocked for more than|lost until reboot'"
EXPECTED = re.compile(r"ok |#|1\.\.\d+$|done$")  # anything else is a failure, or a complaint of the host's kernel


def lines_of(done, first):
    tap.equal(done.status, 0, done)
    lines = done.out.splitlines()
    tap.require(lines and lines[0].startswith(first), done)
    return lines


def all_ok(done, count, first="ok 1 "):
    lines = lines_of(done, first)
    tap.equal([line for line in lines if not EXPECTED.match(line)], [], done)
    tap.equal(sum(line.startswith("ok ") for line in lines), count, done)
    tap.equal(lines[-1], "done", done)


def api(kernel, cpu):
    all_ok(tap.machine("--lean", "--kernel", kernel, "--cpu", cpu, "--file", API,
                       "--cmd", f"/files/kvm_api; {COMPLAINTS}; echo done", limit=200), 72)


def kills(kernel, cpu):
    all_ok(tap.machine("--lean", "--kernel", kernel, "--cpu", cpu, "--file", KILL,
                       "--cmd", f"/files/kvm_kill; {COMPLAINTS}; echo done", limit=240), 51, "1..51")


def complaints_count():
    "a complaint of the host's kernel fails a run"
    done = tap.machine("--lean", "--no-corevisor=el1", "--cmd", f"""
        echo 'BUG: scheduling while atomic' >/dev/kmsg
        echo 1..1; echo 'ok 1 - fine'; {COMPLAINTS}; echo done""")
    rest = "".join(line for line in done.out.splitlines(True) if "BUG: scheduling" not in line)
    all_ok(tap.Done([], done.status, rest.encode(), b""), 1, "1..1")
    try:
        all_ok(done, 1, "1..1")
    except AssertionError:
        return
    raise AssertionError(f"nobody noticed\n{done}")


tap.test(lambda: api("6.1", "neoverse-n1"), "every answer of the interface, host 6.1")
tap.test(lambda: kills("6.12", "neoverse-n1"), "a VMM killed at 50 moments leaves nothing behind, host 6.12")
tap.test(complaints_count)


def stays_while_needed():
    "rmmod is refused while a VM lives, and works after"
    done = tap.machine("--lean", "--file", API, "--cmd", f"""
        /files/kvm_api hold & sleep 3
        rmmod hostvisor 2>/dev/null; echo $?
        kill -9 $!; wait $! 2>/dev/null
        rmmod hostvisor; echo $?; ls /dev/kvm* 2>/dev/null; {COMPLAINTS}; echo done""")
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


def needs_its_abi():
    "the module refuses a corevisor of another ABI version, and says why"
    other = ("include/ravelin/abi.h", "#define RV_ABI_MAJOR 2", "#define RV_ABI_MAJOR 3")
    corevisor = weakened.build("another-abi", [other])
    done = tap.machine("--lean", "--corevisor", corevisor.image, "--cmd", """
        dmesg | grep -o 'hostvisor: the corevisor.*' | sort -u
        grep hostvisor /proc/modules; ls /dev/kvm* 2>/dev/null; echo done""")
    tap.equal(done.out.splitlines(), ["hostvisor: the corevisor speaks ABI 3.0, this module 2.x", "done"], done)
    shutil.rmtree(os.path.join(weakened.DIRECTORY, "another-abi"))


tap.test(needs_its_abi)


def ends_before_reboot():
    "VMs end before a reboot"
    log = "build/kvm_reboot.log"
    done = tap.machine("--lean", "--file", API, "--log", log, "--cmd", """
        /files/kvm_api hold & sleep 3
        ravelin status | grep '^VMs:'; reboot -f; sleep 30""", limit=60)
    tap.require(done.status == 125 and "1, with 1 vCPU" in done.out, done)
    with open(os.path.join(tap.TOP, log), encoding="utf-8", errors="replace") as stream:
        said = stream.read()
    # The module counts a VM as ended when the corevisor says that it holds nothing of it any more.
    tap.require(re.search(r"hostvisor: VMs ended before the reboot: 1\b.*reboot: Restarting system", said, re.S),
                f"{done}\n{said[-2000:]}")


tap.test(ends_before_reboot)

if "full" in sys.argv[1:]:
    sys.argv.remove("full")
    for row in (("6.12", "neoverse-n1"), ("6.12", "max"), ("6.1", "cortex-a57")):
        tap.test(lambda row=row: api(*row), "every answer of the interface, host {}, {}".format(*row))
    for row in (("6.1", "neoverse-n1"), ("6.12", "max")):
        tap.test(lambda row=row: kills(*row),
                 "a VMM killed at 50 moments leaves nothing behind, host {}, {}".format(*row))
    tap.test(lambda: all_ok(tap.machine("--lean", "--no-corevisor=el2", "--file", API, "--cmd",
                                        "/files/kvm_api stock; echo done", limit=150), 11),
             "stock KVM answers the same tests alike (6.1)")
tap.main()
