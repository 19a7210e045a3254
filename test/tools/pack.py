#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""ravelin pack, from the command line: what it makes, and what it says to wrong input. No partial file ever appears."""

import os
import re
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "system"))
import tap  # noqa: E402

RAVELIN = "build/tools/ravelin"
SEALBOOT = "build/sealboot/sealboot.bin"
MIB = 1 << 20
ANYWHERE = 8


def image(size=4096, text_offset=0, memory=None, flags=ANYWHERE, magic=b"ARM\x64"):
    """A file that looks like an arm64 Image, with recognisable content."""
    head = struct.pack("<IIQQQQQQ4sI", 0xd503201f, 0, text_offset, size if memory is None else memory, flags,
                       0, 0, 0, magic, 0)
    body = bytes(i * 7 & 0xff for i in range(max(0, size - len(head))))
    return (head + body)[:size]


class Place:
    """A directory of input files for one test."""

    def __init__(self):
        self._directory = tempfile.TemporaryDirectory()
        self.path = self._directory.name

    def file(self, name, content):
        path = os.path.join(self.path, name)
        with open(path, "wb") as stream:
            stream.write(content)
        return path

    def out(self, name="out"):
        return os.path.join(self.path, name)

    def names(self):
        return sorted(os.listdir(self.path))


def read(path):
    with open(path, "rb") as stream:
        return stream.read()


def refuses(words, *arguments, place=None, status=1):
    """ravelin fails with `status`, says `words`, and leaves no file that was not there."""
    before = place.names() if place else None
    done = tap.run(RAVELIN, *arguments)
    tap.equal(done.status, status, done)
    tap.require(words in done.err, done)
    tap.equal(done.out, "", done)
    if place:
        tap.equal(place.names(), before, done)


def fit_property(path, node, name, kind="s"):
    return subprocess.run(["fdtget", "-t", kind, path, node, name], check=True, stdout=subprocess.PIPE).stdout


def fit_bytes(path, node):
    return bytes(int(word, 16) for word in fit_property(path, node, "data", "bx").split())


@tap.test
def host_bundle_holds_what_went_in():
    "a host bundle holds kernel, initrd and command line bit for bit"
    place = Place()
    kernel, initrd = image(70001), os.urandom(12345)
    done = tap.run(RAVELIN, "pack", "--kernel", place.file("k", kernel), "--initrd", place.file("i", initrd),
                   "--cmdline", "console=ttyAMA0 a=\"b c\"", "-o", place.out())
    tap.equal(done.status, 0, done)
    tap.equal(fit_bytes(place.out(), "/images/kernel-1"), kernel)
    tap.equal(fit_bytes(place.out(), "/images/ramdisk-1"), initrd)
    tap.equal(fit_property(place.out(), "/configurations", "default"), b"conf-1\n")
    tap.equal(fit_property(place.out(), "/configurations/conf-1", "kernel"), b"kernel-1\n")
    tap.equal(fit_property(place.out(), "/configurations/conf-1", "ramdisk"), b"ramdisk-1\n")
    tap.equal(fit_property(place.out(), "/configurations/conf-1", "bootargs"), b"console=ttyAMA0 a=\"b c\"\n")
    for name, value in (("type", b"kernel"), ("arch", b"arm64"), ("os", b"linux"), ("compression", b"none")):
        tap.equal(fit_property(place.out(), "/images/kernel-1", name), value + b"\n")


@tap.test
def host_bundle_without_initrd():
    "without initrd and command line the bundle names neither"
    place = Place()
    done = tap.run(RAVELIN, "pack", "-k", place.file("k", image()), "-o", place.out())
    tap.equal(done.status, 0, done)
    names = subprocess.run(["fdtget", "-p", place.out(), "/configurations/conf-1"], check=True,
                           stdout=subprocess.PIPE).stdout
    tap.equal(names, b"kernel\n")


@tap.test
def host_bundle_is_reproducible():
    "the same input gives the same bytes"
    place = Place()
    kernel = place.file("k", image())
    for name in ("a", "b"):
        tap.equal(tap.run(RAVELIN, "pack", "-k", kernel, "-o", place.out(name)).status, 0)
    tap.equal(read(place.out("a")), read(place.out("b")))


