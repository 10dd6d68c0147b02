#!/usr/bin/env python3
"""Prints tlsmem_dynamic.h: include/tlsmem_dynamic.h.in, with what include/tlsmem.h declares.

    include/dynamic.py SONAME       libtlsmem.so.0
"""

import pathlib
import sys
import textwrap

sys.dont_write_bytecode = True
here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent / "docs/manual"))

import header  # noqa: E402

KEYWORDS = {"new"}  # of C++, as far as a function is called so; compiling the header finds another


def member(name):
    """Returns what a function is called in the struct."""
    short = name.removeprefix("tlsmem_")
    return short + "_" * (short in KEYWORDS)


def pointer(kind, name, arguments, checked):
    """Returns the member that points to a function, in lines of some 120 columns."""
    gap = "" if kind.endswith("*") else " "
    text = f"{kind}{gap}(*{member(name)})({', '.join(arguments)}){' TLSMEM_CHECK' if checked else ''};"
    return textwrap.fill(text, 120, initial_indent=" " * 4, subsequent_indent=" " * 8, break_long_words=False)


def main(arguments):
    if len(arguments) != 1 or not arguments[0].startswith("libtlsmem.so."):
        raise SystemExit(__doc__)
    declared = header.read(here / "tlsmem.h")
    members, functions = [], []
    for group, those in declared.groups.items():
        members.append(f"\n    /* {group} */")
        for function in those:
            for kind, name, parameters in function.prototypes:
                members.append(pointer(kind, name, parameters, function.checked))
                functions.append(f'        {{ "{name}", offsetof(tlsmem_api, {member(name)}) }},')
    text = (here / "tlsmem_dynamic.h.in").read_text(encoding="utf-8")
    for word, lines in (("MEMBERS", members), ("FUNCTIONS", functions), ("SONAME", arguments),
                        ("SYMBOLS", ["TLSMEM_" + arguments[0].removeprefix("libtlsmem.so.")])):
        text = text.replace(f"@{word}@", "\n".join(lines))
    print(text, end="")


main(sys.argv[1:])
