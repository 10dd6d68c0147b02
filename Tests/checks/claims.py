#!/usr/bin/env python3
"""Holds what docs/requirements.md and SECURITY.md claim against the tree: each test that they name is there, and each figure is
that of the source. Prints what is not so.

    Tests/checks/claims.py tests PAGE [ALL]      the tests of a page; with ALL each row of its tables has to name one
    Tests/checks/claims.py figures PAGE          rows with a place in the source, `File.swift`: name, and its number before it

A test is `Folder/file`: name, as in a table's last column, several behind <br>; folders are those of Tests.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
REFERENCE = re.compile(r"^`([\w/-]+\.(?:c|swift|py))`: (.+)$")
LEAST = 20  # a page in which hardly anything is found is not read rightly


def rows(page):
    """The rows of all tables, without their heads: (line number, cells)."""
    lines = (ROOT / page).read_text(encoding="utf-8").split("\n")
    for number, line in enumerate(lines, 1):
        is_head = number < len(lines) and re.match(r"^\|[-|]+\|$", lines[number])
        if line.startswith("| ") and not is_head:
            yield number, [cell.strip() for cell in line.strip("|").split(" | ")]


def is_defined(path, name):
    """Whether a test of that name stands in the file: a function of Swift or Python, or a text of C."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".swift":
        return f"func `{name}`" in text
    if path.suffix == ".py":
        return re.search(rf"^    def {re.escape(name)}\(self", text, re.M) is not None
    return re.search(rf'"{re.escape(name)}(?:"|[,:] | ?%)', text) is not None


def references(cells):
    for part in cells[-1].split("<br>"):
        match = REFERENCE.match(part.strip())
        if match:
            yield match.groups()
        elif "`" in part:
            yield part, None


def tests(page, is_each_shown):
    found = 0
    for number, cells in rows(page):
        named = list(references(cells))
        found += len(named)
        if is_each_shown and not named:
            yield f"{page}:{number}: no test is named"
        for file, name in named:
            path = ROOT / "Tests" / file
            if name is None or not path.is_file():
                yield f"{page}:{number}: there is no file {file}"
            elif not is_defined(path, name):
                yield f"{page}:{number}: {file} has no test \"{name}\""
    if found < LEAST:
        yield f"{page}: only {found} tests were found"


def value(file, name):
    """The number that a constant has in the source, by whatever small sum."""
    text = next(ROOT.glob(f"Sources/*/{file}")).read_text(encoding="utf-8")
    match = re.search(rf"\b(?:let|var) {name}\b[^={{\n]*[={{] *([\d_ ()<*+-]+)\b", text)
    match = match or re.search(rf"\b{name}: ([\d_]+)[,)]", text)
    return None if match is None else eval(match[1], {"__builtins__": {}})  # digits and operators only


def figures(page):
    found = 0
    for number, cells in rows(page):
        places = [re.match(r"^`(\w[\w+]*\.swift)`: (\w+)$", cell) for cell in cells]
        for before, place in zip(cells, places[1:]):
            if place is None:
                continue
            found += 1
            if value(*place.groups()) != int(before.replace(" ", "")):
                yield f"{page}:{number}: {place[2]} is {value(*place.groups())}, and not {before}"
    if found < 10:
        yield f"{page}: only {found} figures were found"


def main():
    command, page = sys.argv[1:3]
    said = tests(page, "ALL" in sys.argv[3:]) if command == "tests" else figures(page)
    for line in said:
        print(line)


if __name__ == "__main__":
    main()
