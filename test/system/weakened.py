#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The hostile images against corevisors that each lack one protection, built from a changed copy of the sources: an attack
that still "passes" tests nothing. Each must end in the failure that its protection is there to prevent."""

import os
import re
import shutil
import subprocess

import attack
import tap
from outside import Lost

DIRECTORY = os.path.join(tap.TOP, "build", "weakened")


def build(name, changes):
    """Copies sources and objects to build/weakened/<name>, makes each change (file, text, replacement), builds."""
    top = os.path.join(DIRECTORY, name)
    shutil.rmtree(top, ignore_errors=True)
    for part in ("corevisor", "include", "build/corevisor"):
        shutil.copytree(os.path.join(tap.TOP, part), os.path.join(top, part))
    os.makedirs(os.path.join(top, "mk"))
    for part in ("Makefile", "mk/corevisor.mk"):
        shutil.copy2(os.path.join(tap.TOP, part), os.path.join(top, part))
    for path, text, replacement in changes:
        path = os.path.join(top, path)
        with open(path, encoding="utf-8") as stream:
            source = stream.read()
        tap.equal(source.count(text), 1, f"{path} no longer holds, once:\n{text}")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(source.replace(text, replacement))
    # A variable or function that nobody uses any more is what a removed protection leaves.
    done = tap.run("make", "-s", "-C", top, "build/corevisor/corevisor.img", "V=1", limit=300,
                   env={**os.environ, "MAKEFLAGS": ""})
    tap.equal(done.status, 0, done)
    return attack.Corevisor(os.path.join("build", "weakened", name, "build", "corevisor"))


def weakened(name, image, message, changes, cmdline="", inspect=None):
    corevisor = build(name, changes)
    try:
        text = attack.run(image, cmdline=cmdline, corevisor=corevisor, inspect=inspect).text
    except Lost:
        raise
    except AssertionError as error:
        text = str(error)
    tap.require(re.search(message, text), f"nobody noticed; the last words were\n{text[-2000:]}")
    shutil.rmtree(os.path.join(DIRECTORY, name))


CORE = "corevisor/core/"
ARM64 = "corevisor/arch/arm64/"

WEAKENED = {
    "the carve-out stays in the host's stage 2": (
        "hostile_access", "maps 0x[0-9a-f]+, the corevisor's",
        [(CORE + "mem.c", "void mem_boot_take_core(pa_t base, u64 bytes)\n{\n\thost_map_boot_set(base, bytes, NULL);",
          "void mem_boot_take_core(pa_t base, u64 bytes)\n{")]),
    "the info pages are writable": (
        "hostile_info", "FAIL info: store|is not read-only",
        [(CORE + "mem.c", "read_only = S2_NORMAL_RO", "read_only = S2_NORMAL_RWX")]),
    "SMC is not trapped": (
        "hostile_psci", "FAIL psci: ",
        [(ARM64 + "include/arm64/sysreg.h", "HCR_PTW | HCR_TSC |", "HCR_PTW |")]),
    "CPU_ON's entry point is not checked": (
        "hostile_psci", "FAIL psci: CPU_ON with entry 0x[0-9a-f]+ in the corevisor: 0",
        [(CORE + "host_psci.c", "if (!entry_is_host(x[2])) {", "if (!entry_is_host(x[2]) && x[2] % 4 != 0) {")]),
    "the stub's HVCs are answered": (
        "hostile_stub_hvc", "FAIL stub_hvc: HVC 0 .*not refused",
        [(CORE + "hcall.c", "if (id == RV_HVC_UID) {", "if (id < 6) {\n\t\tregs->x[0] = 0;\n\t\treturn;\n\t}\n"
          "\tif (id == RV_HVC_UID) {")]),
    "a forbidden write is skipped instead of refused": (
        "hostile_access", "FAIL access: store .*no fault",
        [(CORE + "host_fault.c", "\tinject(regs, el1_esr, far);",
          "\tif (!is_fetch && (esr & ESR_WNR) != 0) {\n\t\tregs->pc += 4;\n\t} else {\n\t\tinject(regs, el1_esr, far);\n\t}")]),
    "EL2 may write its own constants": (
        "hostile_stub_hvc", "EL2's right to write 0x[0-9a-f]+",
        [("corevisor/include/cv/pte.h", "#define S1_BITS_RODATA (S1_BITS_TEXT | S1_XN)", "#define S1_BITS_RODATA S1_BITS_DATA")]),
    "a donated page stays in the host's stage 2": (
        "host_vm", "FAIL vm: page [0-9]+ of the protected VM is readable",
        [(CORE + "mem.c", "\tif (wish == S2_WISH_PRIVATE) {\n\t\thost_map_remove(pfn, 3);\n\t}\n", "")]),
    "an image's digest is not compared": (
        "host_boot", "FAIL boot: a bit of the image: VM_VERIFY gives 0",
        [(CORE + "image.c", "return crypto_equal(hash, wanted->hash, sizeof(hash));", "return true;")]),
    "the signature is not checked": (
        "host_boot", "FAIL boot: a bit of the signature: VM_VERIFY gives 0",
        [(CORE + "image.c", "\t    !crypto_verify(launch->curve, launch->public_key, launch->signature, launch->manifest,\n"
          "\t\t\t   launch->manifest_bytes) ||\n", "")]),
    "any owner's key will do": (
        "host_boot", "FAIL boot: another owner's image: VM_VERIFY gives 0",
        [(CORE + "image.c", "if (!crypto_equal(owner, vm->owner_key, sizeof(owner)) ||", "if (")]),
    "images may be added that nobody signed": (
        "host_boot", "FAIL boot: an image that nobody signed: VM_VERIFY gives 0",
        [(CORE + "image.c", "} else if (!is_parameter(", "} else if (found > RV_IMAGES_MAX && !is_parameter(")]),
    "reclaimed pages are not scrubbed": (
        "host_vm", "came back with content",
        [(CORE + "mem.c", "\t\tmem_scrub_pages(first, pages);\n", "\t\t(void)pages;\n")]),
    "a block stays in the host's stage 2": (
        "host_share", "FAIL share_host: a page of a protected VM's block is readable",
        [(CORE + "mem_block.c", "\thost_map_remove(pfn, BLOCK_LEVEL);\n", "")]),
    "a page keeps its content when the guest shares it": (
        "host_share", "FAIL share_host: shared: word|FAIL share: after sharing",
        [(CORE + "mem.c", "\tmem_scrub_pages(first, s2_leaf_pages(leaf->level));\n", "")]),
    "a guest may use the host's calls": (
        "host_guests", "FAIL attack: the host's call 0xc6000100 is answered",
        [(CORE + "guest_smccc.c", "\tcase RV_HVC_UID:", "\tcase RV_VERSION:\n\t\treturn 0;\n\tcase RV_HVC_UID:")]),
    "SYSTEM_OFF does not scrub": (
        "hostile_power", "still hold something after the machine's end",
        [(CORE + "host_psci.c", "\tvm_scrub_all();\n", "")], "off", attack.check_scrubbed),
}

def main():
    for title, entry in WEAKENED.items():
        def one(title=title, entry=entry):
            weakened(re.sub(r"\W+", "-", title), *entry)

        tap.test(one, f"noticed: {title}")
    tap.main()


if __name__ == "__main__":  # test/system/demo.py uses build() and WEAKENED
    main()
