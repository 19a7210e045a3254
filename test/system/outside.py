# SPDX-License-Identifier: BSD-3-Clause
"""A machine seen from outside: memory through QEMU's monitor, EL2 registers through its debugger stub, the console through
a socket. What is read here no code in the machine can falsify."""

import json
import os
import re
import select
import socket
import struct
import subprocess
import tempfile
import time

import tap

RAM_BASE = 0x40000000
PAGE = 4096
ENTRY = struct.Struct("<Q")
ADDRESS = 0x0000fffffffff000


class Lost(AssertionError):
    """The machine did not do what was waited for."""


class Socket:
    def __init__(self, path, limit=20):
        end = time.monotonic() + limit
        while True:
            self._socket = socket.socket(socket.AF_UNIX)
            try:
                self._socket.connect(path)
                break
            except (FileNotFoundError, ConnectionRefusedError):
                self._socket.close()
                if time.monotonic() > end:
                    raise Lost(f"QEMU does not open {path}") from None
                time.sleep(0.02)
        self.pending = b""

    def send(self, data):
        self._socket.sendall(data)

    def until(self, pattern, limit):
        """Everything up to and with the first match of `pattern`; the rest stays for the next call."""
        end = time.monotonic() + limit
        while not (match := re.search(pattern, self.pending)):
            left = end - time.monotonic()
            if left <= 0 or not select.select([self._socket], [], [], left)[0]:
                raise Lost(f"no {pattern!r} within {limit} s after\n{self.pending.decode(errors='replace')[-3000:]}")
            data = self._socket.recv(65536)
            if not data:
                raise Lost(f"the machine ended before {pattern!r}, after\n{self.pending.decode(errors='replace')[-3000:]}")
            self.pending += data
        taken, self.pending = self.pending[:match.end()], self.pending[match.end():]
        return taken

    def close(self):
        self._socket.close()


class Debugger:
    """As much of the GDB remote protocol as reads a register by name on each CPU."""

    def __init__(self, path):
        self._socket = Socket(path)
        self._ask("qSupported:xmlRegisters=aarch64")
        self._threads = self._read_threads()
        self._numbers = self._read_numbers()

    def _ask(self, command):
        checksum = sum(command.encode()) & 0xff
        self._socket.send(f"${command}#{checksum:02x}".encode())
        answer = self._socket.until(rb"(?s)\$.*?#[0-9a-f]{2}", 10)
        self._socket.send(b"+")
        body = answer[answer.index(b"$") + 1:-3]
        return re.sub(rb"(?s)}(.)", lambda match: bytes([match[1][0] ^ 0x20]), body).decode(errors="replace")

    def _read_threads(self):
        threads, answer = [], self._ask("qfThreadInfo")
        while answer.startswith("m"):
            threads += answer[1:].split(",")
            answer = self._ask("qsThreadInfo")
        return threads

    def _document(self, name):
        text = ""
        while True:
            part = self._ask(f"qXfer:features:read:{name}:{len(text):x},ffb")
            text += part[1:]
            if part[:1] != "m":
                return text

    def _read_numbers(self):
        numbers, following = {}, 0
        for name in re.findall(r'href="([^"]+)"', self._document("target.xml")):
            for tag in re.findall(r"<reg [^>]*>", self._document(name)):
                number = re.search(r'regnum="(\d+)"', tag)
                following = int(number[1]) if number else following
                numbers[re.search(r'name="([^"]+)"', tag)[1]] = following
                following += 1
        return numbers

    def cpus(self):
        return len(self._threads)

    def has(self, name):
        return name in self._numbers

    def read(self, cpu, name):
        self._ask("Hg" + self._threads[cpu])
        return int.from_bytes(bytes.fromhex(self._ask(f"p{self._numbers[name]:x}")), "little")

    def close(self):
        self._ask("D")
        self._socket.close()


class Outside:
    """One run of QEMU. Use as a context manager."""

    def __init__(self, *arguments, cpu="neoverse-n1", smp=4, mem="1G"):
        self._directory = tempfile.TemporaryDirectory()
        command = ["qemu-system-aarch64", "-machine", "virt,gic-version=3,virtualization=on", "-cpu", cpu, "-smp", str(smp),
                   "-m", mem, "-display", "none", "-nodefaults", "-no-shutdown", "-no-reboot",
                   "-chardev", f"socket,id=console,path={self._path('console')},server=on,wait=on",
                   "-serial", "chardev:console",
                   "-qmp", f"unix:{self._path('qmp')},server=on,wait=off",
                   "-gdb", f"unix:{self._path('gdb')},server=on,wait=off", *arguments]
        with open(self._path("errors"), "wb") as errors:
            self._process = subprocess.Popen(command, cwd=tap.TOP, stdin=subprocess.DEVNULL, stderr=errors)
        self._qmp = None
        self.console = None
        self.text = ""

    def _path(self, name):
        return os.path.join(self._directory.name, name)

    def __enter__(self):
        try:
            self.console = Socket(self._path("console"))
            self._qmp = Socket(self._path("qmp"))
            self._qmp.until(rb'"QMP".*\n', 10)
            self.command("qmp_capabilities")
        except BaseException:
            with open(self._path("errors"), encoding="utf-8", errors="replace") as errors:
                print("# " + errors.read().replace("\n", "\n# "))
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        for end in (self.console, self._qmp):
            if end:
                end.close()
        self._directory.cleanup()

    def command(self, name, limit=30, **arguments):
        self._qmp.send(json.dumps({"execute": name, "arguments": arguments}).encode() + b"\n")
        answer = self._qmp.until(rb'(?m)^\{"(return|error)".*\n', limit)
        tap.require(b'{"error"' not in answer, answer)
        self._events(answer)

    def _events(self, text):
        self.events = getattr(self, "events", b"") + text

    def wait_event(self, name, limit):
        if f'"{name}"'.encode() not in getattr(self, "events", b""):
            self._qmp.until(rb'"event": "' + name.encode() + rb'".*\n', limit)

    def wait(self, pattern, limit):
        """Console text up to a match of `pattern` (a regular expression)."""
        taken = self.console.until(pattern.encode(), limit).decode(errors="replace").replace("\r", "")
        self.text += taken
        return taken

    def memory(self, address, size):
        path = self._path("memory")
        self.command("pmemsave", val=address, size=size, filename=path)
        with open(path, "rb") as stream:
            data = stream.read()
        tap.equal(len(data), size, f"pmemsave of {address:#x}")
        return data

    def debugger(self):
        return Debugger(self._path("gdb"))


def leaves(read_page, roots, level, shift_top):
    """Yields (address, bytes, descriptor) of each leaf of a translation table with 4 KiB granule. `roots` are the pages
    of the first level, `level`, whose entries map 1 << shift_top bytes each."""
    def walk(page, base, depth, shift):
        for index, (entry,) in enumerate(ENTRY.iter_unpack(read_page(page))):
            at = base + (index << shift)
            if entry & 1 == 0:
                continue
            if depth < 3 and entry & 2:
                yield from walk(entry & ADDRESS, at, depth + 1, shift - 9)
            else:
                yield at, 1 << shift, entry

    for number, page in enumerate(roots):
        yield from walk(page, number << (shift_top + 9), level, shift_top)
