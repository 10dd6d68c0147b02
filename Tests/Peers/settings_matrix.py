#!/usr/bin/env python3
"""Runs the rows of test_settings_*.py, and prints them as a table: what `make settings` shows.

    settings_matrix.py [WORD...]      the rows in whose name one of the words occurs; all, unless some are given

A is an accepted connection, a number the alert of a refusal that both sides spoke of, an asterisk what a peer does otherwise
than we do, a point what it cannot do; the reasons of both stand below. FAIL is what should not be.
"""

import importlib
import subprocess
import sys

from settings import COLUMNS, run_row, workers
from settings_peers import command
from support import HERE, LIMIT


def rows(wanted):
    for path in sorted(HERE.glob("test_settings_*.py")):
        for row in importlib.import_module(path.stem).ROWS:
            if not wanted or any(word in row.name for word in wanted):
                yield row


def title(client, server):
    return f"{client.name}-{server.name}"


def print_notes(heading, cells):
    notes = {}
    for cell in cells:
        notes.setdefault(cell.reason, []).append(f"{cell.row.name} ({title(cell.client, cell.server)} {cell.version})")
    if notes:
        print(f"\n{heading}")
    for reason, places in notes.items():
        more = f" and {len(places) - 3} more" if len(places) > 4 else ""
        print(f"  {reason}: {'; '.join(places[:3 if more else 4])}{more}")


def main():
    subprocess.run([*command(), "version"], check=True, timeout=LIMIT)
    every = []
    width = 46
    titles = [title(client, server) for client, server in COLUMNS]
    print(f"{'client-server':{width}}", " ".join(f"{name:>14}" for name in titles))
    for row in rows(sys.argv[1:]):
        cells = run_row(row, workers())
        every += cells
        marks = [" ".join("FAIL" if not cell.good else cell.mark for cell in cells
                          if (cell.client, cell.server) == column) for column in COLUMNS]
        print(f"{row.name:{width}}", " ".join(f"{mark:>14}" for mark in marks), flush=True)
    bad = [cell for cell in every if not cell.good]
    print_notes("What a peer cannot do:", [cell for cell in every if cell.mark == "." and cell.good])
    print_notes("What a peer does otherwise:", [cell for cell in every if cell.mark.endswith("*") and cell.good])
    print_notes("FAIL:", bad)
    done = sum(cell.mark != "." for cell in every)
    print(f"\n{len(every)} cells, {len(every) - done} that a peer cannot do")
    print(f"settings: {done - len(bad)} passed, {len(bad)} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
