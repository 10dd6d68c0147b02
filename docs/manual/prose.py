"""The pages of section 7, which are written by hand in docs/man: puts the code and the figures into them.

    .\\" @code FILE NAME     the lines of FILE between the comments "manual: NAME" and "end of NAME"; without NAME all of it
    .\\" @said            what a shell or a program says follows, which is in no program
    .\\" @figure NAME        a picture in characters follows, up to .\\" @end; the site has docs/site/NAME.svg in its place
"""

import pathlib
import re
import textwrap

from mdoc import escaped

WIDTH = 76


def passage(root, path, name):
    """Returns the lines of a program that a page shows."""
    lines = (root / path).read_text(encoding="utf-8").splitlines()
    if name:
        begin = [i for i, line in enumerate(lines) if line.strip() == f"/* manual: {name} */"]
        end = [i for i, line in enumerate(lines) if line.strip() == f"/* end of {name} */"]
        if len(begin) != 1 or len(end) != 1 or end[0] <= begin[0]:
            raise SystemExit(f"docs/manual: {path} has no passage {name}")
        lines = lines[begin[0] + 1:end[0]]
    lines = [line for line in lines if not re.fullmatch(r"\s*/\* (manual: \w+|end of \w+) \*/", line)]
    lines = textwrap.dedent("\n".join(lines)).expandtabs(4).splitlines()
    long = [line for line in lines if len(line) > WIDTH]
    if name and long:
        raise SystemExit(f"docs/manual: {path}, {name}: too long for a terminal: {long[0]}")
    return lines


def expanded(root, path, figure=None):
    """Returns the text of a page. `figure` may put something else in the place of a picture."""
    lines, skipping = [], False
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if line.startswith('.\\" @code '):
            lines += [".Bd -literal", *map(escaped, passage(root, words[2], " ".join(words[3:]))), ".Ed"]
        elif line.startswith('.\\" @figure '):
            skipping = figure is not None
            lines += [line] if figure is None else figure(words[2])
        elif line.startswith('.\\" @end'):
            skipping = False
        elif line.startswith('.\\" @') and line != '.\\" @said':
            raise SystemExit(f"docs/manual: {path.name}: unknown: {line}")
        elif not skipping:
            lines.append(line)
    return "\n".join(lines) + "\n"


def pages(root):
    return sorted(pathlib.Path(root, "docs/man").glob("*.7"), key=lambda path: path.stem)


def date(root):
    """Returns the date of the whole manual, which is that of tlsmem(7)."""
    return re.search(r"^\.Dd (.*)$", (root / "docs/man/tlsmem.7").read_text(encoding="utf-8"), re.M).group(1)
