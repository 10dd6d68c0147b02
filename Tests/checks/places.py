#!/usr/bin/env python3
"""Holds what the papers for contributors say of the tree against the tree. Prints what is not so.

    Tests/checks/places.py paths PAGE...    each file, folder, function of Swift and link that they name is there
    Tests/checks/places.py arrows PAGE      its table of targets has the targets and dependencies of Package.swift

A file is named as `Folder/file`, from the top, with `*` for any; or, if it ends in .swift, .patch or .md, by its name alone,
when there is one of that name. A function of Swift is named as `Type.function`.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LEAST = 10  # a page in which hardly anything is found is not read rightly
PLACE = re.compile(r"^[\w.][\w.*+-]*/[\w.*+/-]*$")
NAME = re.compile(r"^[\w+-]+\.(?:swift|patch|md)$")
FUNCTION = re.compile(r"^[A-Z]\w+\.([a-z]\w+)$")


def is_there(word, swift):
    """Whether what a word names is there; None when it names nothing of the tree."""
    command = word.split(" ")[0]  # `Tests/check fast`
    if word.startswith("build/"):
        return None
    if PLACE.match(command):
        return any(ROOT.glob(command.rstrip("/")))
    if NAME.match(word):
        return sum(len(list(ROOT.glob(folder + word))) for folder in ("", "Sources/*/", "Tests/*/")) == 1
    if function := FUNCTION.match(word):
        return re.search(rf"\bfunc {function[1]}\(", swift) is not None
    return None


def paths(pages):
    swift = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("Sources/*/*.swift"))
    for page in pages:
        found = 0
        for number, line in enumerate((ROOT / page).read_text(encoding="utf-8").split("\n"), 1):
            for word in re.findall(r"`([^`]+)`", line):
                there = is_there(word, swift)
                found += there is not None
                if there is False:
                    yield f"{page}:{number}: there is no {word}"
            for link in re.findall(r"\]\(([^):#]+)\)", line):
                if not (ROOT / page).parent.joinpath(link).exists():
                    yield f"{page}:{number}: there is no {link}"
        if found < LEAST:
            yield f"{page}: only {found} places were found"


def arrows(pages):
    manifest = (ROOT / "Package.swift").read_text(encoding="utf-8")
    made = {}
    for target in re.findall(r"\.(?:systemLibrary|target)\((.*?)(?=\n        \.|\n    \])", manifest, re.S):
        name = re.search(r"name: \"(\w+)\"", target)[1]
        imports = re.search(r"dependencies: \[([^]]*)\]", target)
        made[name] = set(re.findall(r"\"(\w+)\"", imports[1])) if imports else set()
    made = {name: imports for name, imports in made.items() if not name.startswith("Test")}
    shown = {}
    for row in re.findall(r"^\| `(\w+)` \|([^|]*)\|", (ROOT / pages[0]).read_text(encoding="utf-8"), re.M):
        if row[0] in made:
            shown[row[0]] = set(re.findall(r"`(\w+)`", row[1]))
    if len(made) < 9:
        yield f"Package.swift: only {len(made)} targets were found"
    for name in made:
        if made[name] != shown.get(name):
            yield f"{pages[0]}: {name} imports {sorted(made[name])}, and the table has {sorted(shown.get(name, ['no row']))}"


def main():
    for line in {"paths": paths, "arrows": arrows}[sys.argv[1]](sys.argv[2:]):
        print(line)


if __name__ == "__main__":
    main()
