#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What the documents name exists (names.py). docs/weaknesses.md: 27 rows, each with a test or proof, or a reason.
docs/spec-decisions.md: the rows cover D1 to D74, each names who sees it; its invariants are those of spec/. The
examples T1 to T24 are there and name the row of what they decide. docs/seed-map.md: tests and proofs. docs/proving.md:
for each call of abi.h the proof that it discloses nothing, and every harness. No test source that no suite runs. Prints
TAP."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../system"))
import names
import tap
from names import text

# Reference 12.1: `shared_inv`, with what its copy for relaxed memory has besides.
SEEDS_INVARIANTS = set("""spt_cons host_npt_cons host_flatmap host_s2_map page_0_invalid host_iso vm_iso smmu_vm smmu_iso
    smmu_count remap_ptr core_map remap_addr core_remap remap_range remap_no_overlap""".split())


def tables(path):
    """Each table of a document as a list of rows, each row a dictionary by the table's header."""
    for block in re.findall(r"(?:^\|.*\|\n)+", text(path), re.M):
        cells = [[cell.strip() for cell in line[1:-1].split("|")] for line in block.splitlines()]
        for row in cells[2:]:
            tap.equal(len(row), len(cells[0]), f"{path}, cells of the row {row[0]}")
        yield [dict(zip(cells[0], row)) for row in cells[2:]]


def named(line):
    """What a line names of test/: `test/...` with or without a function."""
    return re.findall(r"`(test/[\w./-]+(?::\w+)?)`", line)


def check_names(wanted):
    tap.equal([wrong for wrong in map(names.problem, wanted) if wrong], [])


def weaknesses():
    found = [row for table in tables("docs/weaknesses.md") for row in table]
    tap.equal([row["#"] for row in found], [f"W{number}" for number in range(1, 28)], "rows")
    wrong = []
    for row in found:
        wanted = named(row["Noticed by"])
        wrong += [f"{row['#']} {problem}" for problem in map(names.problem, wanted) if problem]
        wrong += [f"{row['#']} {name}: which test in it?" for name in wanted if name.partition(":")[2] in ("", "main")]
        if not wanted and "cannot occur" not in str(row) and "waits for" not in str(row):
            wrong.append(f"{row['#']} names no test and no reason")
    tap.equal(wrong, [])


def seed_map():
    wanted = named(text("docs/seed-map.md"))
    tap.require(len(wanted) >= 32, f"docs/seed-map.md names only {len(wanted)} tests and proofs")
    check_names(wanted)


def ids(cell):
    """The differences and primitives that a row is about: "D4, D5", "D1-D3", "B11"."""
    found = []
    for part in cell.split(", "):
        match = re.fullmatch(r"(D)(\d+)-D(\d+)|([DB])(\d+)|layer \d+", part)
        tap.require(match, f"docs/spec-decisions.md: what is row '{cell}' about?")
        if match.group(1):
            found += [f"D{number}" for number in range(int(match.group(2)), int(match.group(3)) + 1)]
        elif match.group(4):
            found.append(part)
    return found


def decision_rows():
    """The ids of each row, and who sees it."""
    for table in tables("docs/spec-decisions.md"):
        for row in table:
            if "Seen by" in row:
                yield row, ids(row["#"]) if "#" in row else [], row["Seen by"].split(", ")


def decisions():
    about, wrong = [], []
    for row, which, seen_by in decision_rows():
        about += [name for name in which if name[0] == "D"]
        label = ", ".join(which) or next(iter(row.values()))
        for item in seen_by:
            quoted = re.fullmatch(r"`([\w./:-]+)`", item)
            if quoted:
                problem = names.problem(quoted.group(1))
                wrong += [f"{label}: {problem}"] if problem else []
            elif not (item in names.invariants() or item == "cannot be seen" or
                      re.fullmatch(r"T\d+", item) and int(item[1:]) in names.examples()):
                wrong.append(f"{label}: '{item}' is nothing that could see it")
    tap.equal(wrong, [])
    tap.equal(sorted(about, key=lambda name: int(name[1:])), [f"D{number}" for number in range(1, 75)], "rows")


