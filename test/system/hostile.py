#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Hostile EL1 images above the corevisor, one attack each. An image must see what docs/fault-table.md promises, and the
corevisor, dumped from outside before and after, must be the same."""

import attack
import tap

ATTACKS = {
    "hostile_access": "every access to the corevisor's memory faults as documented",
    "hostile_info": "the info pages are read-only",
    "hostile_psci": "CPU_ON into the corevisor, of no CPU, and twice at once",
    "hostile_stub_hvc": "the hypervisor stub's calls are refused",
    "hostile_random": "10 000 random calls",
    "hostile_sysreg": "every EL2 and EL3 register encoding is undefined",
    "hostile_storm": "all CPUs switch each other on and off",
    "hostile_self_harm": "a host that gives away its vectors, tables and stacks",
    "hostile_vectors": "vector registers survive every call",
    "hostile_power": "CPU_OFF of the boot CPU, and suspend with an entry point",
    "host_vm": "VMs by the ABI alone: build, run, kill, reclaim, destroy",
    "host_boot": "what the owner did not sign does not start, and all of it comes back scrubbed",
    "host_weak": "the published system's weaknesses, tried by calls",
    "host_seal": "a guest goes on from its snapshot; nothing but the snapshot opens",
    "host_share": "a VM shares memory and takes it back: both ways the content is lost",
    "host_guests": "VMs that attack: encodings, devices, calls, illegal returns, vectors that are no RAM",
    "host_moves": "vCPUs that move, and two on one CPU",
    "host_worlds": "no register's value passes from one world to another",
}
for name, title in ATTACKS.items():
    tap.test(lambda name=name: attack.expect_pass(name), title)


def end_of_the_machine(call, seed):
    result = attack.run("hostile_power", cmdline=f"{call} seed={seed}", inspect=attack.check_scrubbed)
    tap.equal(result.verdict, "PASS", result.text)


for number in range(4):
    for kind in ("off", "reset"):
        tap.test(lambda kind=kind, number=number: end_of_the_machine(kind, number),
                 f"SYSTEM_{kind.upper()} amid calls and running VMs scrubs VMs' memory first, moment {number}")

tap.main()
