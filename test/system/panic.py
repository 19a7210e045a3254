#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A panic: the corevisor's own text is damaged from outside in several ways. It must say what, who and where on the
console, no CPU may execute the host any longer, and the platform's root secret must be gone from memory. No input from
the host makes it panic, so this needs a debugger."""

import os
import re
import struct
import subprocess
import tempfile
import time

import attack
import tap
from outside import RAM_BASE, Lost, Outside

VICTIM = "hcall"  # a function that every call of the host enters
BREAK, UNDEFINED = 0xd4200000, 0
STORE_TO_TEXT = 0xf90003df  # str xzr, [x30]
LOAD_FROM_ZERO = (0xd2800009, 0xf9400129)  # mov x9, #0; ldr x9, [x9]
PUSH_FOR_EVER = (0xf81f0fe0, 0x17ffffff)  # str x0, [sp, #-16]!; b .-4

DAMAGE = {
    "a BRK instruction": ((BREAK,), "BRK instruction"),
    "an undefined instruction": ((UNDEFINED,), "undefined instruction"),
    "a store to its text": ((STORE_TO_TEXT,), "permission fault"),
    "a load from nowhere": (LOAD_FROM_ZERO, "translation fault"),
    "a stack that overflows": (PUSH_FOR_EVER, "translation fault"),
}


def offset_of(name):
    elf = os.path.join(tap.TOP, "build", "corevisor", "corevisor.elf")
    lines = subprocess.run(["aarch64-linux-gnu-nm", elf], check=True, stdout=subprocess.PIPE).stdout.decode().splitlines()
    return next(int(line.split()[0], 16) for line in lines if line.split()[-1] == name)


def poke(machine, address, words):
    """Writes to physical memory, around all translation."""
    debugger = machine.debugger()
    debugger._ask("Qqemu.PhyMemMode:1")
    data = b"".join(struct.pack("<I", word) for word in words)
    tap.equal(debugger._ask(f"M{address:x},{len(data):x}:{data.hex()}"), "OK")
    debugger.close()


def counters(machine, text):
    address, count = re.search(r"COUNTERS (0x[0-9a-f]+) (\d+)", text).groups()
    return machine.memory(int(address, 16), 8 * int(count))


def secrets(machine, secret):
    """How often it stands in memory, while the machine stands still."""
    machine.command("stop")
    return machine.memory(RAM_BASE, 1 << 30).count(secret)


def panics(words, what):
    bundle = attack.pack("host_busy", "wait")
    secret = os.urandom(32)
    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write(secret)
    try:
        with Outside("-kernel", attack.Corevisor().image, "-initrd", bundle,
                     "-fw_cfg", f"name=opt/ravelin/root-secret,file={file.name}") as machine:
            text = machine.wait(r"READY \S+\r?\n|(FAIL|SKIP) [^\n]*\n", 30)
            tap.require("READY" in text, text)
            base = int(re.search(r"Ravelin, ABI [^\n]* at (0x[0-9a-f]+)", text)[1], 16)
            first = counters(machine, text)
            time.sleep(0.3)
            tap.require(counters(machine, text) != first, "the host's CPUs do not count")
            tap.equal(secrets(machine, secret), 1)
            poke(machine, base + offset_of(VICTIM), words)
            machine.command("cont")
            machine.console.send(b"g")
            line = machine.wait(r"corevisor: panic[^\n]*\n", 20)
            tap.require(re.search(r"panic: CPU 0: synchronous exception at EL2: " + what, line), line)
            at = int(re.search(r"at image\+0x([0-9a-f]+)", line)[1], 16)
            tap.require(0 <= at - offset_of(VICTIM) < 4 * len(words), f"not at {VICTIM}: {line}")
            stopped(machine, text)
            tap.equal(secrets(machine, secret), 0)
    finally:
        os.unlink(bundle)
        os.unlink(file.name)


def stopped(machine, text):
    time.sleep(1)
    last = counters(machine, text)
    time.sleep(1)
    tap.equal(counters(machine, text), last, "CPUs that go on")
    try:
        more = machine.wait(r"PASS|FAIL|panic", 1)
    except Lost:
        return
    raise AssertionError(f"the machine goes on: {more}")


def whole():
    tap.equal(attack.run("host_busy").verdict, "PASS")


tap.test(whole, "control: the image passes above a whole corevisor")
for title, (code, message) in DAMAGE.items():
    tap.test(lambda code=code, message=message: panics(code, message), f"panic: {title}")
tap.main()
