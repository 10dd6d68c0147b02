"""asyncio over Python's ssl and over tlsmem, with the same methods, for tests that are run over both; and those tests' tools.

Where the two differ, it stands in this table, and as an attribute of both; nothing is skipped for it. What it says of ssl is so
from Python 3.11 on.

    what                                        ssl                                 tlsmem
    end of file without close_notify            connection_lost(None)               connection_lost(TruncatedError)
    write_eof, TLS 1.3                          NotImplementedError                 the peer may go on sending
    write_eof, TLS 1.2                          NotImplementedError                 NotImplementedError
    eof_received() returns true                 closes all the same                 TLS 1.3: stays open; 1.2: closes
    server without a protocol in common (ALPN)  goes on without one                 refuses the client
    silent handshake ends with                  ConnectionAbortedError              TLSTimeoutError, a TimeoutError
    after a failure                             cuts the transport                  sends the alert, and FIN behind it
    get_buffer() gives a bytearray              only its first record is in there   all is in there
    get_buffer() has no room                    reads nothing any more              connection_lost(RuntimeError)
    write() or abort() after two close()        AttributeError                      nothing
    one large write, a slow reader              pause_writing does not come         it comes
    no server name, but verification            ValueError, without a host          TLSError
"""

import asyncio
import functools
import inspect
import os
import pathlib
import socket
import ssl
import struct
import sys
import unittest

from support import BUILD, LIMIT, certificate
from tls import VERSION

PACKAGE = pathlib.Path(__file__).resolve().parent.parent.parent / "examples-c" / "python"
sys.path.insert(0, str(PACKAGE))
os.environ.setdefault("TLSMEM_LIBRARY", str(BUILD / "stage" / "lib" / "libtlsmem.so.0"))

import tlsmem  # noqa: E402


class OverSSL:
    name = "ssl"
    half_closes = refuses_alpn = sends_alerts = sees_below = False
    truncation = type(None)
    silence = ConnectionAbortedError

    def client(self, version=None, ca="ca.pem", alpn=None, identity=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(certificate(ca))
        return self._configured(context, version, alpn, identity)

    def server(self, version=None, identity="server", alpn=None, client_ca=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if client_ca:
            context.load_verify_locations(certificate(client_ca))
            context.verify_mode = ssl.CERT_REQUIRED
        return self._configured(context, version, alpn, identity)

    def _configured(self, context, version, alpn, identity):
        if version:
            context.minimum_version = context.maximum_version = VERSION[version]
        if identity:
            context.load_cert_chain(certificate(identity + ".pem"), certificate(identity + ".key"))
        if alpn:
            context.set_alpn_protocols(alpn)
        return context

    async def connect(self, factory, port, context, name="localhost", **options):
        return await asyncio.get_running_loop().create_connection(
            factory, "127.0.0.1", port, ssl=context, server_hostname=name, **self._named(options))

    async def serve(self, factory, context, **options):
        return await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0, ssl=context, **self._named(options))

    async def open(self, port, context, name="localhost", **options):
        return await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name, **self._named(options))

    async def serve_streams(self, answer, context):
        return await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)

    async def start_tls(self, transport, protocol, context, is_server=False, **options):
        return await asyncio.get_running_loop().start_tls(
            transport, protocol, context, server_side=is_server, server_hostname=None if is_server else "localhost",
            **self._named(options))

    def _named(self, options):
        return {f"ssl_{name}" if name.endswith("_timeout") else name: value for name, value in options.items()}


class OverTlsmem:
    name = "tlsmem"
    half_closes = refuses_alpn = sends_alerts = sees_below = True
    truncation = tlsmem.TruncatedError
    silence = tlsmem.TLSTimeoutError

    def client(self, version=None, ca="ca.pem", alpn=(), identity=None):
        return tlsmem.Context.client(certificate(ca), min_version=version, max_version=version, alpn=alpn or (),
                                     **self._identity(identity))

    def server(self, version=None, identity="server", alpn=(), client_ca=None):
        return tlsmem.Context.server(client_ca=client_ca and certificate(client_ca), min_version=version,
                                     max_version=version, alpn=alpn or (), **self._identity(identity))

    def _identity(self, identity):
        return {"cert": certificate(identity + ".pem"), "key": certificate(identity + ".key")} if identity else {}

    async def connect(self, factory, port, context, name="localhost", **options):
        return await tlsmem.create_connection(factory, "127.0.0.1", port, context=context, server_hostname=name, **options)

    async def serve(self, factory, context, **options):
        return await tlsmem.create_server(factory, "127.0.0.1", 0, context=context, **options)

    async def open(self, port, context, name="localhost", **options):
        return await tlsmem.open_connection("127.0.0.1", port, context=context, server_hostname=name, **options)

    async def serve_streams(self, answer, context):
        return await tlsmem.start_server(answer, "127.0.0.1", 0, context=context)

    async def start_tls(self, transport, protocol, context, is_server=False, **options):
        return await tlsmem.start_tls(transport, protocol, context, server_hostname=None if is_server else "localhost",
                                      **options)


BACKENDS = {"ssl": OverSSL(), "tlsmem": OverTlsmem()}


def port_of(server):
    return server.sockets[0].getsockname()[1]


