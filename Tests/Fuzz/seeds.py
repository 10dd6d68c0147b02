#!/usr/bin/python3
"""Seeds for the fuzzers whose inputs are programs: after_handshake and calls. What a byte means, their C says.

    seeds.py FOLDER      writes FOLDER/after_handshake and FOLDER/calls
"""

import pathlib
import sys

# after_handshake: what is done, its first argument, and the rest.
CONTENT, MESSAGE, RAW, KEY_UPDATE, DATA, FLIPPED, ALERT, CALL, _, CUT, TICKET, REQUEST, HONEST, _, REPEAT, END = range(16)
WRITE, REKEY, ASK, CLOSE, CLOSE_WRITE, READ, PAUSE, RESUME = 0, 2, 3, 4, 5, 6, 8, 9
RENEGOTIATE, UNWRAP, UNWRAPPED, CORK, UNCORK, TRIM, ABORT, TICK = range(10, 18)


def call(what, n=0):
    return bytes([CALL, 1, what, n >> 8, n & 255])


def data(n):
    return bytes([DATA, 1, n >> 8, n & 255])


def content(kind, body, zeros=0):
    byte = 192 + kind if kind > 24 else {20: 0, 21: 1, 22: 2, 23: 4, 24: 5}[kind]
    return bytes([CONTENT, len(body), byte]) + body + bytes([zeros])


def message(kind, body, lie=0, first=0):
    return bytes([MESSAGE, len(body), kind, lie, first]) + body


ALGORITHM = bytes([3])
AFTER_HANDSHAKE = {
    "data": data(100) + data(16384) + data(0) + call(WRITE, 5000) + bytes([END, 20]),
    "pieces": bytes([CUT, 1]) + data(300) + bytes([CUT, 7]) + data(3000),
    "updates": bytes([KEY_UPDATE, 1]) + data(5) + bytes([KEY_UPDATE, 0]) + data(5) + call(REKEY, 1) + data(9),
    "flood": bytes([REPEAT, 255, 8 | 1]),
    "empty": bytes([REPEAT, 100, 0]),
    "tickets": bytes([TICKET, 0]) + bytes([0, 0, 14, 16]) * 2 + bytes([2, 7, 7, 40]) + bytes(40) + bytes([0]),
    "request": bytes([REQUEST, 0, 4]) + b"ctxt" + ALGORITHM + bytes([4, 3, END, 20]),
    "split": message(24, b"\0", 0, 2) + data(4),
    "lies": message(4, b"12345678", 250, 0),
    "alerts": bytes([ALERT, 0, 90]) + bytes([ALERT, 0, 0]) + data(1),
    "fatal": bytes([ALERT, 1, 40]),
    "closed": data(3) + bytes([ALERT, 0, 0]) + call(UNWRAP) + bytes([RAW, 5]) + b"plain" + call(UNWRAPPED, 50),
    "flipped": bytes([FLIPPED, 50, 9]),
    "plain": bytes([RAW, 7]) + bytes([22, 3, 3, 0, 2, 1, 0]),
    "honest": bytes([HONEST, 0, 0, 1, 1, HONEST, 0, 2, 0, 1, HONEST, 0, 1, 0, 1, HONEST, 0, 3, 0, 1, END, 20]) + data(6),
    "again": call(RENEGOTIATE) + bytes([END, 20]) + data(5) + bytes([HONEST, 0, 1, 0, 1, END, 20]) + message(0, b""),
    "hello": message(1, b"\3\3" + bytes(32) + b"\0\0\2\xc0\x2b\1\0"),
    "asked": call(ASK) + bytes([END, 20]) + data(4) + message(11, b"\0\0\0\0"),
    "paused": call(PAUSE) + data(9000) + data(9000) + call(READ, 700) + call(RESUME) + data(5),
    "corked": call(CORK) + call(WRITE, 50) + call(WRITE, 30) + call(UNCORK) + bytes([END, 20]) + call(CLOSE_WRITE) + data(5),
    "ends": data(5) + call(CLOSE) + bytes([END, 0]) + call(TICK, 60000),
    "errors": data(5) + call(TRIM) + bytes([END, 9]) + call(ABORT),
    "odd": content(21, b"\1") + content(24, b"\1\0\0"),
    "types": content(30, b"?") + content(22, b"", 200),
}

