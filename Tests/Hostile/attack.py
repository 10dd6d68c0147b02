"""What an attack is: a row of a table. And the words in which the tables are written."""

import dataclasses
import typing

from attacker import CLIENT, DATA, SERVER

BOTH = (SERVER, CLIENT)
VERSIONS = ("1.2", "1.3")
FACES = ("registry", "fd", "buffers")

# RFC 8446, 6, and RFC 5246, 7.2
CLOSE_NOTIFY, UNEXPECTED_MESSAGE, BAD_RECORD_MAC, RECORD_OVERFLOW = 0, 10, 20, 22
HANDSHAKE_FAILURE, BAD_CERTIFICATE, UNKNOWN_CA, ILLEGAL_PARAMETER, DECODE_ERROR, DECRYPT_ERROR = 40, 42, 48, 47, 50, 51
PROTOCOL_VERSION, INTERNAL_ERROR, INAPPROPRIATE_FALLBACK, NO_RENEGOTIATION = 70, 80, 86, 100
MISSING_EXTENSION, UNSUPPORTED_EXTENSION, UNRECOGNIZED_NAME, NO_APPLICATION_PROTOCOL = 109, 110, 112, 120
SAME = object()


@dataclasses.dataclass(frozen=True)
class Attack:
    """`alert`, `code` and `openssl` may be tables themselves: by who is attacked, by the version, or by both as a pair."""
    name: str
    script: typing.Callable         # is given the attacker, which has done nothing yet
    alert: typing.Any               # the fatal alert that the target sends; None for none
    code: typing.Any                # what the connection ends with, without TLSMEM_
    targets: tuple = BOTH
    versions: tuple = VERSIONS
    openssl: typing.Any = SAME      # the alert of OpenSSL's own programs, when it is another one
    why: str = ""                   # and why
    options: tuple = ()             # of the target
    heap: int = 400_000             # bytes: the most by which the process may grow meanwhile
    queued: int = 0x4000 + 512      # bytes: the most that may wait to be sent at any time
    window: int = 0                 # bytes of the attacker's receive buffer, for who is not to read; 0: as the kernel has it
    cpu: float = 1.0                # processor seconds of the target, at most
    group: str = ""


def pick(value, target, version):
    """Returns what a table says of this case, or the one value for all."""
    if not isinstance(value, dict):
        return value
    for key in ((target, version), target, version):
        if key in value:
            return value[key]
    raise KeyError(f"nothing is said of {target} {version}")


# ---- scripts: functions of the attacker, made of others

def script(*steps):
    """One step after the other."""
    def run(a):
        for step in steps:
            step(a)
    return run


def opened(*steps):
    """After the handshake, and after one exchange, so that tickets and greetings are out of the way."""
    def begin(a):
        a.handshake()
        if a.target == SERVER:
            a.send_record(DATA, b"hello\n")
        if a.echoes or a.target == CLIENT:
            a.hear(b"hello\n")
    return script(begin, *steps)


def changed(**changes):
    """The handshake, with messages that are replaced by the records which a function makes of them. Then, if it is still
    there, an exchange and a close."""
    def run(a):
        a.changes.update(changes)
        a.handshake()
        a.leave()
    return run


def plain(data):
    """These bytes as they are; of a function, what it makes of the attacker."""
    return lambda a: a.send_plain(data(a) if callable(data) else data)


def sealed(kind, body, times=1):
    """A record of this type and content, as encrypted as the connection is."""
    def run(a):
        for _ in range(times):
            a.send_record(kind, body)
    return run


def leave(a):
    a.leave()


def fin(a):
    a.fin()


def listen(a):
    """To the end: the next step finds the target gone."""
    a.hear()
