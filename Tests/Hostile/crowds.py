"""Thousands of peers who do nothing, or half of something: what each of them costs, and whether others are served."""

import collections
import contextlib
import re
import resource

from attack import FACES
from attacker import SERVER
from hellos import hello_record
from support import LIMIT
from targets import connected

PATIENT, HURRIED = ("handshake_ms=600000",), ("handshake_ms=2000",)


def nothing(plain):
    """Connects, and no more."""


def one_byte(plain):
    plain.sendall(b"\x16")


def half_a_hello(plain):
    plain.sendall(hello_record("1.3")[:100])


def half_a_handshake(plain):
    plain.sendall(hello_record("1.3"))


MOST = 100_000  # bytes for each: OpenSSL's own for a connection whose handshake is under way
CROWDS = [  # name, what each does, options of the target, bytes that each may cost, what each ends with
    ("who connect and say nothing", nothing, PATIENT, MOST, "EHANDSHAKEEOF"),
    ("who say one byte", one_byte, PATIENT, MOST, "EHANDSHAKEEOF"),
    ("who say half a ClientHello", half_a_hello, PATIENT, MOST, "EHANDSHAKEEOF"),
    ("who say a ClientHello and no more", half_a_handshake, PATIENT, MOST, "ERESET"),
    ("who connect, say nothing, and stay", nothing, HURRIED, MOST, "ETIMEOUT"),
]


def crowd(target, count, each, code, cost):
    """Returns what one costs, and what is wrong."""
    before, _, _ = target.heap()
    start, troubles = target.said(), []
    with contextlib.ExitStack() as stack:
        peers = []
        for _ in range(count):
            plain = connected(target.port)
            stack.callback(plain.close)
            each(plain)
            peers.append(plain)
        troubles.append(target.honest())
        during, there, _ = target.heap()
        if code == "ETIMEOUT":
            for plain in peers:
                plain.settimeout(LIMIT)
                while plain.recv(4096):  # until it has had enough of us
                    pass
    one = (during - before) / max(there, 1)
    troubles.append(target.honest())
    said = target.process.stdout
    try:
        said.wait_for_times(f" status=TLSMEM_{code} ".encode(), count, start)
    except AssertionError:
        ends = collections.Counter(re.findall(rb"^ended name=\d+ status=(\w+)", said.bytes[start:], re.MULTILINE))
        troubles.append(f"not all of them ended with {code}: {dict(ends)}")
    after, left, _ = target.heap()
    if one > cost:
        troubles.append(f"each costs {one:.0f} bytes, more than {cost}")
    if left or after - before > 200_000 + 64 * count:
        troubles.append(f"{left} connections and {after - before} bytes are left")
    return one, after - before, troubles


def rows(run, short, only):
    """Prints a row for each crowd and face."""
    count = 200 if short else 4000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, count + 512)), hard))
    for number, (name, each, options, cost, code) in enumerate(CROWDS):
        if only not in f"crowds: {name}":
            continue
        for face in FACES[number % 3:number % 3 + 1] if short else FACES:
            try:
                one, left, troubles = crowd(run.target(SERVER, face, options), count, each, code, cost)
            except (AssertionError, OSError) as error:
                one, left, troubles = 0, 0, [f"{type(error).__name__}: {error}"]
            run.count([trouble for trouble in troubles if trouble],
                      f"server     {face:8} {count} peers, {one / 1000:.1f} KB each, {left / 1000:.0f} KB afterwards  "
                      f"crowds: {name}")
