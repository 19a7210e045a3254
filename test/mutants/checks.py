# SPDX-License-Identifier: BSD-3-Clause
"""The mechanical mutants: every check that refuses something is taken out, one at a time. Which functions check is told by
their names and types, so that a new file of the core needs nothing here:

- `*_check`, whatever they return;
- every function: `if (...) { ...; return <an error>; }`, with boot_refuse() or an exception for the guest as well, and
  `if (status != CV_OK) { return status; }`;
- functions that return a bool: `if (...) { return false; }` (or true), and each term of what they return.

Each such `if` is dropped ("check"), each operand of its && and || is dropped ("term"), `return c ? CV_OK : E` always
returns CV_OK. A dropped condition is still evaluated: its side effects are not what the mutant is about."""

import re

# What a refusal says
REFUSAL = re.compile(r"\b(?:CV_E_\w+|RSI_ERROR_\w+|PSCI_(?:INVALID|DENIED|ALREADY|ON_PENDING|INTERNAL|NOT)\w*|TRNG_(?:INVALID|NO)\w+"
                     r"|SMCCC_NOT_SUPPORTED|RV_E_\w+|boot_refuse|guest_inject_\w+)\b|return status;")
# How it ends
ENDING = re.compile(r"(?:[^;{}]*;\s*)*(?:(?:return|goto|break|continue)\b[^;{}]*|boot_refuse\s*\([^;]*\))\s*;")
NAME_CHARACTERS = 70
IF = re.compile(r"\bif\s*(?=\()")
RETURN = re.compile(r"\breturn\b")


def one_line(text):
    return " ".join(text.split())


def top_level(source, start, end, operator):
    """Spans of the operands of `operator` in [start, end), outside brackets."""
    spans = []
    since = at = start
    while at < end:
        if source.plain[at] in "([{":
            at = source.close(at)
        elif source.plain.startswith(operator, at):
            spans.append((since, at))
            at += len(operator)
            since = at
        else:
            at += 1
    spans.append((since, end))
    return [trim(source, *span) for span in spans]


def trim(source, start, end):
    """The span without space and without brackets around the whole of it."""
    while True:
        while start < end and source.plain[start].isspace():
            start += 1
        while end > start and source.plain[end - 1].isspace():
            end -= 1
        if end - start > 1 and source.plain[start] == "(" and source.close(start) == end:
            start, end = start + 1, end - 1
        else:
            return start, end


def operands(source, start, end):
    """(start, end, operator) of every operand of && and || in the condition, also of nested ones."""
    start, end = trim(source, start, end)
    if len(top_level(source, start, end, "?")) > 1:
        return
    for operator in ("||", "&&"):
        parts = top_level(source, start, end, operator)
        if len(parts) > 1:
            for part in parts:
                yield (*part, operator)
                yield from operands(source, *part)
            return
    if source.plain[start:start + 1] == "!" and source.plain[start + 1:start + 2] == "(":
        yield from operands(source, start + 1, end)


def constant(source, start, end, value):
    text = source.text[start:end]
    return (start, end, f"(({text}) || 1)" if value else f"(({text}) && 0)")


def quote(source, start, end):
    text = one_line(source.code[start:end])
    return f"[{text}]" if len(text) <= NAME_CHARACTERS else f"[{text[:NAME_CHARACTERS - 3]}...]"


def operand_mutants(source, start, end):
    for first, last, operator in operands(source, start, end):
        yield f"term {quote(source, first, last)}", constant(source, first, last, operator == "&&")


def guards(source, function, is_check, is_bool):
    """The `if (...) { refuse }` of a function: the spans of their conditions."""
    for match in IF.finditer(source.plain, function.start, function.end):
        close = source.close(match.end())
        at = source.skip_space(close)
        end = source.statement_end(at)
        body = source.code[at:end].strip().removeprefix("{").removesuffix("}").strip()
        is_else = re.compile(r"\s*else\b").match(source.plain, end)
        is_refusal = is_check or REFUSAL.search(body) or (is_bool and one_line(body) in ("return false;", "return true;"))
        if not is_else and is_refusal and ENDING.fullmatch(body):
            yield trim(source, match.end(), close)


def returns(source, function):
    for match in RETURN.finditer(source.plain, function.start, function.end):
        yield match.end(), source.statement_end(match.end()) - 1


def mutants_of(source, function):
    is_check = function.name.endswith("_check")
    is_bool = "bool" in function.kind.split()
    for start, end in guards(source, function, is_check, is_bool):
        yield f"check {quote(source, start, end)}", constant(source, start, end, False)
        yield from operand_mutants(source, start, end)
    for start, end in returns(source, function):
        parts = top_level(source, start, end, "?")
        if len(parts) == 2:
            results = [source.code[slice(*part)] for part in top_level(source, *parts[1], ":")]
            if "CV_OK" in results:
                condition = trim(source, *parts[0])
                yield f"check {quote(source, *condition)}", constant(source, *condition, results[0] == "CV_OK")
                yield from operand_mutants(source, *condition)
        elif is_bool:
            yield from operand_mutants(source, *trim(source, start, end))


def find(stem, source):
    """(name, changes) of every mechanical mutant of a core file."""
    names = {}
    for function in source.functions:
        for what, change in mutants_of(source, function):
            name = f"{stem}.{function.name}: {what}"
            names[name] = names.get(name, 0) + 1
            yield name + (f" #{names[name]}" if names[name] > 1 else ""), [change]
