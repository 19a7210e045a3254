# SPDX-License-Identifier: BSD-3-Clause
"""What a Python suite needs: TAP on standard output, and ./machine.

    @tap.test
    def one_cpu_boots():
        "host 6.1 boots on one CPU"              # the test's name; default: the function's
        done = tap.machine("--smp", "1", "--cmd", "nproc")
        tap.equal(done.status, 0, done)
        tap.equal(done.out, "1\\n")

    tap.main()
"""

import os
import subprocess
import sys
import traceback

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
CACHE = os.environ.get("RAVELIN_CACHE") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "ravelin")

_tests = []


class Skip(Exception):
    """Raised by a test that cannot run here; its text says why."""


class Done:
    """What a finished program left: status, out, err (text) and out_bytes."""

    def __init__(self, command, status, out, err):
        self.command = command
        self.status = status
        self.out_bytes = out
        self.out = out.decode(errors="replace")
        self.err = err.decode(errors="replace")

    def __str__(self):
        return f"$ {' '.join(self.command)}\nstatus {self.status}\n{self.out}{self.err}"


def test(function, name=None):
    """Registers a test; use as a decorator, or as test(function, "name") for one made by a loop."""
    _tests.append((name or function.__doc__ or function.__name__.replace("_", " "), function))
    return function


def run(*command, limit=120, **options):
    """Runs a program from the top of the tree; past `limit` seconds the test fails."""
    done = subprocess.run(command, cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=limit, check=False, **options)
    return Done(command, done.returncode, done.stdout, done.stderr)


def machine(*arguments, limit=90):
    """Runs ./machine with a time limit of its own, so that a hang shows what the console said last. What follows
    "--" in `arguments` goes to QEMU, as on the command line."""
    split = arguments.index("--") if "--" in arguments else len(arguments)
    options = list(arguments[:split])
    if "--time-limit" not in options:
        options += ["--time-limit", str(limit)]
    return run("./machine", *options, *arguments[split:], limit=limit + 30)


def require(condition, message=""):
    """Fails the test unless `condition`; `message` (any object) is printed."""
    if not condition:
        raise AssertionError(str(message))


def equal(actual, expected, context=""):
    require(actual == expected, f"is {actual!r}, not {expected!r}\n{context}")


def main():
    """Runs the registered tests, those named in sys.argv if any; the exit status is 1 if one failed."""
    chosen = [entry for entry in _tests if not sys.argv[1:] or any(word in entry[0] for word in sys.argv[1:])]
    print(f"1..{len(chosen)}")
    failed = 0
    for number, (name, function) in enumerate(chosen, 1):
        try:
            function()
            result, detail = f"ok {number} - {name}", ""
        except Skip as reason:
            result, detail = f"ok {number} - {name} # SKIP {reason}", ""
        except AssertionError as error:
            result, detail = f"not ok {number} - {name}", str(error)
        except Exception:  # a broken test is a failed one, the others still run
            result, detail = f"not ok {number} - {name}", traceback.format_exc()
        failed += result.startswith("not ok")
        print(result)
        for line in detail.splitlines():
            print(f"# {line}")
        sys.stdout.flush()
    sys.exit(1 if failed else 0)
