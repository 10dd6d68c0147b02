"""Messages of a handshake that are left out, repeated, out of order, cut, or not what they say (RFC 8446, 4; RFC 5246, 7.3)."""

import os

from attack import (BAD_CERTIFICATE, BAD_RECORD_MAC, BOTH, CLIENT, DECODE_ERROR, DECRYPT_ERROR, HANDSHAKE_FAILURE,
                    ILLEGAL_PARAMETER, INTERNAL_ERROR, MISSING_EXTENSION, SERVER, UNEXPECTED_MESSAGE, UNSUPPORTED_EXTENSION,
                    VERSIONS, Attack, changed, plain)
from attacker import ALERT, CCS, DATA, HANDSHAKE, record
from hellos import ALPN, EARLY_DATA, client_hello, extensions, hello_record, message, number, usual, vector

PROTOCOL = "EPROTOCOL"
EVERY = ("ClientHello", "ServerHello", "EncryptedExtensions", "Certificate", "CertificateVerify", "ServerKeyExchange",
         "ServerHelloDone", "ClientKeyExchange", "Finished")


# ---- what becomes of a message: functions of the attacker and the message, which return records

def left_out(a, data):
    return []


def twice(a, data):
    return [(HANDSHAKE, data)] * 2


def behind(*records):
    """These come first."""
    return lambda a, data: [*records, (HANDSHAKE, data)]


def before(*records):
    """These follow."""
    return lambda a, data: [(HANDSHAKE, data), *records]


def instead(*records):
    return lambda a, data: list(records)


def other(change):
    """The message is another one."""
    return lambda a, data: [(HANDSHAKE, bytes(change(bytearray(data))))]


def bytewise(a, data):
    return [(HANDSHAKE, bytes([byte])) for byte in data]


def every(change):
    return {name: change for name in EVERY}


# ---- what is done to its bytes

def last_bit(data):
    data[-1] ^= 1
    return data


def one_more(data):
    """A byte at its end, which its length counts."""
    return message(data[0], data[4:] + b"\x00")


def one_less(data):
    return message(data[0], data[4:-1])


def longer_than_it_is(data):
    """Its length counts what never comes."""
    data[1] ^= 0x01
    return data


def to_server(name, alert, code=PROTOCOL, versions=VERSIONS, heap=400_000, **changes):
    return Attack(name, changed(**changes), alert, code, (SERVER,), versions, heap=heap)


def to_client(name, alert, code=PROTOCOL, versions=VERSIONS, heap=400_000, **changes):
    return Attack(name, changed(**changes), alert, code, (CLIENT,), versions, heap=heap)


def to_both(name, alert, code=PROTOCOL, versions=VERSIONS, **changes):
    return Attack(name, changed(**changes), alert, code, BOTH, versions)


def garbled_chain(data):
    """A certificate that is none."""
    return message(11, vector(vector(os.urandom(400), 3), 3))


def garbled_chain_13(data):
    return message(11, b"\x00" + vector(vector(os.urandom(400), 3) + b"\x00\x00", 3))