@tap.test
def debian_kernels_are_accepted():
    "the Debian kernels in the cache pass as whole, cut ones do not"
    place = Place()
    for series in ("6.1", "6.12", "7.2"):
        kernel = read(os.path.join(tap.CACHE, "kernels", series, "Image"))
        path = place.file("k" + series, kernel)
        done = tap.run(RAVELIN, "pack", "-k", path, "-o", place.out())
        tap.equal(done.status, 0, done)
        cut = place.file("cut", kernel[:len(kernel) - 4096])
        refuses("truncated", "pack", "-k", cut, "-o", place.out("none"), place=place)


WRONG_KERNELS = {
    "an empty file": (b"", "is empty"),
    "ten bytes": (b"0123456789", "not an arm64 Image"),
    "63 bytes of an Image": (image()[:63], "not an arm64 Image"),
    "a gzip file": (b"\x1f\x8b\x08\x00" + bytes(100), "compressed"),
    "an EFI zboot file": (b"MZ\0\0zimg" + bytes(100), "zboot"),
    "an ELF file": (b"\x7fELF" + bytes(100), "ELF"),
    "a wrong magic": (image(magic=b"ARM\x65"), "not an arm64 Image"),
    "a big-endian kernel": (image(flags=9), "big-endian"),
    "no memory size": (image(memory=0), "does not say how much memory"),
    "a damaged header": (image(memory=1 << 40), "damaged header"),
    "a PE header outside": (b"MZ" + image()[2:60] + b"\xff\xff\xff\x7f" + bytes(100), "truncated or damaged"),
}
for label, (content, message) in WRONG_KERNELS.items():
    def wrong_kernel(content=content, message=message):
        place = Place()
        path = place.file("k", content)
        refuses(message, "pack", "--kernel", path, "-o", place.out(), place=place)
        refuses(message, "pack", "--guest", "--sealboot", SEALBOOT, "-k", path, "-o", place.out(), place=place)

    tap.test(wrong_kernel, f"refuses as a kernel: {label}")


@tap.test
def huge_kernel_is_refused():
    "refuses a kernel of 3 GiB without reading it"
    place = Place()
    path = place.file("k", image())
    os.truncate(path, 3 << 30)
    refuses("larger than", "pack", "-k", path, "-o", place.out(), place=place)


@tap.test
def missing_files_are_named():
    "a missing kernel, initrd or guest loader is named"
    place = Place()
    kernel, gone = place.file("k", image()), place.out("gone")
    refuses("gone: cannot read the kernel", "pack", "-k", gone, "-o", place.out(), place=place)
    refuses("gone: cannot read the initrd", "pack", "-k", kernel, "-i", gone, "-o", place.out(), place=place)
    refuses("gone: cannot read the guest loader", "pack", "-g", "-s", gone, "-k", kernel, "-o", place.out(), place=place)
    refuses("regular file", "pack", "-k", place.path, "-o", place.out(), place=place)


@tap.test
def failed_write_leaves_nothing():
    "a write that fails leaves no partial file, and an old file as it was"
    place = Place()
    kernel = place.file("k", image(2 * MIB))
    refuses("cannot write", "pack", "-k", kernel, "-o", place.out("no/such/directory"), place=place)
    refuses("cannot write", "pack", "-k", kernel, "-o", "/dev/full", place=place)
    old = place.file("old", b"old")
    done = subprocess.run(["bash", "-c", f"trap '' XFSZ; ulimit -f 1024; exec {RAVELIN} pack -k {kernel} -o {old}"],
                          cwd=tap.TOP, check=False, stderr=subprocess.PIPE)
    tap.equal(done.returncode, 1, done)
    tap.equal(read(old), b"old")
    tap.equal(place.names(), ["k", "old"])


@tap.test
def output_may_be_a_device():
    "the output may be a pipe"
    place = Place()
    done = tap.run(RAVELIN, "pack", "-k", place.file("k", image()), "-o", "/dev/stdout")
    tap.equal(done.status, 0, done)
    tap.equal(done.out_bytes[:4], b"\xd0\x0d\xfe\xed")


PAGE = 4096
PACK_GUEST = ("pack", "--guest", "--sealboot", SEALBOOT)


