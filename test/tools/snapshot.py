#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""ravelin save and restore on a PC: what is no snapshot, half of one or none that could be, is refused before any VM is
looked for; so is a process without a VM."""

import os
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "system"))
import tap  # noqa: E402

RAVELIN = os.path.join(tap.TOP, "build/tools/ravelin")
HEADER, HOST, VCPU, PAGE, END = range(1, 6)
BACKED, SHARED = 1, 2
MAGIC = 0x44454c4145535652
RAM_COUNT_AT = 16 + 8 + 4 * 32 + 8  # in struct rv_seal_header
HEADER_BYTES = RAM_COUNT_AT + 8 + 8 * 16


def record(kind, content=bytes(4096), at=0, what=0, claimed=None):
    return struct.pack("<IIQQQQ", kind, len(content) if claimed is None else claimed, at, what, 1, 2) + content


def header(magic=MAGIC, version=1, ram_count=1):
    data = bytearray(struct.pack("<QIIQ", magic, version, 1, 1).ljust(HEADER_BYTES, b"\0"))
    struct.pack_into("<QQQ", data, RAM_COUNT_AT, ram_count, 0x40000, 0x10000)
    return record(HEADER, bytes(data))


def whole(page=record(PAGE, at=0x40000, what=BACKED | 1 << 12)):
    return [header(), record(HOST, bytes(1000)), record(VCPU), page, record(PAGE, b"", 0x40001, SHARED | 1 << 12), record(END)]


def restore(data, *words):
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        return tap.run(RAVELIN, "restore", "--pid", str(os.getpid()), file.name, *words)


NO_SNAPSHOT, DAMAGED, HALF = "no snapshot of a VM", "damaged: a record that cannot be there", "incomplete: its end is missing"


def refused(data, reason):
    done = restore(data)
    tap.equal(done.status, 1, done)
    tap.equal(done.out, "", done)
    tap.require(done.err.startswith("ravelin: /tmp") and done.err.endswith(f": {reason}\n"), done)


def without(index):
    parts = whole()
    del parts[index]
    return b"".join(parts)


def instead(index, *parts):
    all_parts = whole()
    all_parts[index:index + 1] = parts
    return b"".join(all_parts)


for name, given, why in (
        ("an empty file", b"", NO_SNAPSHOT),
        ("a text", b"no snapshot at all, but longer than a record's head is\n", NO_SNAPSHOT),
        ("another magic", instead(0, header(magic=1)), NO_SNAPSHOT),
        ("another version", instead(0, header(version=2)), "a snapshot of version 2; this program knows 1"),
        ("more RAM ranges than there can be", instead(0, header(ram_count=2 ** 63)), "damaged: too many ranges of RAM"),
        ("half a header", record(HEADER, header()[40:][:HEADER_BYTES // 2]), NO_SNAPSHOT),
        ("no header", without(0), NO_SNAPSHOT),
        ("no host state", without(1), DAMAGED),
        ("no vCPU", without(2), DAMAGED),
        ("no end", without(-1), HALF),
        ("half a record", b"".join(whole())[:-1], HALF),
        ("half a record's head", b"".join(whole())[:-4100], HALF),
        ("something behind the end", b"".join(whole()) + record(PAGE, b""), DAMAGED),
        ("two ends", b"".join(whole()) + record(END), DAMAGED),
        ("a vCPU behind a page", instead(3, record(PAGE, b""), record(VCPU)), DAMAGED),
        ("an unknown kind", instead(3, record(6)), DAMAGED),
        ("a page of half the size", instead(3, record(PAGE, bytes(2048), what=BACKED)), DAMAGED),
        ("content where there is none", instead(3, record(PAGE, what=SHARED)), DAMAGED),
        ("a vCPU without content", instead(2, record(VCPU, b"")), DAMAGED),
        ("4 GiB of host state", instead(1, record(HOST, b"", claimed=2 ** 32 - 1)), DAMAGED),
        ("a head that claims too much at once", record(HEADER, b"", claimed=2 ** 31), NO_SNAPSHOT),
):
    tap.test(lambda given=given, why=why: refused(given, why), f"refused: {name}")


@tap.test
def a_process_without_a_vm():
    "a whole file, but a process that has no VM, or no process"
    done = restore(b"".join(whole()))
    tap.equal((done.status, done.err), (1, f"ravelin: process {os.getpid()} has no VM; name the process of its monitor "
                                           "(QEMU)\n"), done)
    child = subprocess.Popen(["true"])
    child.wait()
    done = tap.run(RAVELIN, "save", "--pid", str(child.pid), "-o", "/nonexistent/file")
    tap.equal((done.status, done.err), (1, f"ravelin: process {child.pid}: there is none\n"), done)


@tap.test
def save_leaves_no_file():
    "save leaves an old file as it is when it fails, and no new one"
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "file")
        with open(path, "w", encoding="ascii") as stream:
            stream.write("old")
        done = tap.run(RAVELIN, "save", "--pid", str(os.getpid()), "-o", path)
        tap.equal(done.status, 1, done)
        tap.equal(os.listdir(directory), ["file"])
        with open(path, encoding="ascii") as stream:
            tap.equal(stream.read(), "old")


for words, text in (
        (["save"], "save: --pid is missing"),
        (["save", "--pid", "1"], "save: --output is missing"),
        (["save", "--pid", "1", "-o", "x", "y"], "save: unexpected argument 'y'"),
        (["save", "--pid", "0", "-o", "x"], "'0' is no process id"),
        (["save", "--pid", "4294967297", "-o", "x"], "'4294967297' is no process id"),
        (["restore", "--pid", "1"], "restore: the file is missing"),
        (["restore", "x"], "restore: --pid is missing"),
        (["restore", "--pid", "1", "-o", "x"], ""),
        (["restore", "--pid", "1", "x", "y"], "restore: unexpected argument 'y'"),
):
    def usage(words=words, text=text):
        done = tap.run(RAVELIN, *words)
        tap.equal((done.status, done.out), (2, ""), done)
        tap.require(text in done.err and f"Try 'ravelin {words[0]} --help'" in done.err, done)
    tap.test(usage, f"usage error: {' '.join(words)}")


@tap.test
def help_says_what_to_do():
    "--help says what to stop and what to start"
    tap.require("monitor: stop" in tap.run(RAVELIN, "save", "--help").out)
    tap.require("-S, so that nothing runs" in tap.run(RAVELIN, "restore", "--help").out)


tap.main()
