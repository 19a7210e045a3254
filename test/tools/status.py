#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""ravelin version, status and log on a made-up machine: a device tree in a directory, physical memory in a file."""

import os
import re
import struct
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "system"))
import tap  # noqa: E402

RAVELIN = "build/tools/ravelin"
PAGE = 4096
BASE = 0x5000
LOG_OFFSET, LOG_BYTES = PAGE, 64
MAGIC = 0x4e494c4556415252
RING = b"".join(b"%08d" % n for n in range(LOG_BYTES // 8))


class Machine:
    """Words in the order of struct rv_info."""

    def __init__(self, compatible=b"ravelin,corevisor\0", cells=(2, 2), bytes_=2 * PAGE, **fields):
        self._directory = tempfile.TemporaryDirectory()
        self.tree = os.path.join(self._directory.name, "tree")
        self.memory = os.path.join(self._directory.name, "memory")
        node = os.path.join(self.tree, "firmware", "corevisor")
        os.makedirs(node)
        for name, count in zip(("#address-cells", "#size-cells"), cells):
            self._write(os.path.join(self.tree, "firmware", name), struct.pack(">I", count))
        self._write(os.path.join(node, "compatible"), compatible)
        form = ">" + "".join("IQ"[count - 1] for count in cells)
        self._write(os.path.join(node, "reg"), struct.pack(form, BASE, bytes_) + bytes(16))
        self.fields = dict(magic=MAGIC, abi=2 << 16, log_offset=LOG_OFFSET, log_bytes=LOG_BYTES, log_head=20,
                           features=2, pages=(10, 20, 30, 40, 50), exits=tuple(range(100, 113)),
                           refusal=(0xc6000120, -5 & (1 << 64) - 1, 0x1234), ring=RING)
        self.fields.update(fields)
        self.update()

    @staticmethod
    def _write(path, content):
        with open(path, "wb") as stream:
            stream.write(content)

    def update(self, **fields):
        self.fields.update(fields)
        f = self.fields
        info = struct.pack("<8Q", f["magic"], f["abi"], 2 * PAGE, f["log_offset"], f["log_bytes"], f["log_head"],
                           f["features"], sum(f["pages"]))
        info += struct.pack("<5Q", 1 << 20, 2 << 20, 4 << 20, 3, 7)
        info += struct.pack("<5Q13Q", *f["pages"], *f["exits"]) + struct.pack("<5Q", *f["refusal"], 99, 4)
        with open(self.memory, "r+b" if os.path.exists(self.memory) else "wb") as stream:
            stream.truncate(BASE + 2 * PAGE)
            stream.seek(BASE)
            stream.write(info)
            stream.seek(BASE + LOG_OFFSET)
            stream.write(f["ring"])

    def arguments(self):
        return ["--device-tree", self.tree, "--memory", self.memory]

    def run(self, command):
        return tap.run(RAVELIN, command, *self.arguments())


def refuses(machine, words, command="status"):
    done = machine.run(command)
    tap.equal(done.status, 1, done)
    tap.require(words in done.err, done)


@tap.test
def version_names_both():
    "version names the program's and the corevisor's ABI"
    done = Machine(abi=2 << 16 | 5).run("version")
    tap.equal(done.status, 0, done)
    tap.equal(done.out.splitlines(), ["ravelin 0.1 (ABI 2.0)", "corevisor ABI 2.5"])


@tap.test
def status_shows_every_number():
    "status shows VMs, pages by state, exits by class and the last refusal in words"
    done = Machine().run("status")
    tap.equal(done.status, 0, done)
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    for line in ("VMs: 3, with 7 vCPUs", "corevisor ABI: 2.0 on 4 CPUs", "faults injected: 99", "entropy: yes",
                 "corevisor size: 1024 KiB image, 2048 KiB tables, 4096 KiB ledger", "all RAM 150 0.6 MiB",
                 "protected VM, private 30 0.1 MiB", "corevisor 50 0.2 MiB", "host HVC 100", "VM, other 112",
                 "last refusal: MEM_MAP(0x1234): STATE, the page, VM or vCPU is in a state, or has an owner, that forbids this",
                 "DMA: NOT contained: a bus master can reach protected memory"):
        tap.require(line in lines, f"{line!r} is missing in\n{done}")


@tap.test
def status_knows_every_name():
    "status has a name for every call and status of the ABI"
    with open(os.path.join(tap.TOP, "include/ravelin/abi.h"), encoding="utf-8") as stream:
        abi = stream.read()
    calls = re.findall(r"#define RV_(\w+) RV_HVC\((0x\w+)\)", abi)
    statuses = re.findall(r"RV_E_(\w+) = (-\d+),", abi)
    tap.require(len(calls) > 20 and len(statuses) >= 10, abi)
    for (call, number), (status, value) in zip(calls, statuses * len(calls)):
        refusal = (0xc6000000 | int(number, 16), int(value) & (1 << 64) - 1, 0)
        done = Machine(refusal=refusal).run("status")
        tap.require(f"{call}(0): {status}, " in done.out, done)


@tap.test
def status_of_a_quiet_machine():
    "status says contained when DMA is, none when nothing was refused, and shows unknown numbers"
    machine = Machine(features=1, refusal=(0, 0, 0))
    done = machine.run("status")
    tap.require("last refusal:    none" in done.out and "DMA:             contained" in done.out, done)
    tap.require("entropy:         none" in done.out, done)
    machine.update(refusal=(0xdead, -99 & (1 << 64) - 1, 0))
    tap.require("call 0xdead(0): ?, an unknown status" in machine.run("status").out)


@tap.test
def cells_are_read():
    "the parent's cell counts decide how reg is read"
    for cells in ((1, 1), (2, 1), (1, 2)):
        done = Machine(cells=cells).run("version")
        tap.equal(done.status, 0, done)


@tap.test
def log_is_printed_from_its_start():
    "log prints what was written so far"
    tap.equal(Machine(log_head=20).run("log").out, RING[:20].decode())
    tap.equal(Machine(log_head=0).run("log").out, "")
    tap.equal(Machine(log_head=LOG_BYTES).run("log").out, RING.decode())


@tap.test
def log_wraps():
    "a log that has wrapped is printed oldest first"
    tap.equal(Machine(log_head=LOG_BYTES * 3 + 8).run("log").out, (RING[8:] + RING[:8]).decode())


@tap.test
def log_is_safe_for_terminals():
    "control characters of the log do not reach the terminal"
    tap.equal(Machine(log_head=8, ring=b"a\x1b[2Jb\n\xff" + bytes(56)).run("log").out, "a?[2Jb\n?")


@tap.test
def log_follows():
    "log --follow prints what is added"
    machine = Machine(log_head=8)
    with subprocess.Popen([RAVELIN, "log", "--follow", *machine.arguments()], cwd=tap.TOP,
                          stdout=subprocess.PIPE) as process:
        tap.equal(process.stdout.read(8), RING[:8])
        machine.update(log_head=16)
        started = time.monotonic()
        tap.equal(process.stdout.read(8), RING[8:16])
        tap.require(time.monotonic() - started < 5)
        process.terminate()
        process.wait(5)


@tap.test
def errors_are_clear():
    "no corevisor, no rights, a foreign region and a foreign ABI are told apart"
    refuses(Machine(compatible=b"other,thing\0ravelin,core\0"), "no corevisor: this system was not started by Ravelin")
    refuses(Machine(magic=1), "magic number")
    refuses(Machine(abi=3 << 16), "speaks ABI 3.0, this program 2.0")
    refuses(Machine(log_bytes=1 << 40), "log outside of itself", "log")
    refuses(Machine(log_offset=2 * PAGE - 8), "log outside of itself", "log")
    refuses(Machine(log_bytes=0), "log outside of itself", "log")
    refuses(Machine(bytes_=8), "not a region")
    machine = Machine()
    os.unlink(machine.memory)
    refuses(machine, "No such file")
    machine.tree += "/none"
    refuses(machine, "No such file")


@tap.test
def not_root():
    "without root's rights the message says so"
    machine = Machine()
    os.chmod(os.path.dirname(machine.tree), 0o755)
    os.chmod(machine.memory, 0o600)
    done = tap.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", os.path.join(tap.TOP, RAVELIN), "status",
                   *machine.arguments())
    if os.getuid() != 0:
        raise tap.Skip("needs root to give root up")
    tap.equal(done.status, 1, done)
    tap.require("run this as root" in done.err, done)


@tap.test
def wrong_usage():
    "wrong usage gives status 2"
    for arguments in (("status", "--follow"), ("status", "x"), ("log", "-z"), ("version", "--frob")):
        done = tap.run(RAVELIN, *arguments)
        tap.equal(done.status, 2, done)


tap.main()
