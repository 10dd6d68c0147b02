#!/usr/bin/env python3
"""Holds what CONTRIBUTING.md asks of every function, and status, of the header against the tree. Prints what is not so.

    Tests/checks/exports.py comments    it says in a comment what it does and what it returns
    Tests/checks/exports.py swift       it is exported once, from Sources/tlsmem/Exports+*.swift
    Tests/checks/exports.py statuses    each status has its name, and a sentence
    Tests/checks/exports.py tests       a test in C uses it, besides those that call every function with nonsense
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "docs/manual"))
sys.dont_write_bytecode = True
import header  # noqa: E402

LEAST = 200  # a header in which hardly anything is found is not read rightly

# Functions of which a comment above says for all what they return: as they begin, and how that reads.
FAMILIES = {
    r"tlsmem_ctx_(set|add|remove|request|require|insecure)_": "Every setter returns TLSMEM_OK;",
    r"tlsmem_peer_": "Returns the length of what is to be copied, in any case",
}
SAYS = re.compile(r"\bReturns?\b|\bAs tlsmem_\w+|\bThe same\b")


def functions(contract):
    """Each function of the header: its name, whether it returns anything, and its comment, which twins below it share."""
    for function in contract.functions:
        for result, name, _ in function.prototypes:
            yield name, result != "void", function.text


def comments(found, contract):
    for name, has_result, comment in found:
        above = [saying for start, saying in FAMILIES.items() if re.match(start, name)]
        if not comment:
            yield f"{name} has no comment"
        elif has_result and not SAYS.search(comment) and not any(s in note.text for s in above for note in contract.notes):
            yield f"{name} does not say what it returns"


def swift(found, _):
    exports = {}
    for path in sorted(ROOT.glob("Sources/*/*.swift")):
        for name in re.findall(r"^@implementation @_cdecl\(\"(\w+)\"\)$", path.read_text(encoding="utf-8"), re.M):
            exports.setdefault(name, []).append(path)
    for name, _, _ in found:
        places = exports.get(name, [])
        if [place.match("Sources/tlsmem/Exports+*.swift") for place in places] != [True]:
            yield f"{name} is exported from: {', '.join(place.name for place in places) or 'nowhere'}"


def statuses(_, contract):
    words = (ROOT / "Sources/tlsmem/Status.swift").read_text(encoding="utf-8")
    for name in contract.statuses:
        if f"        case {name}: \"{name}\"\n" not in words:
            yield f"{name} is not a status's name"
        if not re.search(rf"^        case {name}: \"(?!TLSMEM_)[^\"]+\"", words, re.M):
            yield f"{name} has no sentence"


def tests(found, _):
    used = set()
    for path in ROOT.glob("Tests/**/*.[ch]"):
        if not re.match(r"misuse|states\.", path.name):
            used |= set(re.findall(r"\btlsmem_\w+", path.read_text(encoding="utf-8")))
    for name, _, _ in found:
        if name not in used:
            yield f"{name} is used by no test"


def main():
    contract = header.read(ROOT / "include/tlsmem.h")
    found = list(functions(contract))
    asked = {"comments": comments, "swift": swift, "statuses": statuses, "tests": tests}[sys.argv[1]]
    for line in asked(found, contract):
        print(line)
    if len(found) < LEAST:
        print(f"only {len(found)} functions were found in the header")


if __name__ == "__main__":
    main()
