# SPDX-License-Identifier: BSD-3-Clause
"""Runs one hostile image in the place of Linux and compares the corevisor, seen from outside, before and after: text,
constants and vectors byte for byte, EL2's registers and translation, and that no stage-2 leaf of the host reaches it."""

import os
import re
import subprocess
import tempfile

import tap
from outside import ADDRESS, PAGE, Outside, leaves

IMAGES = "build/test/guest"
WINDOWS = 1 << 47  # EL2's one-page windows change all the time
S1_READ_ONLY, S1_EXECUTE_NEVER = 1 << 7, 1 << 54
S2_READ, S2_WRITE = 1 << 6, 1 << 7
# What makes EL2 what it is, read on the boot CPU. HCR_EL2 and VTTBR_EL2 are the host's world.
REGISTERS = ("VBAR_EL2", "TTBR0_EL2", "TCR_EL2", "MAIR_EL2", "SCTLR_EL2", "VTCR_EL2", "VTTBR_EL2", "HCR_EL2", "CPTR_EL2",
             "MDCR_EL2", "HSTR_EL2", "CNTHCTL_EL2", "TPIDR_EL2")


class Corevisor:
    """A built corevisor: its image and where its parts begin and end."""

    def __init__(self, directory="build/corevisor"):
        self.image = os.path.join(tap.TOP, directory, "corevisor.img")
        names = subprocess.run(["aarch64-linux-gnu-nm", os.path.join(tap.TOP, directory, "corevisor.elf")], check=True,
                               stdout=subprocess.PIPE).stdout.decode()
        self._symbols = {line.split()[2]: int(line.split()[0], 16) for line in names.splitlines() if len(line.split()) == 3}
        self.constant_bytes = self._symbols["data_start"]  # text with the vectors, then constants
        self.text_bytes = self._symbols["text_end"]
        self.bytes = self._symbols["image_end"]


class View:
    """What is to stay as it is, read from outside while the machine stands still."""

    def __init__(self, machine, corevisor, base, cpus):
        self.constants = machine.memory(base, corevisor.constant_bytes)
        debugger = machine.debugger()
        self.registers = {(cpu, name): debugger.read(cpu, name) for cpu in cpus for name in REGISTERS
                          if debugger.has(name)}
        debugger.close()
        pages = {}

        def page(address):
            if address not in pages:
                pages[address] = [machine.memory(address, PAGE)]
            return pages[address][0]

        root = self.registers[cpus[0], "TTBR0_EL2"] & ADDRESS
        self.map = {at: entry for at, _, entry in leaves(page, [root], 0, 39) if at < WINDOWS}
        host = self.registers[cpus[0], "VTTBR_EL2"] & ADDRESS
        self.host = list(leaves(page, [host, host + PAGE], 1, 30))

    def registers_text(self):
        return "\n".join(f"CPU {cpu} {name} = {value:#x}" for (cpu, name), value in self.registers.items())


def check_map(view, corevisor, base):
    """W^X, and nothing of the image mapped with other rights than its part has."""
    for at, entry in view.map.items():
        writable, executable = not entry & S1_READ_ONLY, not entry & S1_EXECUTE_NEVER
        tap.require(not (writable and executable), f"EL2 maps {at:#x} writable and executable ({entry:#x})")
        offset = at - base
        if 0 <= offset < corevisor.bytes:
            tap.equal(executable, offset < corevisor.text_bytes, f"EL2's right to execute {at:#x} ({entry:#x})")
            tap.equal(writable, offset >= corevisor.constant_bytes, f"EL2's right to write {at:#x} ({entry:#x})")
        else:
            tap.require(not executable, f"EL2 may execute {at:#x}, which is not its image ({entry:#x})")


