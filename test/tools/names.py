# SPDX-License-Identifier: BSD-3-Clause
"""What documents may name of the tests, and whether it is there: a suite of test/suites, a harness proof_*, an image of
test/guest, a fuzz target, an example T1 to T24, an invariant of spec/, a test source or a function that it defines. A
source counts only if a suite builds or runs it: make itself is asked what the suites' programs are made of."""

import functools
import glob
import os
import re
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))


def text(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return file.read()


def files(pattern):
    return sorted(os.path.relpath(name, TOP) for name in glob.glob(os.path.join(TOP, pattern)))


@functools.cache
def suites():
    """The command of each suite, by name."""
    lines = [line.split(None, 4) for line in text("test/suites").splitlines() if line and line[0] != "#"]
    return {name: command for name, _, _, _, command in lines}


@functools.cache
def scripts():
    """What the suites run of test/, and what Python imports for it."""
    found = set()
    todo = re.findall(r"(?<!build/)\btest/[\w./-]+", " ".join(suites().values()))
    while todo:
        path = todo.pop()
        if path in found or not os.path.isfile(os.path.join(TOP, path)):
            continue
        found.add(path)
        imports = re.findall(r"^(?:import|from) (\w+)", text(path), re.M)
        todo += [f"{folder}/{name}.py" for name in imports for folder in (os.path.dirname(path), "test/system")]
    return found


@functools.cache
def sources():
    """Every file of test/ that a suite builds or runs."""
    words = " ".join(suites().values())
    programs = set(re.findall(r"build/[\w/-]+", words))
    if "test/fuzz/run" in scripts():
        targets = re.search(r"^TARGETS = \((.*)\)", text("test/fuzz/run"), re.M).group(1)
        programs |= {f"build/fuzz/{name}" for name in re.findall(r'"(\w+)"', targets)}
    for path in scripts():
        for name in re.findall(r'(?:"|build/test/guest/)((?:hostile|host|guest)_\w+)(?:"|\.img)', text(path)):
            if os.path.exists(os.path.join(TOP, f"test/guest/{name}.c")):
                programs.add(f"build/test/guest/{name}.img")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(["make", "-nB", "V=1", *sorted(programs)], cwd=TOP, env=environment, check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    built = set(re.findall(r"\btest/[\w/]+\.[cS]\b", done.stdout.decode()))
    proofs = set(files("test/proof/proof_*.c")) if "test/proof/run" in scripts() else set()
    return scripts() | built | proofs


@functools.cache
def harnesses():
    """What test/proof/run runs, and in which file."""
    found = {}
    for path in files("test/proof/proof_*.c"):
        entries = re.findall(r"^ \* Proof-entry: (\w+)", text(path), re.M)
        found.update({name: path for name in entries or [os.path.basename(path)[:-2]]})
    return found


@functools.cache
def examples():
    """The comment above each test_Tn."""
    pattern = r"^/\*((?:(?!\*/).)*)\*/\nstatic void test_T(\d+)\("
    return {int(number): comment for path in files("test/unit/test_*.c")
            for comment, number in re.findall(pattern, text(path), re.M | re.S)}


@functools.cache
def invariants():
    return set(re.findall(r'"(INV-[A-Z0-9-]+)', text("spec/invariants.c")))


def defines(path, function):
    """Whether the file has the function's body, not just its name."""
    if path.endswith(".c"):
        return re.search(rf"^\w[\w \t*]*\b{function}\([^;{{}}]*\)[^;{{}}]*\n{{", text(path), re.M) is not None
    return re.search(rf"^def {function}\(", text(path), re.M) is not None


def problem(name):
    """What is wrong with a name, or None."""
    path, _, function = name.partition(":")
    if not path.startswith("test/"):
        there = name in suites() or name in harnesses() or {f"test/guest/{name}.c", f"test/fuzz/{name}.c"} & sources()
        return None if there else f"{name}: neither suite nor harness, image or fuzz target"
    if not os.path.isfile(os.path.join(TOP, path)):
        return f"{name}: no such file"
    if path not in sources():
        return f"{name}: no suite builds or runs it"
    if function and not defines(path, function):
        return f"{name}: no such function"
    if function.startswith("proof_") and harnesses().get(function) != path:
        return f"{name}: no harness"
    return None
