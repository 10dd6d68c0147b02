"""First messages of a handshake made by hand, in which anything may be wrong."""

import os

from attacker import HANDSHAKE, record

# RFC 8446, 4.2, and RFC 7301
SERVER_NAME, GROUPS, POINT_FORMATS, SIGNATURES, ALPN, EXTENDED_MASTER_SECRET, TICKET = 0, 10, 11, 13, 16, 23, 35
PRE_SHARED_KEY, EARLY_DATA, VERSIONS, COOKIE, PSK_MODES, KEY_SHARE, RENEGOTIATION = 41, 42, 43, 44, 45, 51, 0xFF01
X25519, P256, P384 = 29, 23, 24

RETRY = bytes.fromhex("CF21AD74E59A6111BE1D8C021E65B891C2A211167ABB8C5E079E09E2C8A8339C")  # RFC 8446, 4.1.3
DOWNGRADE_TO_1_2, DOWNGRADE_TO_1_1 = b"DOWNGRD\x01", b"DOWNGRD\x00"


def vector(data, size):
    """Returns bytes behind their length, which has so many bytes itself."""
    return len(data).to_bytes(size, "big") + bytes(data)


def number(value):
    return value.to_bytes(2, "big")


def message(kind, body):
    """Returns a message of the handshake."""
    return bytes([kind]) + vector(body, 3)


def extensions(pairs):
    return vector(b"".join(number(kind) + vector(body, 2) for kind, body in pairs), 2)


def server_name(name, kind=0):
    return vector(bytes([kind]) + vector(name, 2), 2)


def share(group=X25519, key=None):
    return vector(number(group) + vector(key if key is not None else os.urandom(32), 2), 2)


def usual(version):
    """The extensions of an ordinary ClientHello, in a dictionary that is to be changed."""
    pairs = {SERVER_NAME: server_name(b"localhost"),
             GROUPS: vector(number(X25519) + number(P256), 2),
             SIGNATURES: vector(bytes.fromhex("0403080408050401"), 2)}
    if version == "1.3":
        pairs |= {VERSIONS: vector(b"\x03\x04", 1), KEY_SHARE: share(), PSK_MODES: b"\x01\x01"}
    else:
        pairs |= {POINT_FORMATS: b"\x01\x00", RENEGOTIATION: b"\x00"}
    return pairs


def client_hello(version, pairs=None, legacy=0x0303, session=None, ciphers=None, compressions=b"\x01\x00", rest=None):
    """Returns a ClientHello; `rest` is what stands in place of the extensions."""
    ciphers = ciphers if ciphers is not None else bytes.fromhex("1301" if version == "1.3" else "C02BC02F00FF")
    pairs = usual(version) if pairs is None else pairs
    body = (number(legacy) + os.urandom(32) + vector(session if session is not None else os.urandom(32), 1)
            + vector(ciphers, 2) + compressions)
    body += rest if rest is not None else extensions(pairs.items() if isinstance(pairs, dict) else pairs)
    return message(1, body)


def records(data, version=0x0303, most=2**14):
    """Returns a handshake's bytes in as many records as they need."""
    return b"".join(record(HANDSHAKE, data[at:at + most], version) for at in range(0, len(data), most))


def hello_record(version, **how):
    return records(client_hello(version, **how), 0x0301)


# ---- what a server says

def session_of(hello):
    """Returns the session id of a ClientHello, which TLS 1.3 has a server send back."""
    return hello[39:39 + hello[38]]


def server_hello(version, session=b"", pairs=None, legacy=0x0303, random=None, cipher=None, compression=0, rest=None):
    """Returns a ServerHello that answers what OpenSSL's ClientHello offers."""
    cipher = cipher if cipher is not None else 0x1301 if version == "1.3" else 0xC02B
    if pairs is None:
        pairs = {VERSIONS: b"\x03\x04", KEY_SHARE: number(X25519) + vector(os.urandom(32), 2)} if version == "1.3" else {
            RENEGOTIATION: b"\x00"}
    body = (number(legacy) + (random or os.urandom(32)) + vector(session, 1) + number(cipher) + bytes([compression]))
    body += rest if rest is not None else extensions(pairs.items() if isinstance(pairs, dict) else pairs)
    return message(2, body)


def retry(session, group=P384, cookie=None):
    """Returns a HelloRetryRequest."""
    pairs = {VERSIONS: b"\x03\x04"}
    if group is not None:
        pairs[KEY_SHARE] = number(group)
    if cookie is not None:
        pairs[COOKIE] = vector(cookie, 2)
    return server_hello("1.3", session, pairs, random=RETRY)
