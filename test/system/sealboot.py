#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The guest loader in front of a kernel, in a machine without a corevisor: entered as a VMM enters a kernel."""

import io
import os
import subprocess
import sys
import tempfile

import tap

sys.path.insert(0, os.path.join(tap.TOP, "tools", "initramfs"))
from cpio import Archive  # noqa: E402

SCRATCH = tempfile.TemporaryDirectory()
BOARD = ("qemu-system-aarch64", "-M", "virt,gic-version=3", "-cpu", "neoverse-n1", "-smp", "2", "-m", "512", "-nographic",
         "-net", "none")


def pack(kernel, *options):
    path = os.path.join(SCRATCH.name, "packed")
    done = tap.run("build/tools/ravelin", "pack", "--guest", "--sealboot", "build/sealboot/sealboot.bin", "--kernel", kernel,
                   *options, "-o", path)
    tap.equal(done.status, 0, done)
    return path


def board_dtb(*options, more=""):
    """The board's own device tree, with other options of the machine and beside it."""
    path = os.path.join(SCRATCH.name, "board.dtb")
    subprocess.run([*BOARD[:2], f"{BOARD[2]}{more},dumpdtb={path}", *BOARD[3:], *options], check=True,
                   stderr=subprocess.DEVNULL)
    return path


def dtb(change):
    """The board's own device tree with its source text changed."""
    path = board_dtb()
    text = subprocess.run(["dtc", "-I", "dtb", "-O", "dts", path], check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout
    changed = change(text)
    tap.require(changed != text, "nothing to change in the board's tree")
    subprocess.run(["dtc", "-O", "dtb", "-o", path], check=True, input=changed, stderr=subprocess.DEVNULL)
    return path


@tap.test
def kernel_finds_what_the_loader_promises():
    "the kernel finds smc in a device tree in the loader's room, itself at 2 MiB"
    image = pack("build/test/guest/guest_sealboot.img", "--cmdline", "conduit-hvc")
    done = tap.run(*BOARD, "-kernel", image, "-append", "the VMM's", limit=30)
    tap.equal((done.status, done.out.split("\r\n")), (0, ["INFO 0x0 0x0", "READY sealboot", "PASS sealboot", ""]), done)


@tap.test
def control_without_the_loader():
    "control: without the loader the same kernel finds hvc"
    done = tap.run(*BOARD, "-kernel", "build/test/guest/guest_sealboot.img", limit=30)
    tap.require("FAIL sealboot: /psci's method is not smc" in done.out, done)


@tap.test
def bad_trees_switch_the_vm_off():
    "a device tree with a PSCI node that cannot be mended switches the VM off, silently"
    # QEMU writes /psci itself, also into a tree that it is given: the bad node lies elsewhere.
    image = pack("build/test/guest/guest_sealboot.img")
    for method in (b'method = "spin-table";', b""):
        node = b'other { compatible = "arm,psci-0.2"; ' + method + b' }; memory@'
        done = tap.run(*BOARD, "-kernel", image, "-dtb", dtb(lambda text, node=node: text.replace(b"memory@", node)),
                       limit=30)
        tap.equal((done.status, done.out), (0, ""), done)


@tap.test
def unknown_devices_are_not_seen():
    "a device that no VMM gives is not in the tree that the kernel finds; of QEMU's boards all are"
    image = pack("build/test/guest/guest_sealboot.img", "--cmdline", "conduit-hvc")
    node = b'ramoops@41000000 { compatible = "ramoops"; reg = <0 0x41000000 0 0x10000>; }; memory@'
    done = tap.run(*BOARD, "-kernel", image, "-dtb", dtb(lambda text: text.replace(b"memory@", node)), limit=30)
    tap.equal((done.status, done.out.split("\r\n")), (0, ["INFO 0x0 0x0", "READY sealboot", "PASS sealboot", ""]), done)
    numa = [word for at, ram in enumerate(("256M", "256M")) for word in (
        "-object", f"memory-backend-ram,id=ram{at},size={ram}", "-numa", f"node,nodeid={at},cpus={at},memdev=ram{at}")]
    for more, options in (("", ()), ("", ("-cpu", "max")), (",iommu=smmuv3", ()), ("", numa),
                          (",its=off", ("-cpu", "cortex-a57")), (",virtualization=on", ("-device", "virtio-iommu-pci"))):
        done = tap.run("build/test/sealboot/test_sealboot", board_dtb(*options, more=more))
        tap.equal((done.status, done.out), (0, ""), done)


@tap.test
def linux_takes_the_smc_conduit():
    "Debian 7.2 behind the loader calls PSCI by SMC"
    # This board's firmware answers HVC only: the first SMC is undefined, and the kernel says where it was.
    kernel = pack(os.path.join(tap.CACHE, "kernels", "7.2", "Image"), "--cmdline", "earlycon console=ttyAMA0")
    with subprocess.Popen([*BOARD, "-kernel", kernel], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as qemu:
        seen = []
        try:
            for line in qemu.stdout:
                seen.append(line.decode(errors="replace"))
                if "__arm_smccc_smc" in seen[-1] or "Unable to mount root" in seen[-1] or len(seen) > 200:
                    break
        finally:
            qemu.kill()
    tap.require("__arm_smccc_smc" in seen[-1], "".join(seen))
    tap.require(any("probing for conduit method from DT" in line for line in seen), "".join(seen))


def tell_tale(says):
    """An initrd whose /init prints the kernel's command line, `says`, and switches off."""
    stream = io.BytesIO()
    archive = Archive(stream)
    archive.device("dev/console", 5, 1)
    archive.directory("proc")
    archive.copy(os.path.join(tap.CACHE, "arm64-root/bin/busybox"), "bin/busybox")
    archive.symlink("bin/sh", "busybox")
    archive.file("init", f"""#!/bin/sh
busybox mount -t proc proc /proc
echo "init: {says}: $(busybox cat /proc/cmdline)"
busybox poweroff -f
""".encode(), 0o755)
    archive.close()
    path = os.path.join(SCRATCH.name, says)
    with open(path, "wb") as out:
        out.write(stream.getvalue())
    return path


def tales(*options):
    """What Debian 7.2 behind the loader says in a machine whose firmware answers SMC."""
    board = [word.replace("gic-version=3", "gic-version=3,virtualization=on") for word in BOARD]
    done = tap.run(*board, "-kernel", *options, "-append", "console=ttyAMA0 the-vmm", "-initrd", tell_tale("the-vmm"),
                   limit=150)
    tap.equal(done.status, 0, done)
    return [line for line in done.out.splitlines() if line.startswith("init: ")], done


@tap.test
def linux_takes_initrd_and_command_line_from_the_image():
    "Debian 7.2 takes initrd and command line from the image, not from the VMM"
    lines, done = tales(pack(os.path.join(tap.CACHE, "kernels", "7.2", "Image"), "--initrd", tell_tale("the-image"),
                             "--cmdline", "console=ttyAMA0 the-image"))
    tap.equal(lines, ["init: the-image: console=ttyAMA0 the-image"], done)


@tap.test
def control_without_the_loader_linux_takes_the_vmm_s():
    "control: without the loader it takes the VMM's"
    lines, done = tales(os.path.join(tap.CACHE, "kernels", "7.2", "Image"))
    tap.equal(lines, ["init: the-vmm: console=ttyAMA0 the-vmm"], done)


tap.main()
