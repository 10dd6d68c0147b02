"""Too much of what is allowed, from peers that do not even read the answers (RFC 8446, 4.6.3; RFC 5246, 7.4.1)."""

import os
import select

from tlslite.errors import TLSAbruptCloseError

import fast
from attack import (BOTH, CLIENT, DECODE_ERROR, ILLEGAL_PARAMETER, SERVER, UNEXPECTED_MESSAGE, Attack, leave, listen, opened,
                    sealed)
from attacker import ALERT, CCS, DATA, HANDSHAKE
from hellos import EXTENDED_MASTER_SECRET, RENEGOTIATION, client_hello, message, number, usual, vector

PROTOCOL, LIMITED = "EPROTOCOL", "ELIMIT"
T12, T13 = ("1.2",), ("1.3",)
CONTROL = 65536 + 16384  # control_max, and what one turn may add to it
UPDATE, UPDATE_AND_ANSWER = b"\x18\0\0\1\0", b"\x18\0\0\1\1"
SMALL = 8192
FEW = ("update_burst=100", "update_rate=10")
NOBODY = "OpenSSL has no such limit"


def updates(count, answer, read=True):
    """KeyUpdates, which want an answer or not, many in one packet."""
    def run(a):
        a.silent = not read
        for _ in range(count // 100):
            a.sock.buffer_writes = True
            for _ in range(100):
                a.key_update(answer)
            a.sock.flush()
            while read and a.ending is None and select.select([a.plain], [], [], 0)[0]:
                take_some(a)
        a.sock.buffer_writes = False
    return run


def take_some(a):
    """Takes one record of the target's, if it is not its last one."""
    try:
        a.take(*a.read_record())
    except OSError:
        a.ending = "reset"
    except TLSAbruptCloseError:
        a.ending = "end of file"


def tickets(size):
    """A thousand tickets, each of so many bytes."""
    def run(a):
        for count in range(1000):
            a.send_record(HANDSHAKE, message(4, bytes(8) + vector(number(count), 1) + vector(os.urandom(size), 2) + number(0)))
    return run


def renegotiations(count):
    """Each a whole ClientHello, or HelloRequest, to which the answer is no."""
    def run(a):
        a.silent = True
        ask = message(0, b"") if a.target == CLIENT else client_hello("1.2", usual("1.2") | verification(a))
        for _ in range(count):
            a.send_record(HANDSHAKE, ask)
    return run


def verification(a):
    """Ties a second handshake to the first (RFC 5746, 3.4)."""
    return {RENEGOTIATION: vector(a.sent["Finished"][4:], 1)}


def begin_again(a):
    """Begins a renegotiation, which is allowed, and never goes on with it."""
    a.send_record(HANDSHAKE, client_hello("1.2", usual("1.2") | verification(a) | {EXTENDED_MASTER_SECRET: b""},
                                            ciphers=bytes.fromhex("C02BC02F")))


def unread(step, times=1):
    """Does that, and reads nothing any more."""
    def run(a):
        a.silent = True
        for _ in range(times):
            step(a)
    return run


def flood(bytes_most):
    """Sends as much as is taken, and reads nothing."""
    def run(a):
        tls = fast.Connection(a)
        tls.handshake()
        waiting = memoryview(tls.seal(bytes(bytes_most)))
        a.plain.setblocking(False)
        while waiting and select.select([], [a.plain], [], 0.3)[1]:
            waiting = waiting[a.plain.send(waiting[:1 << 16]):]
        a.plain.settimeout(30)
        a.silent = True
    return run


ATTACKS = [
    Attack("a KeyUpdate, and an answer to it", opened(lambda a: a.key_update(1), leave), None, "OK", versions=T13),
    Attack("a KeyUpdate that asks for something else", opened(sealed(HANDSHAKE, b"\x18\0\0\1\2")), ILLEGAL_PARAMETER, PROTOCOL,
           versions=T13),
    Attack("a KeyUpdate of no bytes", opened(sealed(HANDSHAKE, b"\x18\0\0\0")), DECODE_ERROR, PROTOCOL, versions=T13),
    Attack("a KeyUpdate of two bytes", opened(sealed(HANDSHAKE, b"\x18\0\0\2\0\0")), ILLEGAL_PARAMETER, LIMITED, versions=T13),
    Attack("a KeyUpdate in TLS 1.2", opened(sealed(HANDSHAKE, UPDATE)), UNEXPECTED_MESSAGE, PROTOCOL, versions=T12),
    Attack("a KeyUpdate with another behind it in its record", opened(sealed(HANDSHAKE, UPDATE + UPDATE)), UNEXPECTED_MESSAGE,
           PROTOCOL, versions=T13),
    Attack("300 KeyUpdates at once", opened(updates(300, 0), leave), None, "OK", versions=T13),
    Attack("600 KeyUpdates where 100 are allowed", opened(updates(600, 0)), None, LIMITED, versions=T13, openssl=None, why=NOBODY,
           options=FEW),
    Attack("600 KeyUpdates that want answers", opened(updates(600, 1)), None, LIMITED, versions=T13, openssl=None, why=NOBODY,
           options=FEW),
    Attack("600 KeyUpdates that want answers, which nobody reads", opened(updates(600, 1, False)), None, LIMITED, versions=T13,
           openssl=None, why=NOBODY, options=FEW, queued=CONTROL, window=SMALL),
    Attack("answers to KeyUpdates that nobody reads, with no limit to their rate", opened(updates(4000, 1, False)), None, LIMITED,
           versions=T13, openssl=None, why=NOBODY, options=("update_burst=1000000", "send_buffer=4096"), window=SMALL,
           queued=CONTROL, cpu=20),

    Attack("3000 renegotiations that are refused, and nobody reads that", opened(renegotiations(3000)), None, LIMITED,
           versions=T12,
           openssl=None, why=NOBODY, queued=CONTROL, window=SMALL),
    Attack("a renegotiation that is begun and never gone on with", opened(begin_again, listen), None, "ETIMEOUT", (SERVER,), T12,
           options=("renegotiation", "handshake_ms=700"), openssl=None, why="it waits for ever"),
    # The key needs the answer: so who does not read it cannot go on, and no more than one answer waits.
    Attack("a renegotiation that is allowed, whose answer nobody reads", opened(unread(begin_again)), None, "ETIMEOUT",
           (SERVER,), T12, options=("renegotiation", "handshake_ms=700", "send_buffer=4096"), window=SMALL, queued=CONTROL,
           openssl=None, why="it waits for ever"),
    Attack("a hundred renegotiations that are allowed, whose answers nobody reads", opened(unread(begin_again, 100)),
           UNEXPECTED_MESSAGE, PROTOCOL, (SERVER,), T12, options=("renegotiation", "handshake_ms=700", "send_buffer=4096"),
           window=SMALL, queued=CONTROL, openssl=None, why="it refuses them all"),
    Attack("a ClientHello after the handshake", opened(lambda a: a.send_record(HANDSHAKE, client_hello("1.3"))),
           UNEXPECTED_MESSAGE,
           PROTOCOL, versions=T13),
    Attack("a HelloRequest", opened(sealed(HANDSHAKE, message(0, b""))), UNEXPECTED_MESSAGE, PROTOCOL, versions=T13),

    Attack("echoes that nobody reads", flood(1 << 25), None, "ETIMEOUT", options=("write_ms=700", "send_buffer=4096"),
           heap=3_000_000,
           queued=600_000, window=SMALL, cpu=5, openssl=None, why="it does not echo"),

    Attack("a thousand warnings", opened(sealed(ALERT, b"\x01\x5a", 1000)), UNEXPECTED_MESSAGE, PROTOCOL),
    Attack("a thousand warnings of which each has data behind it",
           opened(lambda a: [(a.send_record(ALERT, b"\x01\x5a"), a.send_record(DATA, b".")) for _ in range(1000)], leave), None,
           "OK"),
    Attack("change_cipher_spec after the handshake", opened(sealed(CCS, b"\x01")), UNEXPECTED_MESSAGE, PROTOCOL),
    Attack("a thousand change_cipher_specs after the handshake", opened(sealed(CCS, b"\x01", 1000)), UNEXPECTED_MESSAGE,
           PROTOCOL),
    Attack("5000 records of one byte", opened(sealed(DATA, b"x", 5000), leave), None, "OK", queued=1 << 18, cpu=5),
    Attack("a heartbeat", opened(sealed(24, b"\x01\x40\x00")), UNEXPECTED_MESSAGE, PROTOCOL),

    Attack("a thousand tickets", opened(tickets(200), leave), None, "OK", (CLIENT,), T13, cpu=5),
    Attack("a thousand tickets of 14 KB", opened(tickets(14000), leave), None, "OK", (CLIENT,), T13, cpu=5),
    Attack("a ticket in TLS 1.2", opened(sealed(HANDSHAKE, message(4, bytes(6)))), UNEXPECTED_MESSAGE, PROTOCOL, (CLIENT,), T12),
    Attack("a ticket of no bytes", opened(sealed(HANDSHAKE, message(4, b""))), DECODE_ERROR, PROTOCOL, (CLIENT,), T13),
    Attack("a ticket from a client", opened(sealed(HANDSHAKE, message(4, bytes(20)))), UNEXPECTED_MESSAGE, PROTOCOL, (SERVER,),
           T13),
    Attack("a certificate request to who has not offered to answer", opened(sealed(HANDSHAKE, message(13, vector(b"x",
           1) + bytes(2)))),
           UNEXPECTED_MESSAGE, PROTOCOL, (CLIENT,), T13),
    Attack("a certificate that nobody asked for", opened(sealed(HANDSHAKE, message(11, bytes(4)))), UNEXPECTED_MESSAGE, PROTOCOL,
           BOTH, T13),
    Attack("Finished, again", opened(sealed(HANDSHAKE, message(20, bytes(32)))), UNEXPECTED_MESSAGE, PROTOCOL, BOTH, T13),
    Attack("a message that says it has 16 MB", opened(sealed(HANDSHAKE, b"\x18\xff\xff\xff" + bytes(1000))), ILLEGAL_PARAMETER,
           LIMITED,
           BOTH, T13),
]
