"""Runs the program under callgrind and strace, and makes figures of what they saw: {(stretch, measure): figure}."""

import collections
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import callgrind

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
STAGE, SYMBOLS, BUILD = ROOT / "build/stage", ROOT / ".build/release/libtlsmem.so", ROOT / "build/costs"
SONAME = "libtlsmem.so.0"
VERSIONS = {"3": "", "2": "TLS 1.2 "}  # what the stretches' names begin with

ALLOCATOR = re.compile(r"malloc|calloc|realloc|posix_memalign|aligned_alloc|strn?dup")
COUNTING = re.compile(r"swift_\w*(retain|release)(_n)?", re.IGNORECASE)
GENERIC = re.compile(r"swift_(get|check|conforms|instantiate|dynamicCast)\w*")
EXCLUSIVITY = re.compile(r"swift_(begin|end)Access")
CALLED = {"recvfrom": "recv", "sendto": "send", "epoll_wait": "epoll_wait", "epoll_pwait": "epoll_wait",
          "epoll_ctl": "epoll_ctl"}
TWICE = {"recv by tlsmem_stats": "recv", "send by tlsmem_stats": "send"}  # what the library counts, too
NOT_OURS = {"readv", "writev"}  # the peers'
CALL = re.compile(r"^\d+ +(\w+)\(")
MARK = re.compile(r'^\d+ +write\(-1, "([^"]*)"')


def output(*command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, **options).stdout


def code_of(library):
    with tempfile.NamedTemporaryFile() as file:
        output("objcopy", "-O", "binary", "--only-section=.text", str(library), file.name)
        return pathlib.Path(file.name).read_bytes()


def build():
    """Builds the program, and puts the library with its symbols beside it: the staged one is the same, stripped."""
    staged = STAGE / "lib" / SONAME
    if code_of(staged) != code_of(SYMBOLS):
        raise SystemExit(f"{SYMBOLS} is not what was staged: run make")
    BUILD.mkdir(parents=True, exist_ok=True)
    shutil.copy(SYMBOLS, BUILD / SONAME)
    environment = dict(os.environ, PKG_CONFIG_PATH=str(STAGE / "lib/pkgconfig"))
    flags = output("pkg-config", "--cflags", "--libs", "tlsmem", "openssl", env=environment, text=True).split()
    output(os.environ.get("CC", "gcc"), "-O1", "-g", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fno-builtin",
           "-rdynamic", "-o", str(BUILD / "costs"), *map(str, sorted(HERE.glob("*.c"))),
           str(HERE.parent / "Conformance/support.c"), *flags)


def start(certificates, version, log, *under):
    environment = dict(os.environ, LD_LIBRARY_PATH=str(BUILD), TLSMEM_TEST_CERTS=str(certificates),
                       COSTS_VERSION=version)
    with open(log, "w") as file:
        return subprocess.Popen([*under, str(BUILD / "costs")], env=environment, stdout=file, stderr=subprocess.STDOUT)


def notes(log):
    """What the program itself says."""
    lines = (line.split(" | ") for line in log.read_text().splitlines())
    return {tuple(line[:2]): float(line[2]) for line in lines if len(line) == 3}


def system_calls(log):
    """How often what was called in each stretch: {stretch: {name: count}}."""
    found, now = {}, collections.Counter()
    for line in log.read_text(errors="replace").splitlines():
        mark, call = MARK.match(line), CALL.match(line)
        if mark:
            found[mark[1]], now = now, collections.Counter()
        elif call and call[1] not in NOT_OURS:
            now[CALLED.get(call[1], "other calls")] += 1
    return found


def figures_of(own, seen, calls):
    """Puts together, for one version, what the program, callgrind and strace have said."""
    figures = {}
    for (name, measure), figure in own.items():
        figures[name, measure] = figure
        if measure != "operations":
            continue
        stretch, operations = seen[name], figure
        counts = {
            "instructions": stretch.instructions(SONAME),
            "allocations": stretch.called(ALLOCATOR, (SONAME,)),
            "OpenSSL's allocations": stretch.called(ALLOCATOR, ("libcrypto", "libssl")),
            "retains and releases": stretch.called(COUNTING, (SONAME,)),
        }
        if not counts["instructions"]:
            raise SystemExit(f"callgrind has seen nothing of {SONAME} in {name}")
        for measure in (*dict.fromkeys(CALLED.values()), "other calls"):
            counts[measure] = calls[name][measure]
        for measure, count in counts.items():
            figures[name, measure] = count / operations
    return figures


def loading():
    """How long dlopen takes, libssl and all, in milliseconds: to be looked at, not to be held against anything."""
    program = ("import ctypes, sys, time; began = time.perf_counter(); ctypes.CDLL(sys.argv[1]);"
               "print(time.perf_counter() - began)")
    return min(float(output(sys.executable, "-c", program, str(STAGE / "lib" / SONAME))) for _ in range(5)) * 1000


def library():
    """What can be seen before anything runs: its size, and calls that only generic code and checks at run time need."""
    code = output("objdump", "-d", "--no-show-raw-insn", str(SYMBOLS), text=True)
    called = re.findall(r"(?:call|jmp) .*<(swift_\w+)", code)

    def count(pattern):
        return sum(bool(pattern.fullmatch(name)) for name in called)

    return {("library", "bytes"): (STAGE / "lib" / SONAME).stat().st_size,
            ("library", "dlopen, ms"): loading(),
            ("library", "generic metadata"): count(GENERIC),
            ("library", "exclusivity checks"): count(EXCLUSIVITY)}


def watch(folder):
    """Everything at once: the figures, and callgrind's stretches by the figures' names."""
    build()
    certificates = folder / "certificates"
    output(str(ROOT / "Tests/certificates"), str(certificates))
    running = {}
    for version in VERSIONS:
        profiles = folder / f"profiles{version}"
        profiles.mkdir()
        running[version, "callgrind"] = start(
            certificates, version, folder / f"callgrind{version}", "valgrind", "-q", "--tool=callgrind",
            f"--callgrind-out-file={profiles}/part", "--compress-strings=no", "--compress-pos=no", "--dump-line=no")
        running[version, "strace"] = start(
            certificates, version, folder / f"strace{version}", "strace", "-f", "-o", f"{folder}/calls{version}")
    codes = {key: process.wait() for key, process in running.items()}
    for (version, watcher), code in codes.items():
        if code != 0:
            raise SystemExit((folder / f"{watcher}{version}").read_text())
    figures, profiles = library(), {}
    for version, prefix in VERSIONS.items():
        seen = callgrind.stretches(folder / f"profiles{version}")
        part = figures_of(notes(folder / f"callgrind{version}"), seen, system_calls(folder / f"calls{version}"))
        figures.update({(prefix + name, measure): figure for (name, measure), figure in part.items()})
        profiles.update({prefix + name: stretch for name, stretch in seen.items()})
    return figures, profiles
