#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The calls of abi.h: each says its errors, locks and seed primitive; the table of locks that the tests hold the core to
(test/common/call_locks.c), the tables of docs/abi.md, docs/locking.md and docs/seed-map.md say the same; and the proofs
of a call (docs/proving.md) have a goal for each of its statuses. Prints TAP."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../system"))
import names
import tap
from names import text


def section(path, heading):
    return re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text(path), re.M | re.S).group(1)


ABI = text("include/ravelin/abi.h")
STATUSES = re.findall(r"^\tRV_E_(\w+) = ", ABI, re.M)


class Call:
    """What a call's comment says, by its last lines: ... Errors: ... Locks: ... Seed: ..."""

    def __init__(self, comment, number):
        self.number = number
        said = re.sub(r"\s*\n \*\s?", " ", comment)
        found = re.search(r"\bErrors[^:]*: (.*) Locks: ([^.]*)\. Seed: (.*)\.\s*$", said)
        self.is_complete = found is not None
        errors, locks, self.seed = found.groups() if found else ("", "", "")
        # Up to the first end of a sentence; what is in parentheses are reasons.
        while "(" in errors:
            errors = re.sub(r"\([^()]*\)", "", errors)
        self.errors = re.findall(r"\b(?:%s)\b" % "|".join(STATUSES), errors.split(". ")[0])
        self.locks = [] if locks == "none" else locks.split(", ")
        self.is_complete = self.is_complete and bool(self.errors or errors.startswith("none."))


CALLS = {name: Call(comment, int(number, 16)) for comment, name, number in re.findall(
    r"/\*((?:(?!\*/).)*)\*/\n#define (RV_\w+) RV_HVC\((0x\w+)\)", ABI, re.S)}


def complete():
    defined = re.findall(r"^#define (RV_\w+) RV_HVC\(0x", ABI, re.M)
    tap.require(len(defined) >= 32, f"only {len(defined)} calls")
    tap.equal([name for name in defined if name not in CALLS], [], "calls without a comment")
    tap.equal([name for name, call in CALLS.items() if not call.is_complete], [],
              "comments that do not end with Errors, Locks and Seed")


def ranks():
    return re.findall(r"^\tLOCK_RANK_(\w+)", text("corevisor/include/cv/lock.h"), re.M)[:-1]


def locks():
    rows = {}
    for name, *sets in re.findall(r"\{ (RV_\w+), ([^,]*),\s*([^}]*?)\s*\}", text("test/common/call_locks.c")):
        always, sometimes = (set(re.findall(r"R\((\w+)\)", one)) for one in sets)
        rows[name] = [rank if rank in always else f"[{rank}]" for rank in ranks() if rank in always | sometimes]
    tap.equal(sorted(rows), sorted(CALLS), "rows of test/common/call_locks.c")
    for name, call in CALLS.items():
        tap.equal(call.locks, rows[name], f"{name}: Locks")


def documented_ranks():
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", text("docs/locking.md"), re.M)
    tap.equal([name for row in rows for name in re.findall(r"\w+", row)], ranks(), "docs/locking.md: ranks")


def errors():
    rows = re.findall(r"^\| (0x\w+) \| (RV_[A-Z_]+) \|(.*)\|$", text("docs/abi.md"), re.M)
    tap.equal(sorted(name for _, name, _ in rows), sorted(CALLS), "rows of docs/abi.md")
    for number, name, rest in rows:
        last = rest.replace(r"\|", "/").split("|")[-1]
        tap.equal(int(number, 16), CALLS[name].number, f"{name}: number")
        tap.equal(re.findall(r"[A-Z]+", last), CALLS[name].errors, f"{name}: errors")


def seeds():
    rows = re.findall(r"^\| (\w+) \| (?:end of )?(RV_\w+) \|", section("docs/seed-map.md", "BootOps"), re.M)
    tap.require(len(rows) >= 17, f"docs/seed-map.md has only {len(rows)} BootOps with a call")
    for primitive, name in rows:
        tap.require(re.search(rf"\b{primitive}\b", CALLS[name].seed), f"{name}: Seed does not name {primitive}")


# ---- goals ----

SOURCES = {os.path.basename(path): re.sub(r"/\*.*?\*/", "", text(path), flags=re.S)
           for path in names.files("test/proof/*.[ch]")}


def functions(name):
    return re.findall(r"^[a-zA-Z][\w *]*?\b(\w+)\([^;{}]*\)[^;{}]*\n\{\n(.*?)^\}", SOURCES[name], re.M | re.S)


BODIES = {name: functions(name) for name in SOURCES}


def sources_of(name):
    """The file, and what it includes of test/proof."""
    found, todo = set(), [name]
    while todo:
        one = todo.pop()
        if one in SOURCES and one not in found:
            found.add(one)
            todo += re.findall(r'^#include "([\w.]+)"', SOURCES[one], re.M)
    return found


def goals_of(harness, name):
    """(condition, what) of each reach() in the harness and in the functions of test/proof that it names."""
    bodies = {}
    for one in sources_of(name):
        for function, body in BODIES[one]:
            bodies[function] = bodies.get(function, "") + body
    found, done, todo = [], set(), [harness]
    while todo:
        one = todo.pop()
        if one not in done and one in bodies:
            done.add(one)
            found += re.findall(r'\breach\((.*?),\s*"([^"]*)"\);', bodies[one], re.S)
            todo += re.findall(r"\b\w+\b", re.sub(r'"[^"]*"', "", bodies[one]))
    return found


def is_goal_of(goal, name, status):
    """A goal that says the status and means it; one that begins with a call's name is of that call alone."""
    condition, what = goal
    call, _, rest = what.partition(": ")
    if call.startswith("RV_"):
        what = rest if call == name else ""
    return re.match(rf"{status}\b", what) and f"CV_E_{status}" in condition


def goals():
    there = names.harnesses()
    rows = dict(re.findall(r"^\| (RV_\w+) \| (.*) \|$", section("docs/proving.md", "The calls"), re.M))
    tap.equal(sorted(rows), sorted(CALLS), "docs/proving.md, The calls: rows")
    without = []
    for name, row in rows.items():
        named = re.findall(r"`(proof_\w+)`", row)
        tap.require(named, f"{name} has no proof")
        tap.equal([one for one in named if one not in there], [], f"{name} names proofs that are not there")
        found = [goal for one in named for goal in goals_of(one, os.path.basename(there[one]))]
        without += [f"{name}: {status}" for status in dict.fromkeys(CALLS[name].errors)
                    if not any(is_goal_of(goal, name, status) for goal in found)]
    tap.equal(without, [], "statuses without a goal")


tap.test(complete, "each call of abi.h says its errors, its locks and its seed primitive")
tap.test(locks, "its locks are those that the tests hold it to")
tap.test(documented_ranks, "docs/locking.md has every rank, in order")
tap.test(errors, "docs/abi.md has the same errors in the same order")
tap.test(seeds, "the seed map names the same calls")
tap.test(goals, "the proofs of each call have a goal for each of its statuses")
tap.main()
