"""ClientHellos and ServerHellos that are made wrong: lengths, lists, names, versions, keys (RFC 8446, 4.1 and 4.2)."""

import os

from attack import (CLIENT, DECODE_ERROR, HANDSHAKE_FAILURE, ILLEGAL_PARAMETER, INAPPROPRIATE_FALLBACK, MISSING_EXTENSION,
                    NO_APPLICATION_PROTOCOL, PROTOCOL_VERSION, SERVER, UNEXPECTED_MESSAGE, UNRECOGNIZED_NAME,
                    UNSUPPORTED_EXTENSION, Attack, plain)
from attacker import HANDSHAKE, record
from hellos import (ALPN, DOWNGRADE_TO_1_1, DOWNGRADE_TO_1_2, EARLY_DATA, GROUPS, KEY_SHARE, P256, P384,
                    POINT_FORMATS, PRE_SHARED_KEY, PSK_MODES, RENEGOTIATION, SERVER_NAME, SIGNATURES, TICKET, VERSIONS,
                    X25519, extensions, hello_record, message, number, retry, server_hello, server_name,
                    session_of, share, usual, vector)

PROTOCOL = "EPROTOCOL"
GOES_ON = None, "EHANDSHAKEEOF"  # it waits for what comes next, until we are gone


def hello(**how):
    """An ordinary ClientHello but for this. Functions are given the version."""
    def make(a):
        return hello_record(a.tls, **{name: value(a.tls) if callable(value) else value for name, value in how.items()})
    return plain(make)


def with_extension(kind, body):
    """An ordinary ClientHello with this extension, in place of its own or besides."""
    return hello(pairs=lambda version: usual(version) | {kind: body})


def without(kind):
    return hello(pairs=lambda version: {key: body for key, body in usual(version).items() if key != kind})


def to_server(name, script, alert, code=PROTOCOL, versions=("1.2", "1.3"), **more):
    return Attack(name, script, alert, code, (SERVER,), versions, **more)


def answer(**how):
    """Answers the ClientHello with a ServerHello that is ordinary but for this."""
    def run(a):
        session = session_of(a.read_record()[1]) if a.tls == "1.3" else (a.read_record(), b"")[1]
        a.send_plain(record(HANDSHAKE, server_hello(a.tls, **{"session": session} | how)))
    return run


def to_client(name, script, alert, code=PROTOCOL, versions=("1.2", "1.3"), **more):
    return Attack(name, script, alert, code, (CLIENT,), versions, **more)


def retries(*requests):
    """Answers each ClientHello with a HelloRetryRequest."""
    def run(a):
        for how in requests:
            kind, body = a.read_record()
            while kind != HANDSHAKE:  # a change_cipher_spec, for middleboxes
                kind, body = a.read_record()
            a.send_plain(record(HANDSHAKE, retry(session_of(body), **how)))
    return run


def pairs_13(**more):
    return {VERSIONS: b"\x03\x04", KEY_SHARE: number(X25519) + vector(os.urandom(32), 2)} | more