def check_containment(view, core, info):
    """No leaf of the host's stage 2 reaches the corevisor; the info pages are for reading only."""
    for at, size, entry in view.host:
        tap.equal(entry & ADDRESS & ~(size - 1), at, "the host's stage 2 is identity")
        for base, length in core:
            tap.require(at + size <= base or at >= base + length, f"the host's stage 2 maps {at:#x}, the corevisor's")
        if at < info[0] + info[1] and info[0] < at + size:
            tap.require(entry & S2_READ and not entry & S2_WRITE, f"the info page {at:#x} is not read-only ({entry:#x})")


def check_same(before, after):
    if before.constants != after.constants:
        at = next(i for i, (a, b) in enumerate(zip(before.constants, after.constants)) if a != b)
        raise AssertionError(f"the corevisor's text or constants have changed, first at offset {at:#x}")
    for key, value in before.registers.items():
        tap.equal(after.registers[key], value, f"CPU {key[0]} {key[1]}")
    for at, entry in before.map.items():
        tap.equal(after.map.get(at), entry, f"EL2's translation of {at:#x}")


def pack(image, cmdline):
    with tempfile.NamedTemporaryFile(delete=False) as stream:
        path = stream.name
    done = tap.run("build/tools/ravelin", "pack", "--kernel", f"{IMAGES}/{image}.img", "--cmdline", cmdline, "-o", path)
    tap.equal(done.status, 0, done)
    return path


def check_scrubbed(outside, text):
    """The pages that the image named as a protected VM's hold nothing. For `inspect` of run()."""
    first, count = re.search(r"SECRET (0x[0-9a-f]+) (\d+)", text).groups()
    memory = outside.memory(int(first, 16) * PAGE, int(count) * PAGE)
    tap.require(not any(memory), "a protected VM's pages still hold something after the machine's end")


class Result:
    """verdict is "PASS", "FAIL" or "SKIP"; text is the console."""

    def __init__(self, verdict, text):
        self.verdict = verdict
        self.text = text


def run(image, cmdline="", corevisor=None, limit=60, inspect=None, **machine):
    """Boots build/test/guest/<image>.img, lets it attack, returns its Result; raises if the corevisor has changed.
    `inspect(machine, text)` is called when the machine has been switched off and its memory is still there."""
    corevisor = corevisor or Corevisor()
    bundle = pack(image, ("wait " + cmdline).strip())
    try:
        with Outside("-kernel", corevisor.image, "-initrd", bundle, **machine) as outside:
            return attack(outside, corevisor, limit, inspect)
    finally:
        os.unlink(bundle)


def attack(outside, corevisor, limit, inspect):
    text = outside.wait(r"READY \S+\r?\n|(FAIL|SKIP) [^\n]*\n", 30)
    if "READY" not in text:
        return Result(re.search("FAIL|SKIP", text)[0], text)
    base = int(re.search(r"Ravelin, ABI [^\n]* at (0x[0-9a-f]+)", text)[1], 16)
    core = [(int(a, 16), int(b, 16)) for a, b in re.findall(r"CORE (0x[0-9a-f]+) (0x[0-9a-f]+)", text)]
    info = [int(number, 16) for number in re.search(r"INFO (0x[0-9a-f]+) (0x[0-9a-f]+)", text).groups()]
    outside.command("stop")
    before = View(outside, corevisor, base, [0])
    check_map(before, corevisor, base)
    check_containment(before, core, info)
    outside.command("cont")
    outside.console.send(b"g")
    text += outside.wait(r"(?m)^(PASS|FAIL|SKIP) [^\n]*\n", limit)
    outside.wait_event("SHUTDOWN", 20)
    after = View(outside, corevisor, base, [0])
    check_same(before, after)
    check_map(after, corevisor, base)
    if inspect:
        inspect(outside, text)
    else:
        check_containment(after, core, info)
    return Result(re.findall(r"(?m)^(PASS|FAIL|SKIP) ", text)[-1], text)


def expect_pass(image, **options):
    """A test: the image runs and passes. The machine here has all that an image asks for (CPUs, an entropy source for
    protected VMs), so one that skips says that something broke."""
    result = run(image, **options)
    tap.equal(result.verdict, "PASS", result.text)
