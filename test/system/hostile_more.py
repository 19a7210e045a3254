#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The hostile images whose outcome could depend on the CPU model, on the others; and more seeds."""

from attack import expect_pass
import tap


for model in ("cortex-a57", "max", "max,pauth=off"):
    tap.test(lambda model=model: expect_pass("hostile_access", cpu=model), f"every access, on {model}")
    tap.test(lambda model=model: expect_pass("hostile_sysreg", cpu=model), f"every EL2 and EL3 register, on {model}")
    tap.test(lambda model=model: expect_pass("host_worlds", cpu=model), f"no register passes between worlds, on {model}")

for model in ("cortex-a57", "max"):
    for name in ("host_guests", "host_vm", "hostile_random"):
        tap.test(lambda model=model, name=name: expect_pass(name, cpu=model), f"{name} on {model}")
tap.test(lambda: expect_pass("host_vm", smp=1), "host_vm on one CPU")

for seed in (2, 3):
    tap.test(lambda seed=seed: expect_pass("hostile_random", cmdline=f"seed={seed}"), f"10 000 random calls, seed {seed}")

tap.main()