class Notes(asyncio.Protocol):
    """A protocol that keeps what it hears, and can be waited for."""

    def __init__(self):
        self.transport, self.received, self.events = None, bytearray(), []
        self.eof_answer = None
        self._changed = asyncio.Event()

    def note(self, *event):
        self.events.append(event)
        self._changed.set()

    def connection_made(self, transport):
        self.transport = transport
        self.note("made")

    def data_received(self, data):
        self.received += data
        self._changed.set()

    def eof_received(self):
        self.note("eof")
        return self.eof_answer

    def pause_writing(self):
        self.note("pause")

    def resume_writing(self):
        self.note("resume")

    def connection_lost(self, exc):
        self.note("lost", exc)

    async def until(self, condition):
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    async def heard(self, event):
        """Waits for an event, and returns it."""
        await self.until(lambda: any(one[0] == event for one in self.events))
        return next(one for one in self.events if one[0] == event)

    async def lost(self):
        return (await self.heard("lost"))[1]

    def count(self, event):
        return sum(one[0] == event for one in self.events)


class Peer:
    """TLS by hand, over a plain socket: for a peer that does what no library does by itself."""

    def __init__(self, sock, context, is_server=False):
        self.socket, self._in, self.out = sock, ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._in, self.out, server_side=is_server,
                                    server_hostname=None if is_server else "localhost")

    @classmethod
    async def connect(cls, test, port, context):
        sock = socket.socket()
        sock.setblocking(False)
        test.addCleanup(sock.close)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        return cls(sock, context)

    async def send(self):
        await asyncio.get_running_loop().sock_sendall(self.socket, self.out.read())

    async def do(self, function, *arguments, flushes=True):
        """Does a step of TLS, with as many bytes from the other side as it takes."""
        while True:
            try:
                result = function(*arguments)
                break
            except ssl.SSLWantReadError:
                await self.send()
                data = await asyncio.get_running_loop().sock_recv(self.socket, 1 << 16)
                self._in.write(data) if data else self._in.write_eof()
        if flushes:
            await self.send()
        return result

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class Scene:
    """What each test has: `client` and `server`, the backends; `version`; and it hears of what nobody has caught."""

    def setUp(self):
        self.reports, self.servers = [], []

    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)  # which is slow, and looks for what is slow
        asyncio.get_running_loop().set_exception_handler(lambda _, context: self.reports.append(context))

    async def asyncTearDown(self):
        self.assertEqual(self.reports, [], "nobody has caught this")

    def expect_reports(self, number, kind):
        """Takes away the reports, which have to be so many and of that kind."""
        self.assertEqual([type(report.get("exception")) for report in self.reports], number * [kind], self.reports)
        self.reports.clear()

    async def serve(self, factory=Notes, backend=None, **settings):
        """Returns a server's port, and the list of its protocols."""
        options = {name: settings.pop(name) for name in list(settings) if name.endswith("_timeout")}
        backend, protocols = backend or self.server, []

        def made():
            protocols.append(factory())
            return protocols[-1]

        server = await backend.serve(made, backend.server(self.version, **settings), **options)
        self.addCleanup(server.close)
        self.servers.append(server)
        return port_of(server), protocols

    async def forget(self):
        """Lets go of what the scene has of its connections."""
        for server in self.servers:
            server.close()
        self.servers.clear()
        self._cleanups.clear()
        await asyncio.sleep(0)

    async def connect(self, port, factory=Notes, **settings):
        options = {name: settings.pop(name) for name in list(settings) if name.endswith("_timeout") or name == "name"}
        return (await self.client.connect(factory, port, self.client.client(self.version, **settings), **options))[1]

    async def both(self, factory=Notes, client_factory=Notes, **options):
        """Returns the protocols of both sides of a connection, the client's first."""
        port, protocols = await self.serve(factory, **options)
        client = await self.connect(port, client_factory)
        while not protocols:
            await asyncio.sleep(0)
        await protocols[0].heard("made")
        self.addAsyncCleanup(self._end, client, protocols[0])
        return client, protocols[0]

    async def _end(self, *protocols):
        for protocol in protocols:
            if not protocol.count("lost"):
                protocol.transport.abort()
        for protocol in protocols:
            await asyncio.wait_for(protocol.lost(), LIMIT)

    async def streams(self, answer, **settings):
        """Returns reader and writer of a client whose server has this answer."""
        server = await self.server.serve_streams(answer, self.server.server(self.version, **settings))
        self.addCleanup(server.close)
        reader, writer = await self.client.open(port_of(server), self.client.client(self.version))
        self.addCleanup(writer.transport.abort)
        return reader, writer


def bounded(method):
    @functools.wraps(method)
    async def run(self):
        await asyncio.wait_for(method(self), LIMIT)
    return run


def crossed(names, base):
    """Derives from `base` a test class for each two backends and each version, into a module's names."""
    limited = {name: bounded(method) for name, method in inspect.getmembers(base, inspect.iscoroutinefunction)
               if name.startswith("test_")}
    for client in BACKENDS:
        for server in BACKENDS:
            for version in VERSION:
                name = f"{base.__name__}_{client}_to_{server}_{version.replace('.', '_')}"
                attributes = {"client": BACKENDS[client], "server": BACKENDS[server], "version": version}
                names[name] = type(name, (base, unittest.IsolatedAsyncioTestCase),
                                   {**limited, **attributes, "__module__": base.__module__})
