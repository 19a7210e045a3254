# SPDX-License-Identifier: BSD-3-Clause
"""C as far as mutants need it: functions, statements and conditions of a source text, found by matching brackets, and
edits that name a place by a short fragment. White space and comments never matter: a reformatted source still matches.
A fragment that is not there, or stands there more often than the edit says, raises Stale."""

import bisect
import re

COMMENT = r"//[^\n]*|/\*.*?\*/"
LITERAL = r'"(?:\\.|[^"\\\n])*"|' + r"'(?:\\.|[^'\\\n])*'"
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
TOKEN = re.compile(r"\w+|[^\w\s]")
NAME_BEFORE_PAREN = re.compile(r"(\w+)\s*\(")
OPENING = {"(": ")", "{": "}", "[": "]"}


class Stale(Exception):
    """The list names something that the source does not have (any more)."""


def blank(match):
    return re.sub(r"[^\n]", " ", match[0])


class Source:
    """A file's text; `code` is the same without comments, `plain` also without literals and directives. All three have
    the same length, so that places are the same."""

    def __init__(self, text):
        self.text = text
        pattern = re.compile(f"({COMMENT})|({LITERAL})", re.DOTALL)
        self.code = pattern.sub(lambda match: blank(match) if match[1] else match[0], text)
        self.plain = DIRECTIVE.sub(blank, pattern.sub(blank, text))
        self.functions = list(self._functions())
        self._lines = [match.start() for match in re.finditer("\n", text)]

    def line(self, at):
        return bisect.bisect_left(self._lines, at) + 1

    def close(self, at):
        """Place after the bracket that closes the one at `at`."""
        stack = []
        for i in range(at, len(self.plain)):
            char = self.plain[i]
            if char in OPENING:
                stack.append(OPENING[char])
            elif stack and char == stack[-1]:
                stack.pop()
                if not stack:
                    return i + 1
        raise Stale(f"no end of the bracket in line {self.line(at)}")

    def skip_space(self, at):
        while at < len(self.plain) and self.plain[at].isspace():
            at += 1
        return at

    def _functions(self):
        at = since = 0
        while at < len(self.plain):
            if self.plain[at] == ";":
                since = at + 1
            elif self.plain[at] in "([":
                at = self.close(at)
                continue
            elif self.plain[at] == "{":
                end = self.close(at)
                header = self.plain[since:at]
                name = NAME_BEFORE_PAREN.search(header)
                if name and "=" not in header:
                    kind = " ".join(header[:name.start()].split())
                    yield Function(name[1], kind, at, end)
                    since = end
                at = end
                continue
            at += 1

    def function(self, name):
        found = [function for function in self.functions if function.name == name]
        if len(found) != 1:
            raise Stale(f"{len(found)} functions {name}()")
        return found[0]

    def find(self, fragment, start, end, occurrence=None):
        """Span of `fragment` in [start, end): the only one, or number `occurrence` (from 1)."""
        tokens = TOKEN.findall(fragment)
        pattern = r"\s*".join(re.escape(token) for token in tokens)
        pattern = (r"\b" if re.match(r"\w", tokens[0]) else "") + pattern
        pattern += r"\b" if re.match(r"\w", tokens[-1]) else ""
        spans = [match.span() for match in re.compile(pattern).finditer(self.code, start, end)]
        if occurrence is None and len(spans) != 1:
            raise Stale(f"'{fragment}' stands there {len(spans)} times")
        if occurrence is not None and len(spans) < occurrence:
            raise Stale(f"'{fragment}' stands there only {len(spans)} times")
        return spans[(occurrence or 1) - 1]

    def statement_end(self, at):
        """Place after the statement that begins at `at`, its blocks and its else included."""
        if self.plain[at] == "{":
            return self.close(at)
        keyword = re.compile(r"(?:if|for|while|switch)\s*(?=\()").match(self.plain, at)
        if keyword:
            end = self.statement_end(self.skip_space(self.close(keyword.end())))
            otherwise = re.compile(r"\s*else\b\s*").match(self.plain, end)
            return self.statement_end(otherwise.end()) if otherwise else end
        while self.plain[at] != ";":
            at = self.close(at) if self.plain[at] in OPENING else at + 1
            if at >= len(self.plain) or self.plain[at] == "}":
                raise Stale("no end of a statement")
        return at + 1

    def statement(self, fragment, start, end, occurrence=None):
        """Span of the statement that begins with `fragment`."""
        at, _ = self.find(fragment, start, end, occurrence)
        before = self.plain[:at].rstrip()[-1:]
        if before not in tuple(";{}):") or before == "":
            raise Stale(f"no statement begins with '{fragment}'")
        return at, self.statement_end(at)

    def apply(self, changes):
        """The text with the (start, end, text) changes made; as many lines as before wherever that is possible."""
        changes = sorted(changes)
        for one, other in zip(changes, changes[1:]):
            if one[1] > other[0]:
                raise Stale("two edits overlap")
        text = self.text
        for start, end, new in reversed(changes):
            lines = text[start:end].count("\n") - new.count("\n")
            text = text[:start] + new + "\n" * max(0, lines) + text[end:]
        return text


class Function:
    def __init__(self, name, kind, start, end):
        self.name, self.kind, self.start, self.end = name, kind, start, end


# ---- edits: each is called with the source and the bounds of the function, and returns changes ----

def drop(fragment, occurrence=None):
    """The statement that begins so is not there."""
    def edit(source, start, end):
        first, last = source.statement(fragment, start, end, occurrence)
        return [(first, last, ";")]
    return edit


def sub(fragment, new, occurrence=None):
    """`new` stands in the place of the fragment."""
    def edit(source, start, end):
        return [(*source.find(fragment, start, end, occurrence), new)]
    return edit


def swap(fragment, other):
    """Two statements change places."""
    def edit(source, start, end):
        one = source.statement(fragment, start, end)
        two = source.statement(other, start, end)
        return [(*one, source.text[slice(*two)]), (*two, source.text[slice(*one)])]
    return edit


def before(fragment, new, occurrence=None):
    """`new` runs before the statement that begins so."""
    def edit(source, start, end):
        first, _ = source.statement(fragment, start, end, occurrence)
        return [(first, first, new + " ")]
    return edit


def after(fragment, new, occurrence=None):
    """`new` runs after the statement that begins so."""
    def edit(source, start, end):
        _, last = source.statement(fragment, start, end, occurrence)
        return [(last, last, " " + new)]
    return edit


def move(fragment, before_this):
    """The statement that begins so runs earlier or later: before another one."""
    def edit(source, start, end):
        first, last = source.statement(fragment, start, end)
        to, _ = source.statement(before_this, start, end)
        return [(first, last, ";"), (to, to, source.text[first:last] + " ")]
    return edit


def both(*edits):
    """All of these edits at once."""
    def edit(source, start, end):
        return [change for each in edits for change in each(source, start, end)]
    return edit
