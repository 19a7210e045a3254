# SPDX-License-Identifier: BSD-3-Clause
"""The test programs, as the Makefile builds them: `make -nB` says of what and how. Each is built twice, "fast" (without
sanitisers) and as it is. Objects are kept in build/mutants/objects under a hash of all that goes into them."""

import hashlib
import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
OUT = os.path.join(TOP, "build", "mutants")
OBJECTS = os.path.join(OUT, "objects")
HEADER_DIRECTORIES = ("corevisor/include", "include", "arch-fake", "spec", "test")
# What a test that fails says of it, best first
EXPLANATIONS = [(re.compile(pattern), by) for pattern, by in (
    (r"fake machine: (CV_CHECK.*)", "CV_CHECK"),
    (r"fake machine: (.*)", "fake machine"),
    (r"(?:ERROR: AddressSanitizer|runtime error): (.*)", "sanitiser"),
    (r"WARNING: ThreadSanitizer: (.*)", "sanitiser"),
    (r"(.*(?: != | not equal |assert).*)", "assertion"),
    (r"\[\s*(?:ERROR|FAILED|  LINE  )\s*\] (.*)", "assertion"))]


class BuildError(Exception):
    pass


class Program:
    """A test program: name, kind (unit, matrix, model), sources, environment."""

    def __init__(self, name, command):
        words = [word for word in shlex.split(command)[1:] if word != "-g" and
                 (word.startswith("-Wl,") or not word.startswith(("-O", "-W")))]
        at = words.index("-o")
        del words[at:at + 2]
        self.name = name
        self.sources = [word for word in words if not word.startswith("-")]
        # What only the linker reads
        self.libraries = [word for word in words if word.startswith(("-l", "-Wl,"))]
        flags = [word for word in words if word.startswith("-") and word not in self.libraries]
        self.places = [flag for flag in flags if flag.startswith(("-I", "-D"))]
        self._flags = [flag for flag in flags if flag not in self.places]
        self.environment = {"CMOCKA_MESSAGE_OUTPUT": "STDOUT", "ASAN_OPTIONS": "detect_leaks=0"}
        self.prefix = []
        self.kind = "unit"
        self.has_fast = True
        main = self.sources[0]
        if "-fsanitize=thread" in flags:
            self.has_fast = False
            # Where it is allowed: the thread sanitiser and randomised addresses do not always agree.
            if subprocess.run(["setarch", "-R", "true"], capture_output=True, check=False).returncode == 0:
                self.prefix = ["setarch", "-R"]
        if "test/model/" in main:
            self.kind = "model"
            self.environment |= {"MODEL_SEED": "7"}
            # A step of the whole geometry looks at a thousand times as much.
            steps = "300" if "machine_full" in main else "40000"
            self.environment |= {"MODEL_STEPS": os.environ.get("MODEL_STEPS", steps)}
        elif "test/races/" in main:
            self.environment |= {"RACES_SEED": "7", "RACES_MACHINES": "6"}
        elif "test/matrix/" in main:
            self.kind = "matrix"


    def set_places(self, places):
        """Programs look for headers in the same places where they can, so that an object serves many."""
        plain = [flag for flag in self._flags if not flag.startswith(("-fsanitize", "-fno-"))]
        # The matrix runs longer than it compiles.
        self.fast = (*plain, *places, "-O2" if self.kind == "matrix" else "-O1", "-w")
        self.full = (*self._flags, *places, "-O1", "-w")


def test_programs():
    """Every program of the Makefile's TESTS that is made by gcc from files of corevisor/core."""
    def make(*arguments):
        return subprocess.run(["make", "-s", *arguments], cwd=TOP, check=True, capture_output=True, text=True).stdout

    targets = make("--eval", "mutants-tests: ; @echo $(TESTS)", "mutants-tests").split()
    targets = [target for target in targets if target.startswith("build/test/")]
    objects = {}
    programs = []
    for line in make("-nB", "V=1", *targets).replace("\\\n", " ").splitlines():
        words = shlex.split(line) if line.startswith("gcc ") else []
        if "-c" in words:
            objects[words[words.index("-o") + 1]] = next(word for word in words if word.endswith(".c"))
        elif "-o" in words and words[words.index("-o") + 1] in targets:
            program = Program(os.path.basename(words[words.index("-o") + 1]), line)
            program.sources = [objects.get(source, source) for source in program.sources]
            if any(source.startswith("corevisor/core/") for source in program.sources):
                programs.append(program)
    places = sorted({place for program in programs for place in program.places})
    hiding = {place for program in programs for place in hiders(program.places)}
    shared = [place for place in places if place not in hiding]
    for program in programs:
        program.set_places([*(place for place in program.places if place in hiding), *shared])
    return programs


