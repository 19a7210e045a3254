#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""./machine itself: options, exit statuses, files, time limit, and that it says what went wrong."""

import os
import signal
import subprocess
import tempfile
import time

import tap

NATIVE = ("--no-corevisor", "el1", "--lean")


def refused(arguments, text, status=2):
    done = tap.run("./machine", *arguments, limit=20)
    tap.equal(done.status, status, done)
    tap.require(text in done.err, done)
    tap.equal(done.out, "", done)


for words, reason in (
        (["--nonsense"], "unrecognized arguments: --nonsense"),
        (["stray"], "unrecognized arguments: stray"),
        (["--smp", "0"], "'0' is not a positive number"),
        (["--smp", "two"], "'two' is not a positive number"),
        (["--mem", "512M"], "the least is 1G"),
        (["--mem", "lots"], "is not a size"),
        (["--time-limit", "-1"], "is not a positive number"),
        (["--time-limit", "nan"], "is not a positive number"),
        (["--no-corevisor=el3"], "invalid choice: 'el3'"),
        (["--cmd"], "expected one argument"),
        (["--cmd", "true", "--first", "true"], "exclude each other"),
        (["--cmd", "true", "--initrd", "none"], "they need our own initramfs"),
):
    tap.test(lambda words=words, reason=reason: refused(words, reason), f"usage error: {' '.join(words)}")

for words, reason in (
        (["--kernel", "5.10"], "5.10 is missing: --kernel wants"),
        ([*NATIVE, "--file", "/does/not/exist"], "/does/not/exist is missing: --file wants"),
        (["--lean", "--initrd", "none", "--root-secret", "/no/such/file"], "--root-secret wants a file of 32 bytes"),
        (["--lean", "--initrd", "none", "--root-secret", "machine"], "--root-secret wants 32"),
        (["--lean", "--corevisor", "/no/such/image"], "/no/such/image is missing: run 'make all'"),
        ([*NATIVE, "--log", "/no/such/directory/log"], "/no/such/directory/log"),
):
    tap.test(lambda words=words, reason=reason: refused(words, reason, 125), f"named cause: {' '.join(words[-2:])}")


@tap.test
def help_names_every_option():
    "--help names every option"
    done = tap.run("./machine", "--help")
    tap.equal(done.status, 0)
    for option in ("--cmd", "--kernel", "--cpu", "--smp", "--mem", "--append", "--file", "--icount", "--no-corevisor",
                   "--root-secret", "--time-limit", "--log", "--gdb", "-- QEMU_ARGUMENT"):
        tap.require(option in done.out, f"{option} is not in the help text")


@tap.test
def a_missing_cache_is_named():
    "without set-up the message says `make setup`"
    done = tap.run("./machine", *NATIVE, env=dict(os.environ, RAVELIN_CACHE="/nonexistent"))
    tap.equal(done.status, 125, done)
    tap.require("run 'make setup'" in done.err, done)


@tap.test
def output_and_status_are_the_commands():
    "--cmd prints the command's output alone, byte for byte, and returns its status"
    done = tap.machine(*NATIVE, "--cmd", r"printf 'a\r\n\000\001\377end'; echo to stderr >&2; echo x >/dev/console; exit 42")
    tap.equal(done.status, 42, done)
    tap.equal(done.out_bytes, b"a\r\n\x00\x01\xffendto stderr\n")
    tap.equal(done.err, "")


@tap.test
def much_output_arrives_whole():
    "--cmd passes a megabyte unharmed"
    done = tap.machine(*NATIVE, "--cmd", "yes 0123456789abcde | head -c 1048576 | tee /tmp/x; sha256sum </tmp/x")
    tap.equal(done.status, 0, done.err)
    tap.equal(done.out[:1 << 20], "0123456789abcde\n" * 65536)
    tap.require(len(done.out) > 1 << 20)


