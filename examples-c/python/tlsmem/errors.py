"""What goes wrong, as exceptions.

Programs that are written for Python's ssl catch its exceptions; so these are of those classes, too, where ssl is there.
Nothing of it is used besides.
"""

import ctypes

from .library import Status, lib
from .structs import tlsmem_error_info

try:
    from ssl import SSLCertVerificationError, SSLEOFError, SSLError
except ImportError:  # a Python that was built without it
    SSLError = SSLCertVerificationError = SSLEOFError = OSError


def _bases(*classes):
    return tuple(dict.fromkeys(classes))


class TLSError(*_bases(SSLError)):
    """A failure: `status` and `name` say which, the text of the exception why, in a sentence."""

    library = "tlsmem"

    def __init__(self, info):
        name = lib.tlsmem_status_name(info.status).decode()
        sentence = (info.sentence or lib.tlsmem_strerror(info.status)).decode(errors="replace")
        super().__init__(info.sys_errno or info.status, f"{name}: {sentence}")
        self.status = info.status
        self.name = self.reason = name
        self.sentence = sentence
        self.alert_sent = info.alert_sent if info.alert_sent >= 0 else None
        self.alert_received = info.alert_received if info.alert_received >= 0 else None
        self.verify_code = info.verify_result
        self.verify_message = sentence


class CertificateError(TLSError, *_bases(SSLCertVerificationError)):
    """The peer's certificate is not good, for another name, out of date, missing, or not the pinned one."""


class TLSTimeoutError(TLSError, TimeoutError):
    """A deadline passed: of the handshake, of silence, of closing."""


class TLSResetError(TLSError, ConnectionResetError):
    """The transport was reset, or ended in the middle of the handshake."""


class TruncatedError(TLSError, *_bases(SSLEOFError)):
    """The transport ended without close_notify: what the peer had to say may be cut (RFC 8446, 6.1)."""


class TLSAbortedError(TLSError, ConnectionAbortedError):
    """It was ended on our side."""


_CLASSES = {
    **dict.fromkeys((Status.TLSMEM_EVERIFY, Status.TLSMEM_EHOST, Status.TLSMEM_EEXPIRED, Status.TLSMEM_ENOCERT,
                     Status.TLSMEM_EPIN, Status.TLSMEM_EOCSP), CertificateError),
    Status.TLSMEM_ETIMEOUT: TLSTimeoutError,
    Status.TLSMEM_ERESET: TLSResetError,
    Status.TLSMEM_EHANDSHAKEEOF: TLSResetError,
    Status.TLSMEM_ETRUNCATED: TruncatedError,
    Status.TLSMEM_EABORTED: TLSAbortedError,
}


def _error(info):
    return _CLASSES.get(info.status, TLSError)(info)


def connection_error(connection, status):
    """Returns what a connection has failed with; or, if it has not failed, what a call on it was refused with."""
    info = tlsmem_error_info()
    lib.tlsmem_error(connection, ctypes.byref(info))
    if info.status == Status.TLSMEM_OK:
        info.status = status
    return _error(info)


def context_error(context, status):
    """Returns why a setting was refused."""
    info = tlsmem_error_info()
    lib.tlsmem_ctx_error(context, ctypes.byref(info))
    info.status = status
    return _error(info)


def status_error(status):
    """Returns the exception of a status of which nothing else is known."""
    info = tlsmem_error_info()
    info.status = status
    return _error(info)
