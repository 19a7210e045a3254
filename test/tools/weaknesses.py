#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""docs/weaknesses.md: 27 rows, and each test or proof that a row names exists. Likewise the tests and proofs of
docs/seed-map.md and docs/spec-decisions.md, and of the examples T1 to T24 by their names; and for each call of abi.h the
proof that it discloses nothing, in docs/proving.md. Prints TAP."""

import glob
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path.insert(0, os.path.join(TOP, "test/system"))
import tap


def text(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return file.read()


def lines(path, first):
    """The table rows whose first cell is `first`, a pattern: by its group."""
    return {m.group(1): m.group(0) for m in re.finditer(rf"^\| {first} \|.*$", text(path), re.M)}


def rows(path, letter):
    """The table rows that begin with | LETTERn, by number."""
    return {int(number): line for number, line in lines(path, rf"{letter}(\d+)").items()}


def missing(names):
    """Those of `names` (file or file:function) that are not there."""
    gone = []
    for name in names:
        path, _, function = name.partition(":")
        full = os.path.join(TOP, path)
        if not os.path.exists(full):
            gone.append(name)
        elif function and not re.search(rf"\b{re.escape(function)}\b", text(path)):
            gone.append(name)
    return gone


def named(line):
    """What a line names of test/: `test/...` with or without a function."""
    return re.findall(r"`(test/[\w./-]+(?::\w+)?)`", line)


def weaknesses():
    found = rows("docs/weaknesses.md", "W")
    tap.equal(sorted(found), list(range(1, 28)), "rows")
    for number, line in found.items():
        names = named(line)
        if not names and "cannot occur" not in line and "waits for" not in line:
            tap.require(False, f"W{number} names no test and no reason")
        tap.equal(missing(names), [], f"W{number} names what is not there")


def seed_map():
    names = named(text("docs/seed-map.md"))
    tap.require(len(names) >= 32, f"docs/seed-map.md names only {len(names)} tests and proofs")
    tap.equal(missing(names), [], "docs/seed-map.md names what is not there")


def decisions():
    for line in rows("docs/spec-decisions.md", "D").values():
        tap.equal(missing(named(line)), [], "docs/spec-decisions.md names what is not there")


def examples():
    tests = subprocess.run(["grep", "-rhoE", r"^static void test_T[0-9]+\b", os.path.join(TOP, "test/unit")],
                           check=True, stdout=subprocess.PIPE).stdout.decode()
    have = sorted({int(n) for n in re.findall(r"test_T(\d+)", tests)})
    tap.equal(have, list(range(1, 25)), "examples of the seeds' primitives")


def harnesses():
    """What test/proof/run runs."""
    files = glob.glob(os.path.join(TOP, "test/proof/proof_*.c"))
    return {name for file in files for name in re.findall(r"^ \* Proof-entry: (\w+)", text(file), re.M)}


def disclosures():
    calls = re.findall(r"^#define (RV_\w+) RV_HVC\(0x", text("include/ravelin/abi.h"), re.M)
    found = lines("docs/proving.md", r"(RV_\w+)")
    there = harnesses()
    tap.require(len(calls) >= 32, f"abi.h has only {len(calls)} calls")
    tap.equal(sorted(found), sorted(calls), "docs/proving.md, Noninterference: rows")
    for call, line in found.items():
        names = set(re.findall(r"`(proof_\w+)`", line))
        tap.require(names, f"{call} has no proof that it discloses nothing")
        tap.equal(sorted(names - there), [], f"{call} names proofs that are not there")


tap.test(weaknesses, "each of W1 to W27 names tests that exist, or what it waits for")
tap.test(seed_map, "the seed map names tests and proofs that exist")
tap.test(decisions, "so do the decisions")
tap.test(examples, "T1 to T24 are tests by these names")
tap.test(disclosures, "each call of abi.h has a proof that it discloses nothing of a guest")
tap.main()
