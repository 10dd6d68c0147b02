"""Puts the package of examples-c/python under Python's own asyncio, in the place of its ssl: for tests that were written for
that, CPython's first of all.

What asyncio calls for each TLS connection, sslproto.SSLProtocol, is replaced by a driver of tlsmem; and ssl.SSLContext is made
to take notes of what it is given, because nobody can ask it later. Where the two differ on purpose, the driver here has the
habit of asyncio's, and says so: each place is marked with "habit".
"""

import asyncio
import pathlib
import re
import ssl
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "examples-c" / "python"))

import tlsmem
from tlsmem.library import Status

VERSIONS = {ssl.TLSVersion.TLSv1_2: "1.2", ssl.TLSVersion.TLSv1_3: "1.3"}
drivers = 0  # how many connections were begun over tlsmem


def take_notes(method):
    """Has a method of SSLContext keep its arguments beside what it does."""
    original = getattr(ssl.SSLContext, method)

    def noting(self, *arguments, **named):
        original(self, *arguments, **named)
        self.__dict__.setdefault(method, []).append((*arguments, *named.values()))

    setattr(ssl.SSLContext, method, noting)


def over_tlsmem(context, server_side):
    """Returns the context of tlsmem that has the settings of an SSLContext; the same each time."""
    made, notes = context.__dict__.setdefault("made", {}), context.__dict__
    if server_side not in made:
        cert, key = (*notes.get("load_cert_chain", [(None,)])[-1], None)[:2]
        authorities = [one.encode() if one.startswith("-----") else one
                       for call in notes.get("load_verify_locations", ()) for one in call if one]
        settings = {"alpn": notes.get("set_alpn_protocols", [((),)])[-1][0], "cert": cert, "key": key or cert,
                    "min_version": VERSIONS.get(context.minimum_version), "max_version": VERSIONS.get(context.maximum_version)}
        verifies = context.verify_mode != ssl.CERT_NONE
        if server_side:
            made[True] = tlsmem.Context.server(client_ca=authorities if verifies else None, **settings)
        else:
            made[False] = tlsmem.Context.client(authorities or None, insecure_no_verify=not verifies, **settings)
    return made[server_side]


class Connection(tlsmem.Connection):
    def getpeercert(self, binary_form=False):
        """habit: a dict with other members, which is empty where nobody verifies"""
        der = super().getpeercert(True)
        if binary_form or der is None:
            return der
        if not self.verifies:
            return {}
        with tempfile.NamedTemporaryFile("w") as pem:
            pem.write(ssl.DER_cert_to_PEM_cert(der))
            pem.flush()
            return ssl._ssl._test_decode_cert(pem.name)  # what CPython's own tests have for this


def in_words_of_ssl(error, name):
    """habit: other sentences about certificates"""
    mismatch = re.search(r"(IP address|[Hh]ostname) mismatch", error.sentence)
    said = f"{mismatch[0]}, certificate is not valid for '{name}'" if mismatch else error.sentence
    words = ssl.SSLCertVerificationError(1, f"[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {said}")
    words.reason = "CERTIFICATE_VERIFY_FAILED"
    return words


class SSLTransportOverTlsmem(tlsmem.TLSTransport):
    @property
    def _ssl_protocol(self):
        return self._driver

    def _test__append_write_backlog(self, data):
        """What tests of asyncio put into its backlog, as if it had been written and not been sent."""
        self._driver.backlog.append(data)


class Driver(tlsmem.TLSDriver):
    """Is made as SSLProtocol is."""

    transport_class = SSLTransportOverTlsmem

    def __init__(self, loop, app_protocol, sslcontext, waiter, server_side=False, server_hostname=None,
                 call_connection_made=True, ssl_handshake_timeout=None, ssl_shutdown_timeout=None):
        global drivers
        drivers += 1
        for name, value in (("ssl_handshake_timeout", ssl_handshake_timeout), ("ssl_shutdown_timeout", ssl_shutdown_timeout)):
            if value is not None and value <= 0:
                raise ValueError(f"{name} should be a positive number, got {value}")
        self.sslcontext, self.backlog = sslcontext or ssl.create_default_context(), []
        self.handshake_timeout = ssl_handshake_timeout or 60.0  # habit: not 10
        # habit: with check_hostname off no name is wanted; here one is, unless nothing is verified
        connection = Connection(over_tlsmem(self.sslcontext, server_side), server_hostname or "localhost",
                                handshake_timeout=self.handshake_timeout, shutdown_timeout=ssl_shutdown_timeout or 30.0)
        connection.verifies = self.sslcontext.verify_mode != ssl.CERT_NONE
        super().__init__(loop, app_protocol, connection, waiter, call_connection_made)
        self._app_transport = self.transport

    can_write_eof = False  # habit: nothing is ever half closed, and eof_received() ends the connection

    def extra_info(self, name, default=None):
        return self.sslcontext if name == "sslcontext" else super().extra_info(name, default)

    def _on_eof(self):
        self._write_backlog()
        super()._on_eof()

    def eof_received(self):
        self._write_backlog()
        return super().eof_received()

    def _write_backlog(self):
        while self.backlog:
            self._connection.write(self.backlog.pop(0))

    def _fail(self, error):
        if error.status == Status.TLSMEM_ETRUNCATED and not self._lost:
            # habit: the end of the file is the end of the data, whether or not the peer has said so
            if not self._closing:
                self._call("eof_received", self.protocol.eof_received)
            self._closing_now()
        elif error.status == Status.TLSMEM_ETIMEOUT and not self._established:
            # habit: another exception
            super()._fail(ConnectionAbortedError(f"SSL handshake is taking longer than {self.handshake_timeout} seconds"))
        elif isinstance(error, tlsmem.CertificateError):
            super()._fail(in_words_of_ssl(error, self._connection.server_hostname))
        else:
            super()._fail(error)

    def _closing_now(self):
        while data := self._connection.outgoing():
            self._below.write(data)
        self._tell_lost(None)
        self._below.close()

    def _tell_lost(self, exc):
        super()._tell_lost(exc)
        self._app_transport = None


def install():
    """From now on asyncio of this process has tlsmem."""
    for method in ("load_cert_chain", "load_verify_locations", "set_alpn_protocols"):
        take_notes(method)
    asyncio.sslproto.SSLProtocol = Driver