def examples():
    tap.equal(sorted(names.examples()), list(range(1, 25)), "examples of the seeds' primitives")
    rows = {name for _, which, _ in decision_rows() for name in which}
    wrong = []
    for number, comment in names.examples().items():
        cited = set(re.findall(r"\b[DB]\d+\b", comment))
        wrong += [f"T{number} names no row of docs/spec-decisions.md"] if not cited else []
        wrong += [f"T{number}: there is no row {name}" for name in sorted(cited - rows)]
        for _, which, seen_by in decision_rows():
            if f"T{number}" in seen_by and not cited & set(which):
                wrong.append(f"T{number} does not name {', '.join(which)}, whose row names it")
    tap.equal(wrong, [])


def invariants():
    table = [row for rows in tables("docs/spec-decisions.md") for row in rows if "12.1" in row]
    ours = set(re.findall(r"\bINV-[A-Z0-9-]+", text("docs/spec-decisions.md")))
    tap.equal(sorted(ours), sorted(names.invariants()), "docs/spec-decisions.md, Invariants")
    have = [name for row in table for name in re.findall(r"`(\w+)`", row["12.1"])]
    tap.equal(sorted(SEEDS_INVARIANTS - set(have)), [], "invariants of the seeds without a row")
    check_names(name for row in table for name in re.findall(r"`(proof_\w+|test/[\w./:-]+)`", str(row)))


def disclosures():
    calls = re.findall(r"^#define (RV_\w+) RV_HVC\(0x", text("include/ravelin/abi.h"), re.M)
    found = {row["Call"]: row["Harness"] for table in tables("docs/proving.md") for row in table if "How" in row}
    tap.require(len(calls) >= 32, f"abi.h has only {len(calls)} calls")
    tap.equal(sorted(found), sorted(calls), "docs/proving.md, Noninterference: rows")
    for call, line in found.items():
        wanted = set(re.findall(r"`(proof_\w+)`", line))
        tap.require(wanted, f"{call} has no proof that it discloses nothing")
        tap.equal(sorted(wanted - set(names.harnesses())), [], f"{call} names proofs that are not there")


def every_harness():
    """`proof_x`, or `_y` after it, which stands for the same beginning with another end; `proof_*` names none."""
    there, found = set(names.harnesses()), set()
    for line in text("docs/proving.md").splitlines():
        last = ""
        for name in re.findall(r"`(\w+)`", line):
            if name.startswith("proof_"):
                last = name
                found |= {name} & there
            elif name.startswith("_") and last:
                parts = last.split("_")
                found |= {"_".join(parts[:end]) + name for end in range(1, len(parts) + 1)} & there
    tap.equal(sorted(there - found), [], "harnesses that docs/proving.md does not name")


def every_source():
    patterns = ("test/unit/test_*.c", "test/matrix/*.c", "test/model/*.c", "test/fuzz/*.c", "test/guest/*_*.c",
                "test/system/*.py", "test/tools/*.py")
    there = {path for pattern in patterns for path in names.files(pattern)}
    tap.equal(sorted(there - names.sources()), [], "test sources that no suite runs")


tap.test(weaknesses, "each of W1 to W27 names tests that exist, or what it waits for")
tap.test(seed_map, "the seed map names tests and proofs that exist")
tap.test(decisions, "the decisions are about D1 to D74, and each names who sees it")
tap.test(examples, "T1 to T24 are tests by these names, and name their decisions")
tap.test(invariants, "each invariant of the seeds has a row, each of ours is named")
tap.test(disclosures, "each call of abi.h has a proof that it discloses nothing of a guest")
tap.test(every_harness, "docs/proving.md names every harness")
tap.test(every_source, "every test source belongs to a suite")
tap.main()
