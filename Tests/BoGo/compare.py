#!/usr/bin/env python3
"""Holds what BoringSSL's runner says of each test against the lists beside this file.

    compare.py RESULTS PROGRAM...    PROGRAM: textbook, buffers, fd, either; RESULTS/PROGRAM.json is the runner's
    compare.py --unimplemented       the patterns of tests that libtlsmem's shim does not implement, for the runner's -skip

`expected.txt` has what becomes of the textbook's program, `differences.txt` where libtlsmem differs from it, and why. A test
that no pattern of theirs matches passes. A difference in either direction is a failure, and so are a pattern that matches
nothing and a test in groups of different outcomes. The last line is "bogo: N passed, M failed".
"""

import collections
import fnmatch
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
OUTCOMES = {"PASS": "pass", "FAIL": "fail", "SKIP": "unimplemented"}
OF_BOTH = ("buffers", "fd", "either")

Group = collections.namedtuple("Group", "outcome reason patterns")


def groups(name):
    """A line "outcome: reason", then indented patterns, several in a line."""
    found = []
    for number, line in enumerate((HERE / name).read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith(" "):
            found[-1].patterns.extend(line.split())
            continue
        outcome, _, reason = line.partition(": ")
        if outcome not in OUTCOMES.values() or not reason:
            raise SystemExit(f"{name}:{number}: no outcome with a reason")
        found.append(Group(outcome, reason, []))
    return found


class Lists:
    """What is expected of each test."""

    def __init__(self, names):
        self.names = names
        self.troubles = []
        self.textbook = self.assigned("expected.txt")
        self.ours = self.assigned("differences.txt")

    def assigned(self, file):
        claims = {}
        for group in groups(file):
            for pattern in group.patterns:
                matched = fnmatch.filter(self.names, pattern) if re.search(r"[*?[]", pattern) else \
                    [pattern] if pattern in self.names else []
                if not matched:
                    self.troubles.append(f"{file}: {pattern} matches no test")
                for name in matched:
                    if claims.setdefault(name, group).outcome != group.outcome: # else the first group has it
                        self.troubles.append(f"{file}: {name} is in groups that contradict each other")
        return claims

    def expected(self, name, program):
        group = self.textbook.get(name)
        if program in OF_BOTH:
            group = self.ours.get(name, group)
        return group.outcome if group else "pass"

    def senseless(self):
        """Differences that are none."""
        return [f"differences.txt: {name} {group.outcome} in expected.txt too" for name, group in self.ours.items()
                if self.expected(name, "textbook") == group.outcome]


def read(results, program):
    tests = json.loads((results / f"{program}.json").read_text(encoding="utf-8"))["tests"]
    return {name: OUTCOMES.get(test["actual"], test["actual"]) for name, test in tests.items()}


def table(found):
    print(f"{'':12}{'pass':>8}{'fail':>8}{'unimplemented':>16}")
    for program, outcomes in found.items():
        count = collections.Counter(outcomes.values())
        print(f"{program:12}{count['pass']:8}{count['fail']:8}{count['unimplemented']:16}")


def differences(lists, found):
    """The names in which ours differ from the textbook's program, and why: as they are, not as they are expected."""
    for group in groups("differences.txt"):
        names = [name for name, its in lists.ours.items() if its == group]
        print(f"\nlibtlsmem: {group.outcome}; {group.reason} ({len(names)}):")
        print("    " + " ".join(group.patterns))
    if "textbook" not in found:
        return
    worse = {name for program, outcomes in found.items() if program in OF_BOTH for name, outcome in outcomes.items()
             if outcome == "fail" and found["textbook"].get(name) == "pass"}
    print(f"\nfail with libtlsmem, and pass with the textbook's program: {len(worse)}")


def main():
    if sys.argv[1:] == ["--unimplemented"]:
        print(";".join(pattern for name in ("expected.txt", "differences.txt") for group in groups(name)
                       if group.outcome == "unimplemented" for pattern in group.patterns))
        return 0
    results, programs = pathlib.Path(sys.argv[1]), sys.argv[2:]
    found = {program: read(results, program) for program in programs}
    whole = "either" not in programs
    lists = Lists(sorted(set().union(*found.values())))
    if not whole: # then what is unimplemented was not run
        lists.troubles = [line for line in lists.troubles if not line.endswith("matches no test")]
    table(found)
    differences(lists, found)
    passed, failed = 0, lists.troubles + (lists.senseless() if whole else [])
    for program, outcomes in found.items():
        for name in lists.names:
            expected, outcome = lists.expected(name, program), outcomes.get(name, "not run")
            if outcome == expected:
                passed += 1
            else:
                failed.append(f"{program}: {name}: {outcome}, expected: {expected}")
    for line in failed[:200]:
        print(f"FAIL: {line}")
    print(f"bogo: {passed} passed, {len(failed)} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
