#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The host boots above the corevisor: kernels x CPU models x number of CPUs, on each a look at what containment must
show and must not break. `boot.py pairwise` (the default) takes a set in which every pair of values meets,
`boot.py full` every combination."""

import itertools
import sys

import tap

KERNELS = ("6.1", "6.12")
CPUS = ("cortex-a57", "neoverse-n1", "max", "max,pauth=off")
COUNTS = (1, 4)

LOOK = """
uname -r; nproc
dmesg | grep -q 'HYP mode not available' && echo at-el1
dmesg | grep -qE 'arch_timer: cp15 timer.*[(]phys[)]' && echo physical-timer
grep -qs ravelin,corevisor /sys/firmware/devicetree/base/*/compatible && echo node
ls -d /sys/firmware/devicetree/base/fw-cfg* /sys/firmware/devicetree/base/smmu* 2>/dev/null
dmesg | grep -iE 'oops|BUG:|WARNING:|Unable to handle|rcu.*stall|failed to come online'
# Every CPU computes, none is lost.
for cpu in $(seq 0 $(($(nproc) - 1))); do taskset $((1 << cpu)) sh -c 'echo x | sha256sum' & done | sort | uniq -c | tr -s ' '
ravelin version >/dev/null && echo answers
"""
SUM = "73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac -"


def combinations(is_full):
    for index, (kernel, cpu, count) in enumerate(itertools.product(KERNELS, CPUS, COUNTS)):
        # A row of the product is in the pairwise set when its three indices have an even sum: each pair still meets.
        if is_full or sum((KERNELS.index(kernel), CPUS.index(cpu), COUNTS.index(count))) % 2 == 0:
            yield kernel, cpu, count


def boots(kernel, cpu, count):
    done = tap.machine("--kernel", kernel, "--cpu", cpu, "--smp", str(count), "--lean", "--cmd", LOOK)
    tap.equal(done.status, 0, done)
    lines = done.out.splitlines()
    tap.require(lines and lines[0].startswith(kernel + "."), done)
    tap.equal(lines[1:], [str(count), "at-el1", "physical-timer", "node", f" {count} {SUM}", "answers"], done)


is_full = "full" in sys.argv[1:]
sys.argv = [word for word in sys.argv if word not in ("full", "pairwise")]
for row in combinations(is_full):
    tap.test(lambda row=row: boots(*row), "host {} boots on {} with {} CPU(s)".format(*row))
tap.main()
