#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Snapshots from one VMM to the next: stock QEMU, stock Debian kernel. The guest sleeps on each of its CPUs in turn and
counts: it goes on only with its registers, its memory, its timers and their interrupts."""

import os
import tempfile

import tap

# In the host.
PROLOGUE = r"""
counted() { tr -d '\r' </run/guests/$1/serial.log | grep "^count " | sed -n "$2"; }
reaches() {  # $1 counts to $2 or further
    for i in $(seq 150); do
        [ "$(counted $1 '$p' | cut -d' ' -f2)" -ge $2 ] 2>/dev/null && return 0
        sleep 1
    done
    echo "$1 does not reach $2:"; tail -n 5 /run/guests/$1/serial.log /run/guests/$1/qemu.log; dmesg | tail -n 5; exit 9
}
"""
START = r"""
init='n=0; while :; do for c in 1 2; do busybox taskset $c busybox sleep 0.2; done; n=$((n+1)); echo count $n; done'
guest start counter --bare --append "rdinit=/bin/sh -- -c \"$init\"" >/dev/null 2>&1 || exit 1
reaches counter 3
"""


@tap.test
def goes_on():
    "a guest is saved, its VMM ends, and it goes on in another one, in two, and again after being saved again"
    done = tap.machine("--kernel", "6.12", "--cmd", PROLOGUE + START + r"""
        guest save counter /tmp/snapshot | sed 's/;.*//; s/[0-9]* pages/N pages/' || exit 2
        guest list | grep counter
        guest restore again /tmp/snapshot >/dev/null || exit 3
        first=$(counted again 1p | cut -d' ' -f2)
        reaches again $((first + 3))
        first=$(counted again 1p | cut -d' ' -f2)
        [ $first -ge 4 ] && echo "goes on"
        counted again p | cut -d' ' -f2 | while read -r n; do [ $n = $first ] || echo "$n, not $first"; first=$((n + 1)); done
        guest restore copy /tmp/snapshot >/dev/null || exit 4
        reaches copy $((first + 2))
        [ "$(counted copy 1p)" = "$(counted again 1p)" ] && echo "from the same point"
        guest save again /tmp/later >/dev/null && guest restore later /tmp/later >/dev/null || exit 5
        reaches later $((first + 5)); echo "and on"
        guest stop later; guest stop copy; ravelin status | grep VMs:""", limit=600)
    tap.equal(done.status, 0, done)
    tap.equal(done.out.splitlines(), ["/tmp/snapshot: 2 vCPUs, 256 MiB of RAM, N pages in use", "goes on",
                                      "from the same point", "and on", "VMs:             0, with 0 vCPUs"], done)


@tap.test
def refusals():
    "refused, said why, and nothing runs: a guest that runs, a bent file, half a file, a VM of another size, a VM that runs"
    done = tap.machine("--kernel", "6.1", "--cmd", PROLOGUE + START + r"""
        ravelin save --pid $(guest pid counter) -o /tmp/none 2>&1 | sed 's/[0-9][0-9]*/N/'; ls /tmp/none* 2>/dev/null
        reaches counter 5
        guest save counter /tmp/snapshot >/dev/null || exit 2
        size=$(stat -c %s /tmp/snapshot)
        cp /tmp/snapshot /tmp/bent
        printf XXXXXXXX | dd of=/tmp/bent bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
        head -c $((size / 2)) /tmp/snapshot >/tmp/half
        for file in bent half; do
            guest restore $file /tmp/$file; echo $?
        done 2>&1
        guest restore small /tmp/snapshot --cpus 1 2>&1 | sed 's/process [0-9]*/process N/'
        guest list | grep -c running
        guest restore whole /tmp/snapshot >/dev/null || exit 3
        ravelin restore --pid $(guest pid whole) /tmp/snapshot 2>&1 | sed 's/process [0-9]*/process N/'
        reaches whole 7; echo "goes on"; guest stop whole; ravelin status | grep VMs:""", limit=600)
    tap.equal(done.status, 0, done)
    tap.equal(done.out.splitlines(), [
        "ravelin: the guest of process N runs: stop it first (in QEMU's monitor: stop)",
        "ravelin: /tmp/bent: refused: changed since it was saved, or saved by a machine with another root secret", "1",
        "ravelin: /tmp/half: incomplete: its end is missing", "1",
        "ravelin: /tmp/snapshot: does not fit the VM of process N: it must have the same machine, RAM and CPUs as the saved"
        " one, 2 vCPUs here", "0",
        "ravelin: process N runs a guest already: start QEMU with -S", "goes on", "VMs:             0, with 0 vCPUs"], done)


def on_machine(directory, secret, commands):
    """The host's output, on a machine with this root secret and a disk that outlives it."""
    done = tap.machine("--kernel", "6.12", "--root-secret", os.path.join(directory, secret), "--cmd", PROLOGUE + commands,
                       "--", "-drive", f"if=none,id=d,format=raw,file={directory}/disk",
                       "-device", "virtio-blk-pci,drive=d", limit=500)
    tap.equal(done.status, 0, done)
    return done.out


@tap.test
def after_a_reboot():
    "a snapshot opens on another machine with the same root secret, and on none with another one"
    with tempfile.TemporaryDirectory() as directory:
        for name in ("secret", "other"):
            with open(os.path.join(directory, name), "wb") as stream:
                stream.write(os.urandom(32))
        with open(os.path.join(directory, "disk"), "wb") as stream:
            stream.truncate(512 << 20)
        size = on_machine(directory, "secret", START + r"""
            guest save counter /tmp/snapshot >/dev/null || exit 2
            cat /tmp/snapshot >/dev/vda; sync; stat -c %s /tmp/snapshot""")
        take = f"head -c {int(size)} /dev/vda >/tmp/snapshot; guest restore it /tmp/snapshot"
        tap.equal(on_machine(directory, "other", take + " 2>&1; guest list | grep -c it; true"), "ravelin: /tmp/snapshot: refused: "
                  "changed since it was saved, or saved by a machine with another root secret\n0\n")
        tap.equal(on_machine(directory, "secret", take + " >/dev/null || exit 3; reaches it 6; echo goes on"), "goes on\n")


tap.main()