# calls: what and to whom in the first byte, how in the second. In callbacks: 0 for nothing, or from 192 on that many more.
(WRITES, _, WRITES_EARLY, READS, READS_EARLY, PAUSES, RESUMES, PUMPS, _, _, CLOSES, KEYS, SMALL, HANDS, HARMS, ANEW) = (
    2 * what for what in range(16)
)
QUIET = bytes([PUMPS, 0, 0, 0, 0, 0, 0, 0])
ALL = bytes([PUMPS, 199, 0, 0, 0, 0]) * 6
CALLS = {
    "talk": ALL + bytes([WRITES, 100, WRITES + 1, 200]) + ALL + bytes([CLOSES, 0, CLOSES + 1, 0]) + ALL,
    "first": bytes([WRITES, 60, WRITES + 1 + 32, 60]) + ALL,
    "large": ALL + bytes([WRITES, 255, WRITES, 255, WRITES + 1, 250]) + ALL,
    "pull": bytes([SMALL, 7, SMALL + 1, 7, WRITES, 200]) + ALL + bytes([READS + 1, 30, READS + 1 + 32, 10]) + ALL,
    "paused": ALL + bytes([PAUSES + 1, 0, WRITES, 220]) + ALL + bytes([READS + 1, 10, RESUMES + 1, 0]) + ALL,
    "half": ALL + bytes([CLOSES, 1, WRITES + 1, 90]) + ALL + bytes([CLOSES + 1, 1]) + ALL,
    "plain-again": ALL + bytes([CLOSES, 2, CLOSES + 1, 2]) + ALL + bytes([CLOSES, 3]),
    "aborted": ALL + bytes([CLOSES, 4]) + ALL,
    "freed": ALL + bytes([WRITES, 90, CLOSES + 1, 5]) + ALL,
    "freed-inside": QUIET * 2 + bytes([PUMPS, 10, 255, CLOSES, 5, 255, CLOSES + 1, 5]) + ALL,
    "keys": ALL + bytes([KEYS, 1, WRITES, 9, KEYS + 1, 0, KEYS + 1, 3, KEYS, 2]) + ALL + bytes([WRITES + 1, 9]) + ALL,
    "moved": QUIET
    + bytes([HANDS, 2, HANDS + 1, 1])
    + ALL
    + bytes([WRITES, 80, HANDS, 0, HANDS + 1, 3])
    + ALL
    + bytes([HANDS, 3])
    + ALL,
    "back": ALL
    + bytes([WRITES + 1, 9])
    + ALL
    + bytes([SMALL, 11, ANEW, 0x55, WRITES_EARLY, 50])
    + ALL
    + bytes([READS_EARLY + 1, 60])
    + ALL,
    "harmed": QUIET + bytes([HARMS, 0x80 | 0x0F, 1, 90, HARMS + 1, 0x80 | 0x15, 9, 200]) + ALL + ALL,
    "reset": ALL + bytes([WRITES, 90, HARMS, 0xC0, 0, 0]) + ALL,
    "cut": QUIET + bytes([HARMS, 0x81, 0, 1]) + ALL,
    "answers": bytes([PUMPS, 9, 1, 0, HARMS, 3, PUMPS, 9, 1, 0, HARMS, 8]) + ALL + bytes([HARMS, 0xF]) + ALL,
    "corks": ALL + bytes([SMALL, 0, WRITES, 7, WRITES, 8, SMALL, 1, SMALL, 2, SMALL, 6]) + ALL,
    "late": bytes([SMALL, 4, SMALL + 1, 255, PUMPS, 255, SMALL + 1, 15]) + ALL + bytes([PUMPS, 255, SMALL, 9, SMALL, 10]) + ALL,
}


def main():
    folder = pathlib.Path(sys.argv[1])
    for fuzzer, rows in (("after_handshake", AFTER_HANDSHAKE), ("calls", CALLS)):
        place = folder / fuzzer
        place.mkdir(parents=True, exist_ok=True)
        for number, (name, program) in enumerate(rows.items()):
            if fuzzer == "after_handshake":
                variants = [bytes([kind]) for kind in (number % 2, 2 + number % 2, 4 * (number % 8) + 8, 32 + 3)]
            else:
                kinds = (number % 64, 64 + number % 4, 32 + number % 3, 8 + number % 2)
                variants = [bytes([kind, (number * 5 + kind) % 16]) for kind in kinds]
            for variant, head in enumerate(variants):
                (place / f"{name}-{variant}").write_bytes(head + program)


if __name__ == "__main__":
    main()