def up(value, to):
    return -(-value // to) * to


@tap.test
def guest_image_is_an_image():
    "a guest image is an arm64 Image: loader first, the kernel unmodified at 2 MiB, room for all of it"
    place = Place()
    for size, memory in ((70001, 5 * MIB + 1), (5 * MIB, 3 * MIB)):
        kernel = image(size, memory=memory, flags=ANYWHERE | 2)
        done = tap.run(RAVELIN, *PACK_GUEST, "--kernel", place.file("k", kernel), "-o", place.out())
        tap.equal(done.status, 0, done)
        made = read(place.out())
        text_offset, needs, flags = struct.unpack_from("<QQQ", made, 8)
        tap.equal((text_offset, flags, made[56:60]), (0, ANYWHERE | 2, b"ARM\x64"))
        tap.equal(made[2 * MIB:], kernel)
        at_kernel, at_dtb, *others = struct.unpack_from("<QQQQQQ", made, 72)
        tap.equal(at_kernel, 2 * MIB)
        tap.equal(at_dtb % (2 * MIB), 0)
        tap.require(at_dtb >= 2 * MIB + max(size, memory), "the DTB's room begins in the kernel")
        tap.equal(needs, at_dtb + 4 * MIB)
        tap.equal(others, [0] * 4)
        loader = read(os.path.join(tap.TOP, SEALBOOT))
        tap.equal(made[120:len(loader)], loader[120:])


@tap.test
def guest_parts_lie_behind_the_kernel_s_memory():
    "initrd and command line lie behind all the kernel's memory, each once, whichever is given"
    place = Place()
    kernel, initrd, cmdline = image(70001, memory=3 * MIB + 1), os.urandom(12345), "console=hvc0 a=\"b c\""
    path, initrd_path = place.file("k", kernel), place.file("i", initrd)
    for has_initrd, has_cmdline in ((True, True), (True, False), (False, True)):
        options = ("--initrd", initrd_path) * has_initrd + ("--cmdline", cmdline) * has_cmdline
        done = tap.run(RAVELIN, *PACK_GUEST, "-k", path, *options, "-o", place.out())
        tap.equal(done.status, 0, done)
        made = read(place.out())
        at_kernel, at_dtb, at_initrd, initrd_bytes, at_cmdline, cmdline_bytes = struct.unpack_from("<6Q", made, 72)
        tap.equal(made[at_kernel:at_kernel + len(kernel)], kernel)
        bss = made[at_kernel + len(kernel):at_kernel + 3 * MIB + 1]
        tap.equal((len(bss), bss.count(0)), (3 * MIB + 1 - len(kernel),) * 2)
        end = at_kernel + 3 * MIB + 1
        if has_initrd:
            tap.equal((at_initrd, initrd_bytes), (up(end, PAGE), len(initrd)))
            tap.equal(made[at_initrd:at_initrd + initrd_bytes], initrd)
            end = at_initrd + initrd_bytes
        else:
            tap.equal((at_initrd, initrd_bytes), (0, 0))
        if has_cmdline:
            tap.equal((at_cmdline, cmdline_bytes), (up(end, PAGE), len(cmdline) + 1))
            tap.equal(made[at_cmdline:at_cmdline + cmdline_bytes], cmdline.encode() + b"\0")
            end = at_cmdline + cmdline_bytes
        else:
            tap.equal((at_cmdline, cmdline_bytes), (0, 0))
        tap.equal(len(made), up(end, PAGE))
        tap.require(at_dtb >= len(made) + PAGE, "the launch page has no room")


def signed(place, *options, kernel=None, out="out"):
    """Packs and signs a small guest; returns the image's bytes."""
    if "key" not in place.names():
        tap.equal(tap.run(RAVELIN, "keygen", "-o", place.out("key"), "-p", place.out("pub")).status, 0)
        place.file("k", kernel or image(70001, memory=3 * MIB))
        place.file("i", os.urandom(5000))
    done = tap.run(RAVELIN, *PACK_GUEST, "-k", place.out("k"), "-i", place.out("i"), "-c", "quiet", *options,
                   "-o", place.out(out))
    tap.equal(done.status, 0, done)
    return read(place.out(out))


@tap.test
def signed_guest_has_its_launch_page_behind():
    "a signed guest is the unsigned one and the launch page, within the memory that the header asks for"
    place = Place()
    made = signed(place, "--sign", place.out("key"), "--launch-out", place.out("launch"))
    tap.equal(made[-PAGE:], read(place.out("launch")))
    tap.equal(made[-PAGE:][:8], b"RVLAUNCH")
    tap.require(struct.unpack_from("<Q", made, 16)[0] >= len(made), "a VMM may put something over the launch page")
    tap.equal(made[:-PAGE], signed(place, out="unsigned"))
    tap.equal(made, signed(place, "--sign", place.out("key"), out="again"))
    tap.equal(made, signed(place, "--launch", place.out("launch"), out="with"))
    done = tap.run(RAVELIN, "verify", "--launch", place.out(), "--public", place.out("pub"))
    tap.equal(done.status, 0, done)


def inspected(place, *options, **more):
    signed(place, "--sign", place.out("key"), *options, **more)
    done = tap.run(RAVELIN, "inspect", place.out())
    tap.equal(done.status, 0, done)
    return done.out


@tap.test
def signed_guest_is_for_qemu_s_virt():
    "the image, QEMU's stub and its device tree lie where QEMU's virt puts them; a large guest moves the tree"
    place = Place()
    text = inspected(place)
    bytes_signed = len(read(place.out())) - PAGE
    for line in ("entry:      0x40200000", f"image:      0x40200000, {bytes_signed} bytes",
                 "parameters: 0x40000000, 4096 bytes", "parameters: 0x48000000, 2097152 bytes",
                 "snapshots:  forbidden", "vcpus-max:  64"):
        tap.require(line in text, text)
    large = Place()
    text = inspected(large, kernel=image(70001, memory=130 * MIB))
    needs = struct.unpack_from("<Q", read(large.out()), 16)[0]
    tap.require(f"parameters: {0x40200000 + needs:#x}, 2097152 bytes" in text, text)


@tap.test
def qemu_puts_its_tree_into_the_parameters():
    "QEMU puts its device tree where the signature allows it, for small and large guests and machines"
    for memory, ram in ((3 * MIB, "256"), (3 * MIB, "1024"), (130 * MIB, "512")):
        place = Place()
        text = inspected(place, kernel=image(70001, memory=memory))
        with subprocess.Popen(["qemu-system-aarch64", "-M", "virt,gic-version=3", "-cpu", "neoverse-n1", "-m", ram, "-S",
                               "-net", "none", "-display", "none", "-serial", "null", "-monitor", "stdio", "-kernel",
                               place.out()], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as qemu:
            shown = qemu.communicate(b"info roms\nquit\n", timeout=60)[0].decode()
        places = {name: (int(base, 16), int(size, 16))
                  for base, size, name in re.findall(r'addr=(\w+) size=(\w+) mem=ram name="(.*?)"', shown)}
        ranges = [(int(base, 16), int(size)) for base, size in re.findall(r"parameters: (\w+), (\d+)", text)]
        for name in ("bootloader", "dtb"):
            base, size = places[name]
            tap.require(any(gpa <= base and base + size <= gpa + most for gpa, most in ranges), shown + text)
        tap.equal(places[place.out()], (0x40200000, len(read(place.out()))))


@tap.test
def owner_sets_policy():
    "parameters, vCPUs and snapshots are the owner's to say"
    place = Place()
    text = inspected(place, "--parameters", "0x41000000:4K", "--vcpus-max", "3", "--snapshots")
    for line in ("parameters: 0x41000000, 4096 bytes", "snapshots:  allowed", "vcpus-max:  3"):
        tap.require(line in text, text)
    tap.equal(text.count("parameters:"), 1)


@tap.test
def foreign_launch_page_is_refused():
    "a launch page that was made from other bytes, or is damaged, is refused"
    place = Place()
    signed(place, "--sign", place.out("key"), "--launch-out", place.out("launch"))
    parts = (*PACK_GUEST, "-k", place.out("k"), "-i", place.out("i"))
    refuses("not the bytes that the owner signed", *parts, "-c", "loud ", "--launch", place.out("launch"), "-o",
            place.out("new"), place=place)
    launch = bytearray(read(place.out("launch")))
    launch[500] ^= 1
    refuses("the signature is not the owner's", *parts, "-c", "quiet", "--launch", place.file("bad", bytes(launch)), "-o",
            place.out("new"), place=place)
    refuses("no launch page", *parts, "-c", "quiet", "--launch", place.out("i"), "-o", place.out("new"), place=place)


@tap.test
def overlong_command_line_is_refused():
    "a command line that Linux would cut is refused"
    place = Place()
    kernel = place.file("k", image())
    refuses("longer than the kernel takes", *PACK_GUEST, "-k", kernel, "-c", "x" * 2048, "-o", place.out(), place=place)
    tap.equal(tap.run(RAVELIN, *PACK_GUEST, "-k", kernel, "-c", "x" * 2047, "-o", place.out()).status, 0)


@tap.test
def guest_kernel_keeps_its_text_offset():
    "a kernel with a text offset lies that far behind a 2 MiB boundary"
    place = Place()
    kernel = image(text_offset=0x80000)
    done = tap.run(RAVELIN, "pack", "-g", "-s", SEALBOOT, "-k", place.file("k", kernel), "-o", place.out())
    tap.equal(done.status, 0, done)
    tap.equal(read(place.out())[2 * MIB + 0x80000:], kernel)


@tap.test
def wrong_loader_is_refused():
    "refuses a guest loader that is none, and a kernel that cannot be moved"
    place = Place()
    kernel = place.file("k", image())
    refuses("not the guest loader", "pack", "-g", "-s", kernel, "-k", kernel, "-o", place.out(), place=place)
    fixed = place.file("f", image(flags=0))
    refuses("start of RAM", "pack", "-g", "-s", SEALBOOT, "-k", fixed, "-o", place.out(), place=place)


@tap.test
def wrong_usage_is_status_2():
    "wrong usage gives status 2 and points to --help"
    place = Place()
    kernel = place.file("k", image())
    out = ("-o", place.out())
    for words, arguments in (
            ("a command is missing", ()), ("unknown command 'frob'", ("frob",)),
            ("--kernel is missing", ("pack", *out)), ("--output is missing", ("pack", "-k", kernel)),
            ("--guest needs --sealboot", ("pack", "-g", "-k", kernel, *out)),
            ("only with --guest", ("pack", "-s", SEALBOOT, "-k", kernel, *out)),
            ("only with --guest", ("pack", "--sign", "key", "-k", kernel, *out)),
            ("only with --guest", ("pack", "--launch", "page", "-k", kernel, *out)),
            ("do not go together", (*PACK_GUEST, "-k", kernel, "--sign", "key", "--launch", "page", *out)),
            ("only with --sign", (*PACK_GUEST, "-k", kernel, "--snapshots", *out)),
            ("only with --sign", (*PACK_GUEST, "-k", kernel, "--launch", "page", "--vcpus-max", "1", *out)),
            ("not a number of vCPUs", (*PACK_GUEST, "-k", kernel, "--sign", "key", "--vcpus-max", "65", *out)),
            ("not GPA:BYTES", (*PACK_GUEST, "-k", kernel, "--sign", "key", "--parameters", "4096", *out)),
            ("unexpected argument 'x'", ("pack", "-k", kernel, *out, "x")), ("--frob", ("pack", "--frob"))):
        refuses(words, *arguments, place=place, status=2)
        refuses("--help", *arguments, place=place, status=2)


@tap.test
def help_and_version():
    "--help and --version work for every command, and notice a full disk"
    for command in ((), ("pack",), ("keygen",), ("sign",), ("verify",), ("inspect",), ("version",), ("status",), ("log",)):
        for option in ("--help", "--version"):
            done = tap.run(RAVELIN, *command, option)
            tap.equal(done.status, 0, done)
            tap.require(done.out and not done.err, done)
    with open("/dev/full", "wb") as full:
        done = subprocess.run([RAVELIN, "--help"], cwd=tap.TOP, check=False, stdout=full, stderr=subprocess.DEVNULL)
    tap.equal(done.returncode, 1)


tap.main()
