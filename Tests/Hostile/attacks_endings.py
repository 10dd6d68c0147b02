"""Ends that are none, too early, or said twice (RFC 8446, 6.1; RFC 5246, 7.2.1)."""

import socket
import struct

from attack import CLIENT, SERVER, UNEXPECTED_MESSAGE, Attack, changed, fin, leave, opened, plain, script, sealed
from attacker import ALERT, DATA, HANDSHAKE, header, record
from hellos import hello_record

CLOSE, CANCEL = b"\x01\x00", b"\x01\x5a"
FIRST = {SERVER: UNEXPECTED_MESSAGE, CLIENT: None}  # a server has to be greeted by a ClientHello, and by nothing else


def reset(a):
    """Ends TCP by RST."""
    a.plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    a.plain.close()
    a.silent = True


def half_a_record(a):
    """The first half of an encrypted record."""
    socket_of_it = a._recordLayer._recordSocket.sock
    send, sent = socket_of_it.send, []
    socket_of_it.send = lambda data: (sent.append(bytes(data)), len(data))[1]
    a.send_record(DATA, bytes(1000))
    socket_of_it.send = send
    a.send_plain(sent[0][:500])


def read_one(a):
    """Takes one record."""
    a.read_record()


def at_its_end(a):
    """Nothing more is sent; it is heard to its end."""
    a.hear()


ATTACKS = [
    # ---- before and in the handshake
    Attack("a connection that ends at once", fin, None, "EHANDSHAKEEOF"),
    Attack("a connection that is reset at once", reset, None, "ERESET", (SERVER,)),
    Attack("half a header, and the end", script(plain(b"\x16\x03"), fin), None, "EHANDSHAKEEOF"),
    Attack("a header, and the end", script(plain(header(HANDSHAKE, 200)), fin), None, "EHANDSHAKEEOF"),
    Attack("half a ClientHello, and the end", script(plain(lambda a: hello_record(a.tls)[:60]), fin), None, "EHANDSHAKEEOF",
           (SERVER,)),
    Attack("a ClientHello, and a reset", script(plain(lambda a: hello_record(a.tls)), reset), None, "ERESET", (SERVER,),
           openssl=None),
    Attack("a reset behind the ClientHello", script(read_one, reset), None, "ERESET", (CLIENT,)),
    Attack("close_notify in place of Finished", changed(Finished=lambda a, data: [(ALERT, CLOSE)]),
           {"1.2": UNEXPECTED_MESSAGE, "1.3": None}, {"1.2": "EPROTOCOL", "1.3": "EHANDSHAKEEOF"}),
    Attack("close_notify first of all", script(plain(record(ALERT, CLOSE)), fin), FIRST,
           {SERVER: "EPROTOCOL", CLIENT: "EHANDSHAKEEOF"}),
    Attack("a fatal alert first of all", script(plain(record(ALERT, b"\x02\x50"))), FIRST, {SERVER: "EPROTOCOL",
           CLIENT: "EALERT"}),

    # ---- afterwards
    Attack("the end of TCP without close_notify", opened(fin), None, "ETRUNCATED"),
    Attack("the end of TCP in the middle of a record", opened(half_a_record, fin), None, "ETRUNCATED"),
    Attack("the end of TCP in the middle of a header", opened(plain(b"\x17\x03"), fin), None, "ETRUNCATED"),
    Attack("a reset", opened(reset), None, "ERESET"),
    Attack("a reset in the middle of a record", opened(half_a_record, reset), None, "ERESET"),
    Attack("close_notify, and a reset", opened(sealed(ALERT, CLOSE), at_its_end, reset), None, "OK"),
    Attack("close_notify, and TCP that does not end before the target's", opened(sealed(ALERT, CLOSE), at_its_end), None, "OK"),
    Attack("close_notify twice", opened(sealed(ALERT, CLOSE, 2)), None, "OK"),
    Attack("data behind close_notify", opened(sealed(ALERT, CLOSE), sealed(DATA, b"too late")), None, "OK"),
    Attack("a megabyte behind close_notify", opened(sealed(ALERT, CLOSE), plain(record(DATA, bytes(16000)) * 64)), None, "OK"),
    Attack("plain words behind close_notify", opened(sealed(ALERT, CLOSE), plain(b"QUIT\r\n" * 100)), None, "OK"),
    Attack("a KeyUpdate behind close_notify", opened(sealed(ALERT, CLOSE), sealed(HANDSHAKE, b"\x18\0\0\1\1")), None, "OK",
           versions=("1.3",)),
    Attack("user_canceled, and close_notify", opened(sealed(ALERT, CANCEL), sealed(ALERT, CLOSE)), None, "OK"),
    Attack("user_canceled, and no close_notify", opened(sealed(ALERT, CANCEL), fin), None, "ETRUNCATED"),
    Attack("a fatal alert", opened(sealed(ALERT, b"\x02\x50")), None, "EALERT"),
    Attack("a close_notify that says it is fatal", opened(sealed(ALERT, b"\x02\x00")), None, {"1.2": "EALERT", "1.3": "OK"}),
    Attack("a warning that nobody knows", opened(sealed(ALERT, b"\x01\x63"), leave), None, {"1.2": "OK", "1.3": "EALERT"}),
    Attack("data behind a fatal alert", opened(sealed(ALERT, b"\x02\x50"), sealed(DATA, b"still there?")), None, "EALERT"),
]
