"""Peers that take their time, and crowds of them. Time is scaled down: the target's deadlines are, too."""

import time

from attack import BOTH, CLIENT, SERVER, Attack, leave, listen, opened, plain, script
from attacker import DATA, HANDSHAKE, header, record
from hellos import hello_record

HURRY = ("handshake_ms=700",)
FOR_EVER = "OpenSSL's own programs have no deadlines"


def drips(data, most=200):
    """A byte each twentieth of a second, until the target has had enough."""
    def run(a):
        for byte in (data(a) if callable(data) else data)[:most]:
            a.send_plain(bytes([byte]))
            time.sleep(0.05)
    return run


def nothing(a):
    """Says nothing at all."""


def slow_data(a):
    """A record of data, a byte at a time: that is allowed to whoever is established."""
    tap = a._recordLayer._recordSocket.sock
    send, sent = tap.send, []
    tap.send = lambda data: (sent.append(bytes(data)), len(data))[1]
    a.send_record(DATA, b"slowly")
    tap.send = send
    for byte in sent[0]:
        a.send_plain(bytes([byte]))
        time.sleep(0.005)
    a.hear(b"slowly")


def silence_in_the_middle(a):
    """The first half of the handshake."""
    if a.target == SERVER:
        a.send_plain(hello_record(a.tls))
    else:
        a.read_record()


def late(name, how, options=HURRY, targets=BOTH, **more):
    return Attack(name, script(how, listen), None, "ETIMEOUT", targets, options=options, openssl=None, why=FOR_EVER, **more)


ATTACKS = [
    late("who connects and says nothing", nothing),
    late("a ClientHello, a byte at a time", drips(lambda a: hello_record(a.tls)), targets=(SERVER,)),
    late("a header, and nothing behind it", plain(header(HANDSHAKE, 200))),
    late("empty records, one at a time", drips(header(HANDSHAKE, 0) * 10)),
    late("warnings, one at a time", drips(record(21, b"\x01\x5a") * 2), targets=(CLIENT,)),
    late("silence in the middle of the handshake", silence_in_the_middle),
    late("silence after the handshake", opened(), ("read_ms=700",)),
    late("half a record after the handshake, and silence", opened(plain(header(DATA, 500) + bytes(100))), ("read_ms=700",)),
    late("nobody speaks after the handshake", opened(), ("idle_ms=700",)),
    Attack("data, a byte at a time", opened(slow_data, leave), None, "OK"),
]
