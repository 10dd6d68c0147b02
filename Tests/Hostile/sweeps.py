"""An honest session over a wire that cuts or spoils it, once at each of its bytes, or at each of its records. The honest peer
is OpenSSL's TLS (fast.py); behind what was spoiled it says nothing more, and ends TCP."""

import collections
import contextlib
import socket
import ssl
import types

import fast
from attack import BOTH, FACES, VERSIONS

WORDS = b"what an honest peer has to say, in one record"
SHORT = 9  # places, in the short form
# What a session may end with that has been spoiled. An internal error is none of them, and neither is a clean end.
SPOILT = {"EPROTOCOL", "EHANDSHAKEEOF", "ETRUNCATED", "ENOTTLS", "EVERSION", "ECIPHER", "EALPN", "ELIMIT", "EALERT", "EVERIFY",
          "EHOST", "EEXPIRED"}


def split(data):
    """Returns the records in these bytes."""
    records, at = [], 0
    while at < len(data):
        length = 5 + int.from_bytes(data[at + 3:at + 5], "big")
        records.append(data[at:at + length])
        at += length
    return records


# ---- what becomes of a flight: functions of its bytes or records and of a place in it

def cut(flight, place):
    return flight[:place]


def flip(flight, place):
    return flight[:place] + bytes([flight[place] ^ 1 << place % 8]) + flight[place + 1:]


def drop(records, place):
    return records[:place] + records[place + 1:]


def repeat(records, place):
    return records[:place + 1] + records[place:]


def swap(records, place):
    """With the one before it."""
    before = max(place - 1, 0)
    return records[:before] + records[before:place + 1][::-1] + records[place + 1:]


SWEEPS = [  # name, what is counted, what is done there, what may come of it
    ("cut at each byte", "bytes", cut, {"EHANDSHAKEEOF", "ETRUNCATED"}),
    ("a bit flipped in each byte", "bytes", flip, SPOILT),
    ("each record left out", "records", drop, SPOILT),
    ("each record twice", "records", repeat, SPOILT),
    ("each record before the one before", "records", swap, SPOILT),
]


class Gone(Exception):
    """Nothing more passes."""


class Wire(fast.Connection):
    """Spoils what passes at one place, counted in bytes or records from the beginning; None: nowhere."""

    def __init__(self, a, unit, spoil, place):
        super().__init__(a)
        self.unit, self.spoil, self.place, self.passed = unit, spoil, place, 0
        self.is_whole = True

    def send(self):
        data = self.outgoing.read()
        flight = split(data) if self.unit == "records" else data
        within = -1 if self.place is None else self.place - self.passed
        if 0 <= within < len(flight):
            self.is_whole = False
            spoilt = self.spoil(flight, within)
            self.plain.sendall(b"".join(spoilt) if self.unit == "records" else spoilt)
            raise Gone
        self.plain.sendall(data)
        self.passed += len(flight)

    def session(self):
        """A handshake, an exchange and a close. Returns what was echoed."""
        self.handshake()
        if self.target == "client":
            self.read(6)
        self.tls.write(WORDS)
        self.send()
        echo = self.read(len(WORDS))
        with contextlib.suppress(ssl.SSLError):
            self.tls.unwrap()
        self.send()
        return echo


def session(target, version, unit, spoil, place):
    """Returns how the target's connection ended, the wire, and what is wrong besides."""
    start = target.said()
    plain, name = target.connection(0)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    echo = None
    with contextlib.closing(plain):
        wire = Wire(types.SimpleNamespace(plain=plain, target=target.role, tls=version), unit, spoil, place)
        with contextlib.suppress(ssl.SSLError, OSError, Gone):
            echo = wire.session()
        with contextlib.suppress(OSError):
            plain.shutdown(socket.SHUT_WR)
            while plain.recv(1 << 16):
                pass
        end = target.ended(name, start)
    return end, wire, "the echo is another one" if echo not in (None, WORDS) else None


def sweep(target, version, unit, spoil, allowed, short):
    """Returns the ends that were met, with how often each, and what is wrong."""
    ends, troubles, heap = collections.Counter(), [], 0
    end, wire, trouble = session(target, version, unit, spoil, None)
    places = wire.passed
    if trouble or end["status"] != "TLSMEM_OK":
        troubles.append(f"a session that nobody spoils ends with {end['status']}")
    for place in range(0, places, max(1, places // SHORT) if short else 1):
        end, wire, trouble = session(target, version, unit, spoil, place)
        code = end["status"][7:]
        ends[code] += 1
        heap = max(heap, end["heap"])
        # close_notify has a flight to itself, and may come twice; and a signature may be a byte shorter this time.
        harmless = code == "OK" and (wire.is_whole or spoil in (repeat, swap) and place == places - 1)
        if trouble or not (code in allowed or harmless):
            troubles.append(f"at {place} of {places} it ended with {code}, {end['reason']}; {trouble or ''}")
    return ends, heap, [trouble for trouble in [*troubles, target.honest()] if trouble]


def rows(run, short, only):
    """Prints a row for each sweep, role, version and face."""
    number = 0
    for name, unit, spoil, allowed in SWEEPS:
        if only not in f"sweeps: {name}":
            continue
        for role in BOTH:
            for version in VERSIONS:
                number += 1
                for face in FACES[number % 3:number % 3 + 1] if short else FACES:
                    try:
                        ends, heap, troubles = sweep(run.target(role, face, ()), version, unit, spoil, allowed, short)
                    except (AssertionError, OSError) as error:
                        ends, heap, troubles = {}, 0, [f"{type(error).__name__}: {error}"]
                    told = ", ".join(f"{code} {count}" for code, count in sorted(ends.items()))
                    run.count(troubles, f"{role:6} {version} {face:8} {told:45} {heap / 1000:6.0f} KB  sweeps: {name}")
