# SPDX-License-Identifier: BSD-3-Clause
"""Writes cpio archives ("newc") as Linux unpacks them at boot: no root, no clock, the same bytes every time."""

import os
import stat


class Archive:
    """One archive, written to a binary stream. Parent directories come by themselves."""

    def __init__(self, stream):
        self._stream = stream
        self._inode = 0
        self._offset = 0
        self._seen = {""}

    def directory(self, path, mode=0o755):
        path = path.strip("/")
        if path in self._seen:
            return
        self._entry(path, stat.S_IFDIR | mode, b"")

    def file(self, path, data, mode=0o644):
        self._entry(path.strip("/"), stat.S_IFREG | mode, data)

    def symlink(self, path, target):
        self._entry(path.strip("/"), stat.S_IFLNK | 0o777, target.encode())

    def device(self, path, major, minor, mode=0o600):
        self._entry(path.strip("/"), stat.S_IFCHR | mode, b"", major, minor)

    def copy(self, source, path):
        """Adds the file or directory tree `source` as `path`, following symbolic links, executable bits kept."""
        if os.path.isdir(source):
            self.directory(path)
            for name in sorted(os.listdir(source)):
                self.copy(os.path.join(source, name), path + "/" + name)
            return
        with open(source, "rb") as stream:
            mode = 0o755 if os.stat(source).st_mode & 0o111 else 0o644
            self.file(path, stream.read(), mode)

    def close(self):
        """Writes the end mark and pads to 512 bytes, so that another archive can follow."""
        self._record("TRAILER!!!", 0, b"", 0, 0)
        self._write(b"\0" * (-self._offset % 512))

    def _entry(self, path, mode, data, major=0, minor=0):
        parent = os.path.dirname(path)
        if parent not in self._seen:
            self.directory(parent)
        if path in self._seen:
            raise ValueError(f"{path} stands in the archive already")
        self._seen.add(path)
        self._inode += 1
        self._record(path, mode, data, major, minor)

    def _record(self, name, mode, data, major, minor):
        fields = (self._inode, mode, 0, 0, 1, 0, len(data), 0, 0, major, minor, len(name.encode()) + 1, 0)
        self._write(b"070701" + b"".join(b"%08X" % field for field in fields))
        self._write(name.encode() + b"\0")
        self._write(b"\0" * (-self._offset % 4))
        self._write(data)
        self._write(b"\0" * (-self._offset % 4))

    def _write(self, data):
        self._stream.write(data)
        self._offset += len(data)
