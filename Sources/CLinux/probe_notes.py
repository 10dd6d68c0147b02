#!/usr/bin/env python3
"""Takes from a library the notes of probes that the linker has dropped: probe_notes.py LIBRARY

A function that is inlined everywhere, or that another module has a copy of, leaves the library; its note stays, as notes do, with
an address near 0. A tracer that believes it writes into the tables at the library's beginning. <sys/sdt.h> has no notes that
the linker would drop with their code.
"""

import pathlib
import re
import struct
import subprocess
import sys
import tempfile


def kept(notes, code):
    """Yields the notes whose place, the first word of what they tell, is in the code. Words are of the machine's size."""
    word = "Q" if sys.maxsize > 1 << 32 else "I"
    at = 0
    while at < len(notes):
        owner, told, _ = struct.unpack_from("=III", notes, at)
        begin = at + 12 + -(-owner // 4) * 4
        end = begin + -(-told // 4) * 4
        if struct.unpack_from("=" + word, notes, begin)[0] in code:
            yield notes[at:end]
        at = end


def main(library):
    sections = subprocess.run(["readelf", "-SW", library], check=True, capture_output=True, text=True).stdout
    if ".note.stapsdt" not in sections:
        return  # built without <sys/sdt.h>
    start, size = (int(number, 16) for number in re.search(r"\] \.text +PROGBITS +(\w+) \w+ (\w+)", sections).groups())
    with tempfile.TemporaryDirectory() as folder:
        notes = pathlib.Path(folder, "notes")
        subprocess.run(["objcopy", "--dump-section", f".note.stapsdt={notes}", library, f"{folder}/copy"], check=True)
        notes.write_bytes(b"".join(kept(notes.read_bytes(), range(start, start + size))))
        subprocess.run(["objcopy", "--update-section", f".note.stapsdt={notes}", library], check=True)


main(*sys.argv[1:])