def headers_in(place):
    top = os.path.join(TOP, place.removeprefix("-I"))
    return {os.path.relpath(os.path.join(where, file), top) for where, _, files in os.walk(top)
            for file in files if file.endswith(".h")}


def hiders(places):
    """The directories that hide a header of a later one: they are not for everyone."""
    headers = [(place, headers_in(place)) for place in places if place.startswith("-I")]
    return [place for i, (place, mine) in enumerate(headers) if any(mine & others for _, others in headers[i + 1:])]


def hash_headers():
    digest = hashlib.sha256()
    for directory in HEADER_DIRECTORIES:
        for where, directories, files in os.walk(os.path.join(TOP, directory)):
            directories.sort()
            for file in sorted(files):
                if file.endswith(".h"):
                    with open(os.path.join(where, file), "rb") as stream:
                        digest.update(file.encode() + b"\0" + stream.read())
    return digest.digest()


class Objects:
    """Compiled sources, unmutated ones from the cache."""

    def __init__(self):
        os.makedirs(OBJECTS, exist_ok=True)
        self._headers = hash_headers()
        self._locks = {}
        self._lock = threading.Lock()

    def get(self, source, flags):
        with open(os.path.join(TOP, source), "rb") as stream:
            text = stream.read()
        key = hashlib.sha256(b"\0".join((self._headers, source.encode(), " ".join(flags).encode(), text))).hexdigest()
        target = os.path.join(OBJECTS, key[:24] + ".o")
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if not os.path.exists(target):
                compile_to(target + ".new", source, text.decode(), flags)
                os.rename(target + ".new", target)
        return target


def compile_to(target, source, text, flags):
    """Compiles `text` as if it stood in `source`."""
    command = ["gcc", *flags, "-iquote", os.path.dirname(source), "-x", "c", "-c", "-o", target, "-"]
    result = subprocess.run(command, cwd=TOP, input=f'#line 1 "{source}"\n{text}', capture_output=True, text=True,
                            check=False)
    if result.returncode != 0:
        raise BuildError(next((line for line in result.stderr.splitlines() if "error" in line), result.stderr[:200]))


def lock_analysis(source, text):
    """What clang's lock analysis complains about, or None."""
    command = ["clang", "-std=c11", "-fsyntax-only", "-w", "-Wthread-safety", "-Werror=thread-safety",
               "-Icorevisor/include", "-Iinclude", "-iquote", os.path.dirname(source), "-x", "c", "-"]
    result = subprocess.run(command, cwd=TOP, input=f'#line 1 "{source}"\n{text}', capture_output=True, text=True,
                            check=False)
    errors = [line for line in result.stderr.splitlines() if "error: " in line]
    return errors[0].split("error: ", 1)[1] if result.returncode != 0 and errors else None


def link(target, objects, flags, libraries):
    linker = ["-fuse-ld=gold"] if shutil.which("ld.gold") else []  # three times as fast
    result = subprocess.run(["gcc", *flags, *linker, "-o", target, *objects, *libraries], cwd=TOP, capture_output=True, text=True,
                            check=False)
    if result.returncode != 0:
        raise BuildError(result.stderr[-300:])


class Outcome:
    def __init__(self, is_passed, how="", detail="", seconds=0.0):
        self.is_passed, self.how, self.detail, self.seconds = is_passed, how, detail, seconds


def explain(output, status):
    for pattern, how in EXPLANATIONS:
        match = pattern.search(output)
        if match:
            return how, " ".join(match[1].split())
    return ("crash" if status < 0 else "assertion"), f"status {status}"


def run(program, path, directory, seconds):
    """Runs a program; it hangs if it takes so many seconds of CPU, or many times that by the clock."""
    def limits():
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 2))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (32 << 20, 32 << 20))

    log = os.path.join(directory, "log")
    start = time.monotonic()
    is_late = False
    with open(log, "wb") as stream:
        process = subprocess.Popen([*program.prefix, path], cwd=TOP, env={**os.environ, **program.environment},
                                   stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT,
                                   preexec_fn=limits, start_new_session=True)
        try:
            process.wait(timeout=20 + 8 * seconds)
        except subprocess.TimeoutExpired:
            is_late = True
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    taken = time.monotonic() - start
    if process.returncode == 0:
        return Outcome(True, seconds=taken)
    if is_late or process.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return Outcome(False, "hang", f"no end after {taken:.0f} s", taken)
    with open(log, encoding="utf-8", errors="replace") as stream:
        output = stream.read()
    return Outcome(False, *explain(output, process.returncode), taken)