def chain_of(size, version):
    """So many bytes of certificates, each of them the first one again."""
    def change(data):
        start = 8 if version == "1.3" else 7
        one = data[start:start + 3 + int.from_bytes(data[start:start + 3], "big")] + (b"\x00\x00" if version == "1.3" else b"")
        entries = vector(one * (size // len(one)), 3)
        return message(11, (b"\x00" if version == "1.3" else b"") + entries)
    return change


def in_pieces(change):
    """A long message in records of 16 KB."""
    def run(a, data):
        data = bytes(change(bytearray(data)))
        return [(HANDSHAKE, data[at:at + 2**14]) for at in range(0, len(data), 2**14)]
    return run


def alerted(body, times=1):
    """The handshake with an alert in its middle: not behind change_cipher_spec, where nothing but Finished may come."""
    def run(a):
        names = ("Finished",) if a.tls == "1.3" else ("ClientKeyExchange", "ServerHelloDone")
        changed(**{name: behind(*[(ALERT, body)] * times) for name in names})(a)
    return run


def announced(count):
    """Early data that the ClientHello speaks of, in so many records."""
    return hello_record("1.3", pairs=usual("1.3") | {EARLY_DATA: b""}) + record(DATA, bytes(15000)) * count


T12, T13 = ("1.2",), ("1.3",)
ATTACKS = [
    # ---- cut and put together: nothing is wrong with that
    to_both("every message in records of one byte", None, "OK", **every(bytewise)),

    # ---- order
    to_server("no ClientKeyExchange", UNEXPECTED_MESSAGE, versions=T12, ClientKeyExchange=left_out),
    to_server("a change_cipher_spec before the keys", UNEXPECTED_MESSAGE, versions=T12,
              ClientKeyExchange=behind((CCS, b"\x01"))),
    to_server("ClientKeyExchange twice", UNEXPECTED_MESSAGE, versions=T12, ClientKeyExchange=twice),
    to_both("no change_cipher_spec", UNEXPECTED_MESSAGE, versions=T12, ChangeCipherSpec=left_out),
    to_both("change_cipher_spec twice", INTERNAL_ERROR, versions=T12,  # as in attacks_records.py: too short for its tag
            ChangeCipherSpec=lambda a, data: [(CCS, data)] * 2),
    to_both("a change_cipher_spec of two bytes", {"1.2": UNEXPECTED_MESSAGE, "1.3": ILLEGAL_PARAMETER},
            ChangeCipherSpec=lambda a, data: [(CCS, b"\x01\x01")]),
    to_both("a change_cipher_spec that says 2", {"1.2": UNEXPECTED_MESSAGE, "1.3": ILLEGAL_PARAMETER},
            ChangeCipherSpec=lambda a, data: [(CCS, b"\x02")]),
    to_both("fifty change_cipher_specs", UNEXPECTED_MESSAGE, versions=T13, Finished=behind(*[(CCS, b"\x01")] * 50)),
    to_both("Finished twice", {"1.2": UNEXPECTED_MESSAGE, "1.3": BAD_RECORD_MAC}, Finished=twice),
    to_both("a Finished that is wrong", DECRYPT_ERROR, Finished=other(last_bit)),
    to_both("a Finished of one byte more", DECODE_ERROR, Finished=other(one_more)),
    to_both("a Finished of one byte less", DECODE_ERROR, Finished=other(one_less)),
    to_both("a message of unknown type", UNEXPECTED_MESSAGE, Finished=behind((HANDSHAKE, message(99, b"hello")))),
    to_both("data before Finished", UNEXPECTED_MESSAGE, Finished=behind((DATA, b"hello"))),
    to_both("a KeyUpdate before Finished", UNEXPECTED_MESSAGE, versions=T13, Finished=behind((HANDSHAKE, b"\x18\0\0\1\0"))),
    to_both("a KeyUpdate behind Finished, in its record", UNEXPECTED_MESSAGE, versions=T13,
            Finished=lambda a, data: [(HANDSHAKE, data + b"\x18\0\0\1\0")]),
    to_server("ClientHello twice", UNEXPECTED_MESSAGE, ClientHello=twice),
    to_server("ClientHello, and data", UNEXPECTED_MESSAGE, versions=T12, ClientHello=before((DATA, b"hello"))),
    to_server("a ServerHello from a client", UNEXPECTED_MESSAGE, ClientHello=instead((HANDSHAKE, message(2, bytes(70))))),
    to_server("a HelloRequest from a client", UNEXPECTED_MESSAGE, Finished=behind((HANDSHAKE, message(0, b"")))),
    to_server("a certificate that was not asked for", UNEXPECTED_MESSAGE, versions=T12,
              ClientKeyExchange=behind((HANDSHAKE, message(11, bytes(3))))),
    to_server("a certificate that was not asked for", UNEXPECTED_MESSAGE, versions=T13,
              Finished=behind((HANDSHAKE, message(11, bytes(4))))),
    to_server("a proof for no certificate", UNEXPECTED_MESSAGE, versions=T12,
              ClientKeyExchange=before((HANDSHAKE, message(15, b"\x04\x03" + vector(bytes(70), 2))))),
    to_server("an end of early data that was none", UNEXPECTED_MESSAGE, versions=T13, Finished=behind((HANDSHAKE, message(5,
              b"")))),
    Attack("early data that was not announced", plain(lambda a: hello_record("1.3") + record(DATA, bytes(64))), BAD_RECORD_MAC,
           PROTOCOL, (SERVER,), T13),
    Attack("early data without a key for it, which is passed over", plain(lambda a: announced(1)), None, "EHANDSHAKEEOF",
           (SERVER,), T13),
    Attack("60 KB of early data without a key for it", plain(lambda a: announced(4)), UNEXPECTED_MESSAGE, PROTOCOL, (SERVER,),
           T13),

    # ---- what a client sends
    to_server("a key of no bytes", ILLEGAL_PARAMETER, versions=T12, ClientKeyExchange=instead((HANDSHAKE, message(16, b"\x00")))),
    to_server("a ClientKeyExchange of no bytes", HANDSHAKE_FAILURE, versions=T12, ClientKeyExchange=instead((HANDSHAKE,
              message(16, b"")))),
    to_server("a key shorter than it says", DECODE_ERROR, versions=T12, ClientKeyExchange=other(one_less)),
    to_server("a byte behind the key", DECODE_ERROR, versions=T12, ClientKeyExchange=other(one_more)),
    to_server("a key of zeros", ILLEGAL_PARAMETER, versions=T12,
              ClientKeyExchange=lambda a, data: [(HANDSHAKE, message(16, vector(bytes(len(data) - 5), 1)))]),
    to_server("a message longer than it is", {"1.2": ILLEGAL_PARAMETER, "1.3": ILLEGAL_PARAMETER}, "ELIMIT",
              Finished=other(longer_than_it_is)),

    # ---- what a server sends
    to_client("ServerHello twice", UNEXPECTED_MESSAGE, ServerHello=twice),
    to_client("a ClientHello from a server", UNEXPECTED_MESSAGE, ServerHello=lambda a, data: [(HANDSHAKE, client_hello(a.tls))]),
    to_client("a HelloRequest in the handshake, which counts for nothing", None, "OK", T12, Certificate=behind((HANDSHAKE,
              message(0, b"")))),
    to_client("no EncryptedExtensions", UNEXPECTED_MESSAGE, versions=T13, EncryptedExtensions=left_out),
    to_client("EncryptedExtensions twice", UNEXPECTED_MESSAGE, versions=T13, EncryptedExtensions=twice),
    to_client("EncryptedExtensions that are shorter than they say", DECODE_ERROR, versions=T13,
              EncryptedExtensions=instead((HANDSHAKE, message(8, b"\x00\x09\x00")))),
    to_client("an extension that was not asked for", UNSUPPORTED_EXTENSION, versions=T13,
              EncryptedExtensions=instead((HANDSHAKE, message(8, extensions([(EARLY_DATA, b"")]))))),
    to_client("an application protocol that was not offered", DECODE_ERROR, versions=T13,
              EncryptedExtensions=instead((HANDSHAKE, message(8, extensions([(ALPN, vector(b"\x03foo", 2))]))))),
    to_client("no certificate message", UNEXPECTED_MESSAGE, Certificate=left_out),
    to_client("the certificate twice", UNEXPECTED_MESSAGE, Certificate=twice),
    to_client("no certificates in the message", DECODE_ERROR, versions=T12, Certificate=instead((HANDSHAKE, message(11,
              bytes(3))))),
    to_client("no certificates in the message", DECODE_ERROR, versions=T13, Certificate=instead((HANDSHAKE, message(11,
              bytes(4))))),
    to_client("a certificate of random bytes", BAD_CERTIFICATE, versions=T12, Certificate=other(garbled_chain)),
    to_client("a certificate of random bytes", BAD_CERTIFICATE, versions=T13, Certificate=other(garbled_chain_13)),
    to_client("a certificate list shorter than it says", DECODE_ERROR, Certificate=other(one_less)),
    to_client("a chain of 90 KB", None, "OK", T12, heap=1_500_000, Certificate=in_pieces(chain_of(90_000, "1.2"))),
    to_client("a chain of 90 KB", None, "OK", T13, heap=1_500_000, Certificate=in_pieces(chain_of(90_000, "1.3"))),
    to_client("a chain of 110 KB", ILLEGAL_PARAMETER, "ELIMIT", T12, Certificate=in_pieces(chain_of(110_000, "1.2"))),
    to_client("a chain of 110 KB", ILLEGAL_PARAMETER, "ELIMIT", T13, Certificate=in_pieces(chain_of(110_000, "1.3"))),
    to_client("no ServerKeyExchange", UNEXPECTED_MESSAGE, versions=T12, ServerKeyExchange=left_out),
    to_client("ServerKeyExchange twice", UNEXPECTED_MESSAGE, versions=T12, ServerKeyExchange=twice),
    to_client("a signature of the key that is wrong", DECRYPT_ERROR, versions=T12, ServerKeyExchange=other(last_bit)),
    to_client("a key exchange shorter than it says", DECODE_ERROR, versions=T12, ServerKeyExchange=other(one_less)),
    to_client("a curve that was not offered", ILLEGAL_PARAMETER, versions=T12,
              ServerKeyExchange=other(lambda data: data[:5] + number(0x7777) + data[7:])),
    to_client("a curve in explicit form", ILLEGAL_PARAMETER, versions=T12,
              ServerKeyExchange=other(lambda data: data[:4] + b"\x01" + data[5:])),
    to_client("ServerHelloDone with a byte", ILLEGAL_PARAMETER, "ELIMIT", versions=T12, ServerHelloDone=instead((HANDSHAKE,
              message(14, b"\x00")))),
    to_client("no CertificateVerify", UNEXPECTED_MESSAGE, versions=T13, CertificateVerify=left_out),
    to_client("CertificateVerify twice", UNEXPECTED_MESSAGE, versions=T13, CertificateVerify=twice),
    to_client("a CertificateVerify that is wrong", DECRYPT_ERROR, versions=T13, CertificateVerify=other(last_bit)),
    to_client("a signature by an algorithm that was not offered", ILLEGAL_PARAMETER, versions=T13,
              CertificateVerify=other(lambda data: data[:4] + b"\x7a\x7a" + data[6:])),
    to_client("a certificate request that is empty", DECODE_ERROR, versions=T12,
              ServerHelloDone=behind((HANDSHAKE, message(13, b"")))),
    to_client("a certificate request without algorithms", MISSING_EXTENSION, versions=T13,
              Certificate=behind((HANDSHAKE, message(13, b"\x00\x00\x00")))),
    to_client("a ticket before Finished", UNEXPECTED_MESSAGE, versions=T13, Finished=behind((HANDSHAKE, message(4, bytes(20))))),

    # ---- alerts in the middle
    Attack("a warning that nobody knows", alerted(b"\x01\x63"), None, {"1.2": "OK", "1.3": "EALERT"}),
    Attack("a fatal alert", alerted(b"\x02\x33"), None, "EALERT"),
    Attack("an alert of a level that does not exist", alerted(b"\x03\x0a"), {"1.2": ILLEGAL_PARAMETER, "1.3": None},
           {"1.2": PROTOCOL, "1.3": "EALERT"}),
    Attack("ten warnings", alerted(b"\x01\x5a", 10), UNEXPECTED_MESSAGE, PROTOCOL),
]
