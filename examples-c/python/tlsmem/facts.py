"""What is known of a connection, by the names that ssl.SSLObject has for it."""

import ctypes
import re

from .errors import status_error
from .library import Constant, Status, lib
from .structs import tlsmem_peer_details, tlsmem_report_info

BINDINGS = {"tls-exporter": Constant.TLSMEM_BINDING_EXPORTER, "tls-unique": Constant.TLSMEM_BINDING_UNIQUE,
            "tls-server-end-point": Constant.TLSMEM_BINDING_SERVER_END_POINT}


def _copied(function, *arguments):
    """Returns what a function copies into a buffer, for which it is asked how long that is first; None for nothing."""
    length = function(*arguments, None, 0)
    if length == Status.TLSMEM_AGAIN:
        return None
    if length >= 0:
        buffer = ctypes.create_string_buffer(length + 1)
        length = function(*arguments, buffer, length + 1)
    if length < 0:
        raise status_error(length)
    return buffer.raw[:length]


def _text(function, *arguments):
    return _copied(function, *arguments).decode(errors="replace")


class Facts:
    """Of a connection, whose tlsmem is `_handle`."""

    def version(self):
        """Returns "TLSv1.3", or None while it is not known."""
        return lib.tlsmem_protocol_name(self._handle).decode() or None

    def cipher(self):
        """Returns the name of the cipher, the version, and the bits of the key; None while it is not known."""
        name = lib.tlsmem_cipher_name(self._handle).decode()
        bits = re.search(r"(?:AES|ARIA|CAMELLIA)[_-]?(128|256)|(CHACHA20)", name)
        return (name, self.version(), bits and int(bits[1] or 256)) if name else None

    def compression(self):
        """Returns None: nothing is ever compressed."""
        return None

    def selected_alpn_protocol(self):
        name, n = ctypes.c_void_p(), ctypes.c_size_t()
        if lib.tlsmem_alpn(self._handle, ctypes.byref(name), ctypes.byref(n)) != Status.TLSMEM_OK:
            return None
        return ctypes.string_at(name.value, n.value).decode()

    def requested_server_name(self):
        """Returns the name that the client asked a server for (SNI), or None."""
        name = lib.tlsmem_server_name(self._handle)
        return name and name.decode()

    def getpeercert(self, binary_form=False):
        """Returns the peer's certificate, None if it has shown none: DER, or a dict. In it are subject and issuer as text
        (RFC 2253), serialNumber, notBefore and notAfter in seconds since 1970, subjectAltName as ssl has it, sha256, and
        sha256 of the key: "key_sha256", which is what a pin is."""
        if binary_form:
            return _copied(lib.tlsmem_peer_certificate, self._handle)
        details = tlsmem_peer_details()
        status = lib.tlsmem_peer_info(self._handle, ctypes.byref(details))
        if status == Status.TLSMEM_AGAIN:
            return None
        if status < 0:
            raise status_error(status)
        names = (_text(lib.tlsmem_peer_san, self._handle, index) for index in range(details.san_count))
        return {"subject": _text(lib.tlsmem_peer_subject, self._handle),
                "issuer": _text(lib.tlsmem_peer_issuer, self._handle),
                "serialNumber": _text(lib.tlsmem_peer_serial, self._handle),
                "notBefore": details.not_before, "notAfter": details.not_after,
                "subjectAltName": tuple(tuple(name.replace("IP:", "IP Address:", 1).split(":", 1)) for name in names),
                "sha256": bytes(details.sha256), "key_sha256": bytes(details.key_sha256)}

    def get_channel_binding(self, cb_type="tls-exporter"):
        """Returns what ties a login inside of the connection to it; None before the handshake is done."""
        return _copied(lib.tlsmem_channel_binding, self._handle, BINDINGS[cb_type])

    def report(self):
        """Returns what became of the connection: a tlsmem_report_info."""
        report = tlsmem_report_info()
        lib.tlsmem_report(self._handle, ctypes.byref(report))
        return report
