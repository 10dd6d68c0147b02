"""Python's ssl module as a peer: contexts, and connections of which the test sees every byte."""

import contextlib
import select
import socket
import ssl
import struct
import time

from support import LIMIT, certificate

VERSION = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def _restrict(context, version, alpn):
    if version:
        context.minimum_version = context.maximum_version = VERSION[version]
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


def client_context(version=None, ca="ca.pem", alpn=None, identity=None):
    """Returns a context that verifies the server against `ca`, None being nobody at all."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca:
        context.load_verify_locations(certificate(ca))
    if identity:
        context.load_cert_chain(certificate(identity + ".pem"), certificate(identity + ".key"))
    return _restrict(context, version, alpn)


def server_context(version=None, identity="server", alpn=None, client_ca=None):
    """Returns a context with a certificate, which requires one of `client_ca` from the client if that is given."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(identity + ".pem"), certificate(identity + ".key"))
    if client_ca:
        context.load_verify_locations(certificate(client_ca))
        context.verify_mode = ssl.CERT_REQUIRED
    return _restrict(context, version, alpn)


def plain_socket(test, port):
    """Connects to a port of 127.0.0.1; the test closes the socket if it is still open at its end."""
    connection = socket.create_connection(("127.0.0.1", port), LIMIT)
    test.addCleanup(connection.close)
    return connection


def connect(test, port, context, name="localhost", session=None):
    """Returns an established TLS connection. End of file without close_notify is an error on it."""
    connection = context.wrap_socket(
        plain_socket(test, port), server_hostname=name, session=session, suppress_ragged_eofs=False)
    test.addCleanup(connection.close)
    return connection


def receive(connection, length):
    """Reads exactly so many bytes."""
    received = bytearray()
    while len(received) < length:
        chunk = connection.recv(length - len(received))
        if not chunk:
            raise AssertionError(f"the peer closed after {len(received)} of {length} bytes")
        received += chunk
    return bytes(received)


def refusal(test, port, context):
    """Connects and reads; returns the reason, in OpenSSL's words, for which the server ended it."""
    with test.assertRaises(ssl.SSLError) as caught:
        with connect(test, port, context) as connection:
            connection.recv(1)
    return caught.exception.reason


def exchange(connection, outgoing):
    """Writes all of `outgoing` and reads as much, both at once, so that neither side waits for the other."""
    waiting, received = memoryview(outgoing), bytearray()
    end = time.monotonic() + LIMIT
    connection.setblocking(False)
    while waiting or len(received) < len(outgoing):
        moved = False
        if waiting:
            with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
                waiting = waiting[connection.send(waiting[:1 << 16]):]
                moved = True
        missing = len(outgoing) - len(received)
        if missing:
            with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
                chunk = connection.recv(min(missing, 1 << 16))
                if not chunk:
                    raise AssertionError(f"the peer closed after {len(received)} bytes")
                received += chunk
                moved = True
        if not moved:
            readers, writers = [connection] if missing else [], [connection] if waiting else []
            if not any(select.select(readers, writers, [], max(0, end - time.monotonic()))):
                raise AssertionError(f"the peer was silent after {len(received)} bytes")
    connection.settimeout(LIMIT)
    return bytes(received)


class PythonServer:
    """A listening socket; the test itself is the server, one step at a time."""

    def __init__(self, test, context):
        self.test, self.context = test, context
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(LIMIT)
        self.port = self.listener.getsockname()[1]
        test.addCleanup(self.listener.close)

    def accept(self):
        """Accepts one client, before any byte of the handshake."""
        plain, _ = self.listener.accept()
        plain.settimeout(LIMIT)
        self.test.addCleanup(plain.close)
        return plain

    def establish(self):
        """Accepts one client and completes the handshake. End of file without close_notify is an error on it."""
        connection = self.context.wrap_socket(self.accept(), server_side=True, suppress_ragged_eofs=False)
        self.test.addCleanup(connection.close)
        return connection


class Wire:
    """A TLS client whose ciphertext the test moves itself, and so can keep back, cut, or leave unread."""

    def __init__(self, test, port, context, name="localhost"):
        self.socket = plain_socket(test, port)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=name)

    def first_flight(self):
        """Begins the handshake, and returns the ClientHello without sending it."""
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return self.outgoing.read()

    def send(self):
        """Sends all ciphertext that waits."""
        self.socket.sendall(self.outgoing.read())

    def receive(self):
        """Receives what has come, at least one byte or the end of file, which this returns as False."""
        chunk = self.socket.recv(1 << 16)
        if chunk:
            self.incoming.write(chunk)
        else:
            self.incoming.write_eof()
        return bool(chunk)

    def handshake(self):
        """Completes the handshake. What the peer sends after it stays in the socket, unless it came with it."""
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.send()
                self.receive()
        self.send()

    def reset(self):
        """Ends the connection by RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close_write(self):
        """Makes close_notify; to be called before anything of the peer's waits unread in memory."""
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass

    def read_to_close(self):
        """Sends what waits and reads at the same time, until the peer's close_notify; returns the plaintext."""
        plaintext, unsent = bytearray(), memoryview(self.outgoing.read())
        self.socket.setblocking(False)
        while True:
            try:
                chunk = self.tls.read(1 << 16)
                if not chunk:
                    break
                plaintext += chunk
                continue
            except ssl.SSLZeroReturnError:
                break
            except ssl.SSLWantReadError:
                pass
            readable, writable, _ = select.select([self.socket], [self.socket] if unsent else [], [], LIMIT)
            if writable:
                unsent = unsent[self.socket.send(unsent):]
            if readable:
                self.receive()
            if not readable and not writable:
                raise AssertionError(f"the peer was silent after {len(plaintext)} bytes")
        self.socket.settimeout(LIMIT)
        return bytes(plaintext)