@tap.test
def files_appear():
    "--file puts files and directories under /files/, executable bits kept; --append and -- arguments arrive"
    with tempfile.TemporaryDirectory() as place:
        os.mkdir(os.path.join(place, "sub"))
        with open(os.path.join(place, "sub", "data"), "wb") as stream:
            stream.write(bytes(range(256)))
        script = os.path.join(place, "script")
        with open(script, "w", encoding="utf-8") as stream:
            stream.write("#!/bin/sh\nsha256sum </files/sub/data\n")
        os.chmod(script, 0o755)
        done = tap.machine(*NATIVE, "--file", script, "--file", os.path.join(place, "sub"), "--append", "marker=1",
                           "--cmd", "/files/script; grep -o marker=1 /proc/cmdline; ls /sys/class/nvme",
                           "--", "-drive", "if=none,id=d,driver=null-co,size=1M", "-device", "nvme,drive=d,serial=1")
    tap.equal(done.status, 0, done)
    tap.equal(done.out, "40aff2e9d2d8922e47afd4648e6967497158785fbd1da870e7110266bf944880  -\nmarker=1\nnvme0\n")


@tap.test
def the_time_limit_holds():
    "--time-limit stops the machine, status 124, and shows the console's last lines; --log has all of it"
    with tempfile.NamedTemporaryFile() as log:
        started = time.monotonic()
        done = tap.machine(*NATIVE, "--time-limit", "8", "--log", log.name, "--cmd", "echo begun; sleep 1000")
        tap.require(time.monotonic() - started < 20, "it took too long")
        text = log.read().decode(errors="replace")
    tap.equal(done.status, 124, done)
    tap.equal(done.out, "begun\n", done)
    tap.require("the time limit is over" in done.err and "last lines" in done.err, done)
    tap.require("Linux version 6.1" in text and "Run /init" in text, text)


@tap.test
def a_kernel_panic_is_reported():
    "a kernel panic ends the run at once with its line"
    done = tap.machine(*NATIVE, "--cmd", "echo before; echo c >/proc/sysrq-trigger; sleep 1000")
    tap.equal(done.status, 125, done)
    tap.equal(done.out, "before\n")
    tap.require("machine: Kernel panic - not syncing: sysrq triggered crash" in done.err, done)


@tap.test
def a_stop_is_reported():
    "a machine that stops before its command ends is an error"
    done = tap.machine(*NATIVE, "--cmd", "poweroff -f")
    tap.equal(done.status, 125, done)
    tap.require("the machine stopped before the command ended" in done.err, done)


@tap.test
def a_refusing_qemu_is_reported():
    "QEMU's own complaint is passed on"
    done = tap.machine(*NATIVE, "--cmd", "true", "--cpu", "z80")
    tap.equal(done.status, 125, done)
    tap.require("z80" in done.err, done)


def qemu_of(pid):
    """PIDs of the children of `pid`."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as stream:
        return [int(word) for word in stream.read().split()]


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stream:
            return stream.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def dies_with(number):
    # Who starts the tests in the background leaves SIGINT ignored, and every child with it.
    program = subprocess.Popen(["./machine", *NATIVE, "--cmd", "sleep 1000"], cwd=tap.TOP, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    try:
        deadline = time.monotonic() + 10
        while not qemu_of(program.pid) and time.monotonic() < deadline:
            time.sleep(0.1)
        children = qemu_of(program.pid)
        tap.require(children, "QEMU did not start")
        program.send_signal(number)
        program.wait(timeout=10)
        deadline = time.monotonic() + 10
        while any(map(is_alive, children)) and time.monotonic() < deadline:
            time.sleep(0.1)
        tap.require(not any(map(is_alive, children)), "QEMU outlived the program")
    finally:
        program.kill()
        program.wait()


for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
    tap.test(lambda signum=signum: dies_with(signum), f"QEMU ends with the program on {signum.name}")


@tap.test
def the_console_takes_input():
    "without --cmd the console reads standard input, shows the shell's answers and ends with the input"
    with tempfile.TemporaryFile() as typed:
        typed.write(b"echo $((6 * 7)) on $(nproc) CPUs\n")
        typed.seek(0)
        done = subprocess.run(["./machine", *NATIVE, "--smp", "2", "--time-limit", "60"], cwd=tap.TOP, stdin=typed,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=90, check=False)
    tap.require(b"42 on 2 CPUs" in done.stdout, done)
    tap.equal(done.returncode, 0, done.stderr)


tap.main()
