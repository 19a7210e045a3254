#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The kernels in the cache are Debian's, bit for bit, and so is what the initramfs hands to guests."""

import hashlib
import io
import os
import subprocess
import tarfile

import tap


def package_kernel(series):
    """The kernel as it stands in the .deb apt verified: (path in the package, bytes, the package's own MD5)."""
    directory = os.path.join(tap.CACHE, "debs", f"kernel-{series}")
    for name in sorted(os.listdir(directory)):
        deb = os.path.join(directory, name)
        data = subprocess.run(["dpkg-deb", "--fsys-tarfile", deb], check=True, capture_output=True).stdout
        with tarfile.open(fileobj=io.BytesIO(data)) as files:
            path = next((path for path in files.getnames() if os.path.basename(path).startswith("vmlinuz")), None)
            if path is None:
                continue
            image = files.extractfile(path).read()
        control = subprocess.run(["dpkg-deb", "--ctrl-tarfile", deb], check=True, capture_output=True).stdout
        with tarfile.open(fileobj=io.BytesIO(control)) as files:
            sums = files.extractfile("./md5sums").read().decode()
        plain = path.removeprefix("./")
        return plain, image, next(line.split()[0] for line in sums.splitlines() if line.split(None, 1)[1] == plain)
    raise AssertionError(f"no kernel in the packages of {directory}")


def check(series):
    _, image, md5 = package_kernel(series)
    tap.equal(hashlib.md5(image).hexdigest(), md5, "the package contradicts its own md5sums")
    with open(os.path.join(tap.CACHE, "kernels", series, "Image"), "rb") as stream:
        tap.equal(hashlib.sha256(stream.read()).hexdigest(), hashlib.sha256(image).hexdigest())


for each in ("6.1", "6.12", "7.2"):
    tap.test(lambda series=each: check(series), f"kernel {each} equals the package's")


@tap.test
def guests_get_the_kernel_of_the_package():
    "the initramfs holds the package's kernel for guests"
    _, image, _ = package_kernel("7.2")
    with open(os.path.join(tap.TOP, "build/initramfs/guests.cpio"), "rb") as stream:
        tap.require(image in stream.read(), "the bytes of the package's kernel are not in guests.cpio")


tap.main()