ATTACKS = [
    # ---- lengths
    to_server("a ClientHello of no bytes", plain(record(HANDSHAKE, message(1, b""))), DECODE_ERROR),
    to_server("a ClientHello that ends in its random bytes", plain(record(HANDSHAKE, message(1, bytes(20)))), DECODE_ERROR),
    to_server("a session id of 33 bytes", hello(session=bytes(33)), DECODE_ERROR),
    to_server("no ciphers", hello(ciphers=b""), ILLEGAL_PARAMETER),
    to_server("an odd number of bytes of ciphers", hello(ciphers=b"\x13\x01\x13"), DECODE_ERROR),
    to_server("no ciphers that anybody knows", hello(ciphers=b"\x7a\x7a\x8a\x8a"), HANDSHAKE_FAILURE, "ECIPHER"),
    to_server("no compression methods", hello(compressions=b"\x00"), DECODE_ERROR),
    to_server("compression, and not without", hello(compressions=b"\x01\x01"), DECODE_ERROR),
    to_server("a byte behind the extensions", hello(rest=extensions(usual("1.2").items()) + b"\x00"), DECODE_ERROR),
    to_server("extensions that say they are longer", hello(rest=b"\xff\xff" + bytes(8)), DECODE_ERROR),
    to_server("an extension that says it is longer", hello(rest=vector(number(ALPN) + b"\x40\x00" + bytes(4), 2)), DECODE_ERROR),
    to_server("half a header of an extension", hello(rest=vector(b"\x00\x0a\x00", 2)), DECODE_ERROR),
    to_server("the same extension twice", hello(pairs=lambda version: [*usual(version).items(), (SERVER_NAME,
              server_name(b"a.example"))]),
              ILLEGAL_PARAMETER),
    to_server("a thousand extensions that nobody knows",
              hello(pairs=lambda version: usual(version) | {0x7000 + n: b"" for n in range(1000)}), *GOES_ON),
    to_server("ten thousand extensions that nobody knows",
              hello(pairs=lambda version: usual(version) | {0x4000 + n: b"" for n in range(10000)}), *GOES_ON),
    to_server("a ClientHello that says it has 16 MB", plain(record(HANDSHAKE, b"\x01\xff\xff\xff" + bytes(200))),
              ILLEGAL_PARAMETER, "ELIMIT"),

    # ---- names and application protocols
    to_server("a name with a NUL", with_extension(SERVER_NAME, server_name(b"local\0host")), UNRECOGNIZED_NAME),
    to_server("a name of 300 bytes", with_extension(SERVER_NAME, server_name(b"a" * 300)), UNRECOGNIZED_NAME),
    to_server("an empty name, which counts as none", with_extension(SERVER_NAME, server_name(b"")), *GOES_ON),
    to_server("a list of no names", with_extension(SERVER_NAME, b"\x00\x00"), DECODE_ERROR),
    to_server("a name of another kind", with_extension(SERVER_NAME, server_name(b"localhost", 7)), DECODE_ERROR),
    to_server("an empty list of application protocols", with_extension(ALPN, b"\x00\x00"), DECODE_ERROR),
    to_server("an application protocol without a name", with_extension(ALPN, vector(b"\x00", 2)), DECODE_ERROR),
    to_server("an application protocol longer than its list", with_extension(ALPN, vector(b"\xffh2", 2)), DECODE_ERROR),
    to_server("a byte behind the application protocols", with_extension(ALPN, vector(b"\x02h2", 2) + b"\x00"), DECODE_ERROR),
    to_server("application protocols that the server has not", with_extension(ALPN, vector(b"\x03foo\x03bar", 2)),
              NO_APPLICATION_PROTOCOL, "EALPN"),
    to_server("ten thousand application protocols", with_extension(ALPN, vector(b"\x01x" * 6000, 2)),
              NO_APPLICATION_PROTOCOL, "EALPN"),

    # ---- versions
    to_server("SSL 3.0", hello(legacy=0x0300, pairs={}), HANDSHAKE_FAILURE, "EVERSION", ("1.2",)),  # it had no alert for that
    to_server("TLS 1.0", hello(legacy=0x0301, pairs={}), PROTOCOL_VERSION, "EVERSION", ("1.2",)),
    to_server("TLS 1.1", hello(legacy=0x0302, pairs={}), PROTOCOL_VERSION, "EVERSION", ("1.2",)),
    to_server("a fallback that is none of ours", hello(ciphers=bytes.fromhex("C02B5600")), INAPPROPRIATE_FALLBACK, PROTOCOL,
              ("1.2",)),
    to_server("no versions in the list", with_extension(VERSIONS, b"\x00"), PROTOCOL_VERSION, "EVERSION", ("1.3",)),
    to_server("half a version in the list", with_extension(VERSIONS, b"\x03\x03\x04\x03"), PROTOCOL_VERSION, PROTOCOL, ("1.3",)),
    to_server("versions that nobody knows", with_extension(VERSIONS, b"\x04\x7f\x7f\x03\x05"), PROTOCOL_VERSION, "EVERSION",
              ("1.3",)),

    # ---- keys
    to_server("no groups at all", without(GROUPS), MISSING_EXTENSION, PROTOCOL, ("1.3",)),
    to_server("no signature algorithms", without(SIGNATURES), MISSING_EXTENSION, PROTOCOL, ("1.3",)),
    to_server("no key shares at all", without(KEY_SHARE), MISSING_EXTENSION, "ECIPHER", ("1.3",)),
    to_server("a key share of a group that is not offered", with_extension(KEY_SHARE, share(P384, bytes(97))), ILLEGAL_PARAMETER,
              PROTOCOL, ("1.3",)),
    to_server("a key share of 31 bytes", with_extension(KEY_SHARE, share(key=bytes(31))), ILLEGAL_PARAMETER, PROTOCOL, ("1.3",)),
    to_server("a key share of no bytes", with_extension(KEY_SHARE, share(key=b"")), DECODE_ERROR, PROTOCOL, ("1.3",)),
    to_server("a key share of zeros", with_extension(KEY_SHARE, share(key=bytes(32))), ILLEGAL_PARAMETER, PROTOCOL, ("1.3",)),
    to_server("a point that is not on its curve", with_extension(KEY_SHARE, share(P256, b"\x04" + b"\x01" * 64)),
              ILLEGAL_PARAMETER, PROTOCOL, ("1.3",)),
    # "Servers MAY check": RFC 8446, 4.2.8.
    to_server("two key shares of one group", with_extension(KEY_SHARE, vector((number(X25519) + vector(os.urandom(32), 2)) * 2,
              2)),
              *GOES_ON, ("1.3",)),
    to_server("an odd number of bytes of groups", with_extension(GROUPS, vector(b"\x00\x1d\x00", 2)), DECODE_ERROR),
    to_server("no signature algorithm that anybody knows", with_extension(SIGNATURES, vector(b"\x7a\x7a", 2)), HANDSHAKE_FAILURE,
              "ECIPHER"),
    to_server("an odd number of bytes of signature algorithms", with_extension(SIGNATURES, vector(b"\x04\x03\x04", 2)),
              DECODE_ERROR),
    to_server("points in other forms only", with_extension(POINT_FORMATS, b"\x01\x01"), HANDSHAKE_FAILURE, "ECIPHER", ("1.2",)),
    to_server("a verification of a renegotiation that was none", with_extension(RENEGOTIATION, vector(bytes(12), 1)),
              HANDSHAKE_FAILURE, PROTOCOL, ("1.2",)),

    # ---- keys in common, and early data
    to_server("a key in common that is not the last extension",
              hello(pairs=lambda version: {PRE_SHARED_KEY: bytes(8)} | usual(version)), ILLEGAL_PARAMETER, PROTOCOL, ("1.3",)),
    to_server("an offer of a key without its proof", with_extension(PRE_SHARED_KEY, vector(vector(b"who", 2) + bytes(4), 2)
                                                                      + vector(b"", 2)), *GOES_ON, ("1.3",)),
    to_server("a key in common without a mode", hello(pairs=lambda version: {key: body for key, body in usual(version).items()
                                                                               if key != PSK_MODES}
              | {PRE_SHARED_KEY: vector(vector(b"who", 2) + bytes(4), 2) + vector(vector(bytes(32), 1), 2)}), MISSING_EXTENSION,
              PROTOCOL, ("1.3",)),
    to_server("a ticket of garbage", with_extension(TICKET, os.urandom(512)), *GOES_ON, ("1.2",)),
    to_server("a key of garbage, which nobody has", with_extension(PRE_SHARED_KEY, vector(vector(os.urandom(200), 2) + bytes(4),
              2)
                                                                     + vector(vector(bytes(32), 1), 2)), *GOES_ON, ("1.3",)),

    # ---- to clients
    to_client("a ServerHello of no bytes", lambda a: (a.read_record(), a.send_plain(record(HANDSHAKE, message(2, b"")))),
              DECODE_ERROR),
    to_client("a cipher that was not offered", answer(cipher=0x0005), ILLEGAL_PARAMETER),
    to_client("a cipher of the other version", answer(cipher=0xC02C), ILLEGAL_PARAMETER, PROTOCOL, ("1.3",)),
    to_client("compression", answer(compression=1), ILLEGAL_PARAMETER),
    to_client("another session id", answer(session=bytes(32)), ILLEGAL_PARAMETER, PROTOCOL, ("1.3",)),
    to_client("a session id of 33 bytes", answer(session=bytes(33)), ILLEGAL_PARAMETER),
    to_client("TLS 1.1", answer(legacy=0x0302, pairs={}), PROTOCOL_VERSION, "EVERSION", ("1.2",)),
    to_client("the mark of a downgrade from TLS 1.3", answer(random=os.urandom(24) + DOWNGRADE_TO_1_2), ILLEGAL_PARAMETER,
              PROTOCOL,
              ("1.2",)),
    to_client("the mark of a downgrade to TLS 1.1", answer(random=os.urandom(24) + DOWNGRADE_TO_1_1), ILLEGAL_PARAMETER, PROTOCOL,
              ("1.2",)),
    to_client("an extension that was not asked for", answer(pairs={RENEGOTIATION: b"\x00", EARLY_DATA: b""}),
              {"1.2": ILLEGAL_PARAMETER}, PROTOCOL, ("1.2",)),
    # RFC 5246, 7.4.1.4, wants it refused. OpenSSL lets those pass that it does not know.
    to_client("an extension that nobody knows", answer(pairs={RENEGOTIATION: b"\x00", 0x7777: b""}), *GOES_ON,
              ("1.2",)),
    to_client("a server without RFC 5746", answer(pairs={}), HANDSHAKE_FAILURE, PROTOCOL, ("1.2",)),
    to_client("an application protocol that was not offered", answer(pairs={RENEGOTIATION: b"\x00", ALPN: vector(b"\x03foo", 2)}),
              DECODE_ERROR, PROTOCOL, ("1.2",)),
    to_client("two application protocols", answer(pairs={RENEGOTIATION: b"\x00", ALPN: vector(b"\x02h2\x02h2", 2)}), DECODE_ERROR,
              PROTOCOL, ("1.2",)),
    to_client("the same extension twice", answer(pairs=[(RENEGOTIATION, b"\x00")] * 2), ILLEGAL_PARAMETER, PROTOCOL, ("1.2",)),
    to_client("a byte behind the extensions", answer(rest=extensions([(RENEGOTIATION, b"\x00")]) + b"\x00"), DECODE_ERROR,
              PROTOCOL,
              ("1.2",)),
    to_client("a version that does not exist", answer(pairs=pairs_13() | {VERSIONS: b"\x03\x05"}), ILLEGAL_PARAMETER, PROTOCOL,
              ("1.3",)),
    to_client("a key of a group that was not offered", answer(pairs=pairs_13() | {KEY_SHARE: number(0x7777) + vector(bytes(32),
              2)}),
              ILLEGAL_PARAMETER, PROTOCOL, ("1.3",)),
    to_client("a key of 31 bytes", answer(pairs=pairs_13() | {KEY_SHARE: number(X25519) + vector(bytes(31), 2)}),
              ILLEGAL_PARAMETER,
              PROTOCOL, ("1.3",)),
    to_client("a key of zeros", answer(pairs=pairs_13() | {KEY_SHARE: number(X25519) + vector(bytes(32), 2)}), ILLEGAL_PARAMETER,
              PROTOCOL, ("1.3",)),
    to_client("no key", answer(pairs={VERSIONS: b"\x03\x04"}), MISSING_EXTENSION, "ECIPHER", ("1.3",)),
    to_client("a key in common that was not offered", answer(pairs=pairs_13() | {PRE_SHARED_KEY: b"\x00\x00"}),
              UNSUPPORTED_EXTENSION,
              PROTOCOL, ("1.3",)),

    # ---- HelloRetryRequest (RFC 8446, 4.1.4)
    to_client("HelloRetryRequest twice", retries({}, {"group": P256}), UNEXPECTED_MESSAGE, PROTOCOL, ("1.3",)),
    to_client("HelloRetryRequest for the group that was shared", retries({"group": X25519}), ILLEGAL_PARAMETER, PROTOCOL,
              ("1.3",)),
    to_client("HelloRetryRequest for a group that nobody knows", retries({"group": 0x7777}), ILLEGAL_PARAMETER, PROTOCOL,
              ("1.3",)),
    to_client("HelloRetryRequest for nothing", retries({"group": None}), ILLEGAL_PARAMETER, PROTOCOL, ("1.3",)),
    to_client("HelloRetryRequest with an empty cookie", retries({"group": None, "cookie": b""}), ILLEGAL_PARAMETER, PROTOCOL,
              ("1.3",)),
    to_client("HelloRetryRequest with a cookie of 16 KB", retries({"cookie": bytes(16000)}), *GOES_ON, ("1.3",)),
]
