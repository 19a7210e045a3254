#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The root secret that snapshots are sealed with comes from QEMU's fw_cfg, byte for byte, if a file of the right size is
there; the host below does nothing but wait."""

import os
import struct
import subprocess
import tempfile

import outside
import tap

MEMORY = 1 << 30
FROM_PLATFORM = "sealing: root secret from the platform"
RANDOM = "sealing: no root secret from the platform: snapshots open until the next boot only"


def boot(directory, secret=None, name="opt/ravelin/root-secret"):
    """Returns the log and the occurrences of `secret` in memory."""
    kernel, bundle, file = (os.path.join(directory, part) for part in ("kernel", "bundle", "secret"))
    with open(kernel, "wb") as stream:
        stream.write(struct.pack("<IIQQQQQQ4sI", 0x14000000, 0, 0, 4096, 10, 0, 0, 0, b"ARM\x64", 0) + bytes(4032))
    subprocess.run(["build/tools/ravelin", "pack", "--kernel", kernel, "-o", bundle], cwd=tap.TOP, check=True,
                   capture_output=True)
    arguments = ["-kernel", "build/corevisor/corevisor.img", "-initrd", bundle]
    if secret is not None:
        with open(file, "wb") as stream:
            stream.write(secret)
        # Other files before and after it in the directory
        for number in range(3):
            arguments += ["-fw_cfg", f"name=opt/a{number},string=x", "-fw_cfg", f"name=opt/z{number},string=x"]
        arguments += ["-fw_cfg", f"name={name},file={file}"]
    with outside.Outside(*arguments) as machine:
        machine.wait("entering EL1", 30)
        machine.command("stop")
        found = machine.memory(outside.RAM_BASE, MEMORY).count(secret) if secret else 0
        return machine.text, found


@tap.test
def the_secret_is_taken_as_it_is():
    "32 bytes from fw_cfg are the root secret: they are in memory once, and nowhere else"
    with tempfile.TemporaryDirectory() as directory:
        secret = os.urandom(32)
        text, found = boot(directory, secret)
    tap.require(FROM_PLATFORM in text, text)
    tap.equal(found, 1)


@tap.test
def nothing_else_is_taken_for_it():
    "without the file, with another size or name, the secret is random, and the log says so"
    with tempfile.TemporaryDirectory() as directory:
        for arguments in ((), (os.urandom(31),), (os.urandom(33),), (os.urandom(32), "opt/ravelin/root-secrets")):
            text, found = boot(directory, *arguments)
            tap.require(RANDOM in text, text)
            tap.equal(found, 0)


tap.main()
