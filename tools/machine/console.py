# SPDX-License-Identifier: BSD-3-Clause
"""What ./machine reads from a running QEMU: the console (kernel log, corevisor's lines) and the command channel."""

import os
import re
import select
import sys
import termios
import time
import tty

# Console lines after which nothing can be hoped for. The corevisor's own panic comes first: it may cause the others.
FATAL = (
    re.compile(rb"corevisor: panic.*"),
    re.compile(rb"Kernel panic - not syncing.*"),
    re.compile(rb"Attempted to kill init.*"),
)
ESCAPE = b"\x01"  # Ctrl-A, as QEMU has it
KEEP_BYTES = 16384


class Watcher:
    """Sees every byte of the console: writes the log, keeps the last lines, finds fatal ones."""

    def __init__(self, log=None):
        self._log = log
        self._tail = b""
        self._line = b""
        self.fatal = None

    def feed(self, data):
        if self._log:
            self._log.write(data)
            self._log.flush()
        self._tail = (self._tail + data)[-KEEP_BYTES:]
        lines = (self._line + data).split(b"\n")
        self._line = lines.pop()[-4096:]
        for line in lines:
            for pattern in FATAL:
                match = pattern.search(line)
                if match and not self.fatal:
                    self.fatal = match.group().decode(errors="replace").strip()

    def last_lines(self, count=12):
        lines = [line.rstrip() for line in self._tail.decode(errors="replace").splitlines() if line.strip()]
        return lines[-count:]


class Channel:
    """Takes a command's output off the second UART, up to the end mark that only this run knows."""

    def __init__(self, token, sink):
        self._mark = b"\n\0" + token.encode() + b" "
        self._sink = sink
        self._held = b""
        self.status = None

    def feed(self, data):
        if self.status is not None:
            return
        self._held += data
        place = self._held.find(self._mark)
        if place >= 0:
            end = self._held.find(b"\n", place + len(self._mark))
            if end >= 0:
                self._emit(self._held[:place])
                self.status = int(self._held[place + len(self._mark):end])
            return
        # Keep what may be the beginning of the mark.
        keep = next((n for n in range(min(len(self._mark) - 1, len(self._held)), 0, -1)
                     if self._held.endswith(self._mark[:n])), 0)
        self._emit(self._held[:len(self._held) - keep])
        self._held = self._held[len(self._held) - keep:]

    def flush(self):
        """The command will not end any more: shows what it printed last."""
        if self.status is None:
            self._emit(self._held)
            self._held = b""

    def _emit(self, data):
        if data:
            self._sink.write(data)
            self._sink.flush()


class Keyboard:
    """The user's terminal, raw while the machine runs. Ctrl-A x ends it, Ctrl-A Ctrl-A sends a Ctrl-A."""

    def __init__(self):
        self._fd = sys.stdin.fileno()
        self._saved = termios.tcgetattr(self._fd) if os.isatty(self._fd) else None
        self._escaped = False
        self.wants_quit = False

    def __enter__(self):
        if self._saved:
            tty.setraw(self._fd)
        return self

    def __exit__(self, *_):
        if self._saved:
            termios.tcsetattr(self._fd, termios.TCSADRAIN, self._saved)

    def fileno(self):
        return self._fd

    def read(self):
        """Returns what to send to the machine; None at the end of the input."""
        data = os.read(self._fd, 4096)
        if not data:
            return None
        if not self._saved:
            return data
        out = b""
        for byte in (data[i:i + 1] for i in range(len(data))):
            if self._escaped:
                self._escaped = False
                if byte in b"xX":
                    self.wants_quit = True
                elif byte == ESCAPE:
                    out += ESCAPE
            elif byte == ESCAPE:
                self._escaped = True
            else:
                out += byte
        return out


def follow(streams, until, deadline):
    """Hands what arrives on each file to its function until one of them returns false, `until()` or the deadline.

    streams: {file: function(file) -> keep reading this file?}. Returns "done", "closed" (no file left) or "late".
    """
    streams = dict(streams)
    while streams:
        if until():
            return "done"
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            return "late"
        ready, _, _ = select.select(list(streams), [], [], left)
        for file in ready:
            if not streams[file](file):
                del streams[file]
    return "done" if until() else "closed"
