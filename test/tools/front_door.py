#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Set-up's reading of apt's configuration, the line counter, and the test runner's own counting."""

import importlib.machinery
import importlib.util
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "system"))
import tap  # noqa: E402


def load(path):
    loader = importlib.machinery.SourceFileLoader(os.path.basename(path), os.path.join(tap.TOP, path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def mirror_of(files, suite="bookworm"):
    """What set-up finds in an /etc/apt made of `files`."""
    with tempfile.TemporaryDirectory() as etc:
        os.mkdir(os.path.join(etc, "sources.list.d"))
        for name, text in files.items():
            with open(os.path.join(etc, name), "w", encoding="utf-8") as stream:
                stream.write(text)
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", f". tools/setup/apt.sh; apt_mirror_of {suite}"], cwd=tap.TOP,
                              env=dict(os.environ, RAVELIN_ETC_APT=etc), capture_output=True, text=True, check=False)
    tap.equal(done.returncode, 0, done.stderr)
    return done.stdout.splitlines()


MIRRORS = (
    ("one-line entry", {"sources.list": "deb http://a.example/debian bookworm main contrib\n"},
     ["|http://a.example/debian"]),
    ("one-line options", {"sources.list":
     "deb [ arch=amd64 signed-by=/k/a.gpg ] https://a.example/d bookworm main # note\n"},
     ["signed-by=/k/a.gpg|https://a.example/d"]),
    ("comments, sources, cdrom and other suites do not count", {"sources.list":
     "# deb http://no.example/ bookworm main\ndeb-src http://no.example/ bookworm main\n"
     "deb cdrom:[Debian]/ bookworm main\ndeb http://no.example/ bookworm-security main\n"
     "deb http://no.example/ bookworm contrib\n"}, []),
    ("deb822 stanza", {"sources.list.d/debian.sources":
     "Types: deb deb-src\n# note\nURIs: http://b.example/debian\nSuites: bookworm bookworm-updates\n"
     "Components: main\nSigned-By: /k/b.gpg\n"}, ["signed-by=/k/b.gpg|http://b.example/debian"]),
    ("deb822 continued lines, second stanza", {"sources.list.d/x.sources":
     "Types: deb\nURIs: http://sec.example/\nSuites: bookworm-security\nComponents: main\n\n"
     "types: deb\nuris:\n http://c.example/debian\n http://d.example/debian\nsuites:\n bookworm\ncomponents: main\n"},
     ["|http://c.example/debian"]),
    ("deb822 disabled stanza, inline key", {"sources.list.d/x.sources":
     "Enabled: no\nTypes: deb\nURIs: http://off.example/\nSuites: bookworm\nComponents: main\n\n"
     "Types: deb\nURIs: http://on.example/\nSuites: bookworm\nComponents: main\nSigned-By:\n -----BEGIN\n abc\n"},
     ["|http://on.example/"]),
    ("files of other names do not count", {"sources.list.d/x.list.save": "deb http://no.example/ bookworm main\n"}, []),
)
for label, given, wanted in MIRRORS:
    tap.test(lambda given=given, wanted=wanted: tap.equal(mirror_of(given), wanted), f"apt configuration: {label}")

tcb = load("tools/tcb")
LINES = (
    ("blank lines", "\n  \n\t\nint a;\n", 1),
    ("block comment", "/* a\n b\n */\nint a; /* tail */\n/* head */ int b;\n", 2),
    ("line comment", "// no\nint a; // tail\n  // no\n", 1),
    ("comment marks in strings", 'char *a = "/* no comment";\nchar *b = "// nor */ this";\n', 2),
    ("comment marks in characters", "char a = '\"'; /* one\n two */ char b = '/';\n", 2),
    ("escaped quote", 'char *a = "\\"/*";\nint b;\n', 2),
    ("continued line comment", "// one \\\n two\nint a;\n", 1),
    ("line comment in a block comment", "/* // */ int a;\n", 1),
    ("block comment opened in a line comment", "// /*\nint a;\n", 1),
    ("code between comments", "/* a */ x /* b\n */ y\n", 2),
    ("unfinished comment", "int a;\n/* never\nends\n", 1),
)
for label, given, wanted in LINES:
    tap.test(lambda given=given, wanted=wanted: tap.equal(
        sum(1 for line in tcb.without_comments(given).split("\n") if line.strip()), wanted), f"tcb: {label}")


@tap.test
def apostrophes_in_assembly():
    "tcb: an apostrophe in assembly opens nothing"
    text = "mov x0, #'A /* one */\n/* two */\nret\n"
    tap.equal([line for line in tcb.without_comments(text, False).split("\n") if line.strip()],
              ["mov x0, #'A  ", "ret"])


runner = load("test/run")


def counted(script, limit=20):
    """(passed, failed, skipped) after test/run ran a suite that is this shell script."""
    suite = runner.Suite(f"x unit quick {limit} {script}")
    count = runner.Count()
    with open(os.devnull, "w", encoding="ascii") as sys.stdout:
        try:
            runner.run_suite(suite, count)
        finally:
            sys.stdout = sys.__stdout__
    return count.passed, count.failed, count.skipped


RUNS = (
    ("passes and failures", "echo 1..2; echo ok 1 - a; echo not ok 2 - b; exit 1", (1, 1, 0)),
    ("skipped tests", "echo 1..2; echo ok 1 - a; echo 'ok 2 - b # SKIP why'", (1, 0, 1)),
    ("two plans", "echo 1..1; echo ok 1 - a; echo 1..1; echo ok 1 - b", (2, 0, 0)),
    ("a suite that breaks off", "echo 1..3; echo ok 1 - a; exit 0", (1, 1, 0)),
    ("a suite without tests", "true", (0, 1, 0)),
    ("a bad exit status alone", "echo 1..1; echo ok 1 - a; exit 3", (1, 1, 0)),
    ("a killed suite", "echo 1..1; echo ok 1 - a; kill -9 $$", (1, 1, 0)),
    ("the last line without newline", "echo 1..1; printf 'not ok 1'", (0, 1, 0)),
)
for label, given, wanted in RUNS:
    tap.test(lambda given=given, wanted=wanted: tap.equal(counted(given), wanted), f"test/run counts {label}")


@tap.test
def a_late_suite_fails():
    "test/run kills a suite at its limit"
    tap.equal(counted("echo 1..2; echo ok 1 - a; sleep 30", limit=1), (1, 1, 0))


tap.main()
