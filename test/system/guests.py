#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Guests above the corevisor: stock QEMU, stock Debian kernel. A start lasts 46 s on two cores of its own, four times
that beside proofs and two more machines: the limit of 480 s is for what hangs."""

import tap

HOSTS = (("6.1", "neoverse-n1"), ("6.12", "neoverse-n1"), ("6.12", "max"))

# In the guest: what it is, that the realm interface was found, that the block device keeps what is written to it.
LOOK = """
uname -r; nproc
dmesg | grep -o 'RME: Using RSI version.*'
dd if=/dev/urandom of=/tmp/a bs=64k count=16 2>/dev/null
dd if=/tmp/a of=/dev/vda bs=64k conv=fsync 2>/dev/null; echo 3 >/proc/sys/vm/drop_caches
dd if=/dev/vda bs=64k count=16 2>/dev/null | cmp - /tmp/a && echo disk-keeps
! dmesg | grep -iE 'oops|BUG:|WARNING:|Unable to handle|rcu.*stall'
"""


def answers(kernel, cpu, kind):
    done = tap.machine("--kernel", kernel, "--cpu", cpu, "--cmd", f"""
        guest start {kind} --wait --wait-limit 480 >/dev/null || {{ ravelin status; exit 1; }}
        guest exec {kind} "$(cat <<'EOF'\n{LOOK}\nEOF\n)" || exit 2
        guest exec {kind} 'exit 9'; echo $?
        guest stop {kind} && guest list""", limit=900)
    tap.equal(done.status, 0, done)
    lines = done.out.splitlines()
    tap.require(lines[0].startswith("7.2."), done)
    realm = ["RME: Using RSI version 1.0"] if kind == "protected" else []
    tap.equal(lines[1:-2], ["2", *realm, "disk-keeps"], done)
    tap.equal(lines[-2], "9", done)
    tap.require(lines[-1].startswith("NAME "), done)


for host in HOSTS:
    tap.test(lambda host=host: answers(*host, "protected"), "a protected guest answers on host {} ({})".format(*host))
tap.test(lambda: answers("6.1", "neoverse-n1", "open"), "an open guest answers on host 6.1 (neoverse-n1)")


@tap.test
def what_is_not_signed_is_refused():
    "refused, with the reason: an unsigned kernel, a changed image, one without its end; then the signed one starts"
    done = tap.machine("--kernel", "6.12", "--cmd", """
        image=/run/guest-images/protected
        refused() {
            guest start bad --kind protected --wait --wait-limit 480 --raw "$1" 2>&1 >/dev/null |
                sed -n 's/.*kvm run failed //p; s/.*hostvisor: a protected VM is refused, \\([^;]*\\);.*/\\1/p'
            guest list | grep bad
        }
        guest start protected --wait --wait-limit 480 >/dev/null && guest stop protected || exit 1
        refused /guest/Image-7.2
        size=$(stat -c %s $image)
        # In the initramfs, which the last MiB of the image is.
        printf 'something else' | dd of=$image bs=1 seek=$((size - 1000000)) conv=notrunc 2>/dev/null
        refused $image
        rm $image; guest start protected >/dev/null; guest stop protected
        truncate -s $((size - 4096)) $image; refused $image
        rm $image
        guest start protected --wait --wait-limit 480 >/dev/null && guest exec protected echo up""", limit=900)
    tap.equal(done.status, 0, done)
    missing = ["Required key not available", "there is no signed image in its memory"]
    tap.equal(done.out.splitlines(), [*missing, "Key was rejected by service",
                                      "its image is not what the owner signed: changed, or another's key", *missing,
                                      "up"], done)


@tap.test
def own_images():
    "an image of one's own: another command line, signed in the host or with a key; QEMU's -append does nothing"
    done = tap.machine("--kernel", "6.12", "--cmd", """
        start() { guest start own --kind protected --wait --wait-limit 480 "$@" 2>&1 >/dev/null || exit 1; }
        look() { guest exec own cat /proc/cmdline; guest stop own; }
        start --append is=ours; look
        ravelin keygen -o /run/owner.pem >/dev/null
        start --sign /run/owner.pem -- -append is=theirs; look""", limit=900)
    tap.equal(done.status, 0, done)
    usual = "console=ttyAMA0 console=hvc0 quiet"
    tap.equal(done.out.splitlines(), ["guest: 'own' is signed here, with a key of this host: for trying out only",
                                      usual + " is=ours", usual], done)


@tap.test
def reset():
    "a protected guest resets itself and starts from its image anew"
    done = tap.machine("--kernel", "6.1", "--cmd", """
        guest start protected --wait --wait-limit 480 >/dev/null || exit 1
        guest exec protected 'touch /run/before; (sleep 1; reboot -f) >/dev/null 2>&1 &'
        sleep 5
        timeout 480 guest exec protected 'ls /run; echo again'
        grep -c 'is up on' /run/guests/protected/console.log; guest list | grep -c running""", limit=900)
    tap.equal(done.status, 0, done)
    tap.require("before" not in done.out, done)
    tap.equal(done.out.splitlines()[-3:], ["again", "2", "1"], done)


@tap.test
def three_at_once():
    "two protected guests and an open one run at once"
    done = tap.machine("--kernel", "6.12", "--cmd", """
        guest start protected --cpus 4 >/dev/null && guest start second --cpus 2 >/dev/null &&
        guest start open --cpus 4 >/dev/null || exit 1
        for name in protected second open; do
            timeout 480 guest exec $name 'nproc; echo x | sha256sum' || exit 1
        done
        guest list | grep -c running""", limit=900)
    tap.equal(done.status, 0, done)
    numbers = [line for line in done.out.splitlines() if not line.startswith("73cb3858")]
    tap.equal(numbers, ["4", "2", "4", "3"], done)


@tap.test
def memory_comes_back():
    "memory comes back when guests are stopped or killed"
    done = tap.machine("--kernel", "6.1", "--cmd", """
        available() { sed -n 's/MemAvailable: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo; }
        guest start protected --wait --wait-limit 480 >/dev/null && guest stop protected || exit 1
        before=$(available)
        for round in 1 2 3; do
            guest start protected --wait --wait-limit 480 >/dev/null || exit 1
            [ $round -ne 2 ] || kill -9 $(cat /run/guests/protected/pid)
            guest stop protected || exit 1
        done
        echo $((before - $(available)))""", limit=900)
    tap.equal(done.status, 0, done)
    tap.require(int(done.out) < 8192, f"{done.out.strip()} KiB are lost after three guests")


tap.main()
