"""Records that are no records, too long, empty, of unknown types, or where none belongs (RFC 8446, 5; RFC 5246, 6.2)."""

import os

from attack import (BAD_RECORD_MAC, BOTH, CLIENT, DECODE_ERROR, INTERNAL_ERROR, PROTOCOL_VERSION, RECORD_OVERFLOW,
                    UNEXPECTED_MESSAGE, Attack, fin, leave, opened, plain, script, sealed)
from attacker import ALERT, DATA, HANDSHAKE, header, record

CIPHERTEXT_MOST = {"1.2": 2**14 + 2048, "1.3": 2**14 + 256}  # RFC 5246, 6.2.3; RFC 8446, 5.2


def too_long(a):
    """A record with one byte more than there may be."""
    return record(DATA, os.urandom(CIPHERTEXT_MOST[a.tls] + 1))


def random_record(kind, length):
    return lambda a: record(kind, os.urandom(length))


PROTOCOL = "EPROTOCOL"
# In TLS 1.2 OpenSSL's AES-GCM will not begin with what is shorter than nonce and tag, and takes that for a failure of its own.
SHORT = {"1.2": INTERNAL_ERROR, "1.3": BAD_RECORD_MAC}
# In TLS 1.3 the type of an encrypted record is application_data (RFC 8446, 5.2); in TLS 1.2 it is part of what is authenticated.
IN_PLAIN = {"1.2": BAD_RECORD_MAC, "1.3": UNEXPECTED_MESSAGE}
# What TLS 1.3 forbids (RFC 8446, 5.1), and TLS 1.2 does not.
ONLY_IN_1_3 = {"1.2": None, "1.3": UNEXPECTED_MESSAGE}, {"1.2": "OK", "1.3": PROTOCOL}
ATTACKS = [
    # ---- before anything else
    Attack("an HTTP request", script(plain(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")), None, "ENOTTLS"),
    Attack("an answer in plain HTTP", script(plain(b"HTTP/1.1 400 Bad Request\r\n\r\n")), None, "ENOTTLS", (CLIENT,)),
    Attack("512 random bytes", script(plain(bytes(range(200, 256)) * 9)), None, "ENOTTLS"),
    Attack("512 zeros", script(plain(bytes(512))), None, "ENOTTLS"),
    Attack("a record of SSL 3.0's major version minus one", script(plain(record(HANDSHAKE, bytes(64), 0x0200))), None, "ENOTTLS"),
    Attack("application data first of all", script(plain(record(DATA, b"hello"))), UNEXPECTED_MESSAGE, PROTOCOL),
    Attack("a first record of unknown type", script(plain(record(99, b"hello"))), UNEXPECTED_MESSAGE, PROTOCOL),
    Attack("a first record that says it has 65535 bytes", script(plain(header(HANDSHAKE, 65535) + bytes(2048))),
           RECORD_OVERFLOW, PROTOCOL),
    Attack("an empty first record", script(plain(header(HANDSHAKE, 0)), fin), None, "EHANDSHAKEEOF"),
    Attack("a thousand empty records of a handshake", script(plain(header(HANDSHAKE, 0) * 1000)), UNEXPECTED_MESSAGE, PROTOCOL),

    # ---- once there are keys
    Attack("a record of one byte more than there may be", opened(plain(too_long)), RECORD_OVERFLOW, PROTOCOL),
    Attack("plaintext of one byte more than there may be", opened(sealed(DATA, bytes(2**14 + 1))), RECORD_OVERFLOW, PROTOCOL),
    Attack("a header that says 65535 bytes", opened(plain(header(DATA, 65535) + bytes(4096))), RECORD_OVERFLOW, PROTOCOL),
    Attack("an empty record that is not encrypted", opened(plain(header(DATA, 0))), SHORT, PROTOCOL),
    Attack("a record too short for its tag", opened(plain(record(DATA, bytes(7)))), SHORT, PROTOCOL),
    Attack("a record of random bytes", opened(plain(random_record(DATA, 100))), BAD_RECORD_MAC, PROTOCOL),
    Attack("the longest record there may be, of random bytes", opened(plain(random_record(DATA, 2**14 + 256))),
           BAD_RECORD_MAC, PROTOCOL),
    Attack("a record of unknown type, not encrypted", opened(plain(record(99, bytes(40)))), IN_PLAIN, PROTOCOL),
    Attack("an encrypted record of unknown type", opened(sealed(99, b"hello")), UNEXPECTED_MESSAGE, PROTOCOL),
    Attack("a record of TLS 1.0 in between", opened(plain(record(DATA, bytes(40), 0x0301))),
           {"1.2": PROTOCOL_VERSION, "1.3": DECODE_ERROR}, PROTOCOL),
    Attack("application data that is not encrypted", opened(plain(record(DATA, b"plain words, and quite a few of them"))),
           BAD_RECORD_MAC, PROTOCOL),
    Attack("an alert that is not encrypted", opened(plain(record(ALERT, b"\x02\x28"))),
           {"1.2": INTERNAL_ERROR, "1.3": UNEXPECTED_MESSAGE}, PROTOCOL),
    Attack("plain words without any record", opened(plain(b"QUIT\r\nQUIT\r\nQUIT\r\n")), PROTOCOL_VERSION, PROTOCOL),
    Attack("a ClientHello that is not encrypted", opened(plain(record(HANDSHAKE, b"\x01\x00\x00\x40" + bytes(64)))), IN_PLAIN,
           PROTOCOL),
    Attack("ten empty records of data", opened(sealed(DATA, b"", 10), leave), None, "OK"),
    Attack("a hundred empty records of data", opened(sealed(DATA, b"", 100)), UNEXPECTED_MESSAGE, PROTOCOL),
    Attack("an empty record of a handshake, encrypted", opened(sealed(HANDSHAKE, b""), leave), *ONLY_IN_1_3),
    Attack("an empty alert, encrypted", opened(sealed(ALERT, b"")), UNEXPECTED_MESSAGE, PROTOCOL),
    Attack("an alert of one byte", opened(sealed(ALERT, b"\x01")), UNEXPECTED_MESSAGE, PROTOCOL),
    Attack("an alert of three bytes", opened(sealed(ALERT, b"\x01\x5a\x00")), UNEXPECTED_MESSAGE, PROTOCOL),
    Attack("half a message, and then data", opened(sealed(HANDSHAKE, b"\x18\x00"), leave), *ONLY_IN_1_3),
    Attack("a record that is sent twice", opened(lambda a: twice(a)), BAD_RECORD_MAC, PROTOCOL),
    Attack("a record of padding alone", opened(sealed(0, bytes(100))), UNEXPECTED_MESSAGE, PROTOCOL, BOTH, ("1.3",)),
]


def twice(a):
    """The same bytes again: the second time its number is another one."""
    sent, send = [], a._recordLayer._recordSocket.sock.send
    a._recordLayer._recordSocket.sock.send = lambda data: (sent.append(bytes(data)), send(data))[1]
    a.send_record(DATA, b"once")
    a.send_plain(sent[-1])
