"""asyncio's transports over Python's ssl and over tlsmem: how connections begin, or do not. See asyncio_backends.py."""

import asyncio
import hashlib
import socket
import ssl

from asyncio_backends import BACKENDS, Notes, Peer, Scene, crossed, port_of
from support import certificate, free_port
import tls


class Refused(Scene):
    async def _refused(self, kind, port=None, code=None, **settings):
        """Connects, which has to be refused by the client with an exception of that kind. The server hears of nothing."""
        options = {"identity": settings.pop("identity")} if "identity" in settings else {}
        port, protocols = (port, []) if port else await self.serve(**options)
        client = Notes()
        with self.assertRaises(kind) as caught:
            await self.connect(port, lambda: client, **settings)
        if code is not None:
            self.assertEqual(caught.exception.verify_code, code)
        self.assertEqual(client.events, [])
        self.assertEqual([protocol.events for protocol in protocols if protocol.events], [])

    async def test_an_authority_that_is_not_trusted(self):
        await self._refused(ssl.SSLCertVerificationError, ca="other-ca.pem", code=20)

    async def test_a_certificate_of_no_authority(self):
        await self._refused(ssl.SSLCertVerificationError, identity="selfsigned", code=18)

    async def test_another_name(self):
        await self._refused(ssl.SSLCertVerificationError, name="other.example", code=62)

    async def test_a_certificate_for_another_name(self):
        await self._refused(ssl.SSLCertVerificationError, identity="wronghost", code=62)

    async def test_another_address(self):
        await self._refused(ssl.SSLCertVerificationError, name="127.0.0.2", code=64)

    async def test_an_expired_certificate(self):
        await self._refused(ssl.SSLCertVerificationError, identity="expired", code=10)

    async def test_a_certificate_of_tomorrow(self):
        await self._refused(ssl.SSLCertVerificationError, identity="future", code=9)

    async def test_a_certificate_for_another_purpose(self):
        await self._refused(ssl.SSLCertVerificationError, identity="purpose", code=26)

    async def test_no_version_in_common(self):
        other = "1.2" if self.version == "1.3" else "1.3"
        server = await self.server.serve(Notes, self.server.server(other))
        self.addCleanup(server.close)
        await self._refused(ssl.SSLError if self.server.sends_alerts else (ssl.SSLError, ConnectionResetError), port_of(server))

    async def test_nobody_listens(self):
        await self._refused(ConnectionRefusedError, free_port())

    async def test_a_name_that_is_none(self):
        port, _ = await self.serve()
        with self.assertRaises((ValueError, ssl.SSLError)):
            await self.connect(port, name="not a name")

    async def test_a_server_that_hangs_up(self):
        async def answer(reader, writer):
            await reader.read(1)
            writer.transport.abort()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        self.addCleanup(server.close)
        await self._refused(ConnectionResetError, port_of(server))

    async def test_a_server_that_ends_in_the_handshake(self):
        async def answer(reader, writer):
            await reader.read(1 << 16)
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        self.addCleanup(server.close)
        await self._refused(ConnectionResetError, port_of(server))


class Agreed(Scene):
    async def test_the_address_is_a_name(self):
        port, _ = await self.serve()
        client = await self.connect(port, name="127.0.0.1")
        client.transport.abort()
        await client.lost()

    async def _alpn(self, of_client, of_server):
        port, protocols = await self.serve(alpn=of_server)
        client = await self.connect(port, alpn=of_client)
        while not protocols:
            await asyncio.sleep(0)
        await protocols[0].heard("made")
        self.addAsyncCleanup(self._end, client, protocols[0])
        return [end.transport.get_extra_info("ssl_object").selected_alpn_protocol() for end in (client, protocols[0])]

    async def test_a_protocol_in_common(self):
        self.assertEqual(await self._alpn(["http/1.1", "h2"], ["h2", "http/1.1"]), ["h2", "h2"])

    async def test_no_protocol_wanted(self):
        self.assertEqual(await self._alpn(None, ["h2"]), [None, None])
        self.assertEqual(await self._alpn(["h2"], None), [None, None])

    async def test_no_protocol_in_common(self):
        if self.server.refuses_alpn:
            with self.assertRaisesRegex(ssl.SSLError, "(?i)no application protocol|no common application protocol"):
                await self._alpn(["spdy"], ["h2"])
        else:
            self.assertEqual(await self._alpn(["spdy"], ["h2"]), [None, None])

    async def test_a_client_shows_its_certificate(self):
        port, protocols = await self.serve(client_ca="ca.pem")
        client = await self.connect(port, identity="client")
        client.transport.write(b"x")
        while not protocols:
            await asyncio.sleep(0)
        await protocols[0].until(lambda: protocols[0].received)
        shown = protocols[0].transport.get_extra_info("ssl_object").getpeercert(True)
        with open(certificate("client.pem")) as pem:
            self.assertEqual(shown, ssl.PEM_cert_to_DER_cert(pem.read()))
        await self._end(client, protocols[0])

    async def _client_refused(self, **settings):
        """In TLS 1.3 a client believes that it is connected, until it reads."""
        port, protocols = await self.serve(client_ca="ca.pem")
        with self.assertRaises((ssl.SSLError, ConnectionResetError)):
            client = await self.connect(port, **settings)
            lost = await client.lost()
            self.assertEqual(self.version, "1.3")
            # Python's ssl cuts the transport, and the alert may get lost with it.
            if lost is not None or self.server.sends_alerts:
                raise lost
            raise ConnectionResetError
        self.assertEqual([protocol.events for protocol in protocols if protocol.events], [])

    async def test_a_client_without_certificate(self):
        await self._client_refused()

    async def test_a_client_with_a_certificate_of_somebody_else(self):
        await self._client_refused(identity="stranger")

    async def test_a_client_with_an_expired_certificate(self):
        await self._client_refused(identity="expired-client")

    async def test_extra_info(self):
        client, server = await self.both()
        for end, other in ((client, server), (server, client)):
            info, there = end.transport.get_extra_info, other.transport.get_extra_info
            self.assertEqual(info("peername"), there("sockname"))
            self.assertEqual(info("socket").fileno(), info("socket").fileno())
            self.assertEqual(info("cipher"), there("cipher"))
            self.assertEqual(info("ssl_object").cipher(), info("cipher"))
            self.assertEqual(info("ssl_object").version(), "TLSv" + self.version)
            self.assertIsNone(info("ssl_object").compression())
            self.assertIsNone(info("nonsense"))
            self.assertEqual(info("nonsense", 5), 5)
        certified = client.transport.get_extra_info("peercert")
        self.assertEqual(set(certified["subjectAltName"]),
                         {("DNS", "localhost"), ("IP Address", "127.0.0.1"), ("IP Address", "0:0:0:0:0:0:0:1")}
                         if self.client.name == "ssl" else
                         {("DNS", "localhost"), ("IP Address", "127.0.0.1"), ("IP Address", "::1")})
        with open(certificate("server.pem")) as pem:
            der = ssl.PEM_cert_to_DER_cert(pem.read())
        self.assertEqual(client.transport.get_extra_info("ssl_object").getpeercert(True), der)
        self.assertIsNone(server.transport.get_extra_info("peercert"))
        if self.client.name == "tlsmem":
            self.assertEqual(certified["sha256"], hashlib.sha256(der).digest())
            self.assertEqual(client.transport.get_extra_info("peercert_der"), der)
            self.assertEqual(client.transport.get_extra_info("tls_version"), "TLSv" + self.version)

    async def test_channel_bindings_are_the_same(self):
        client, server = await self.both()
        ends = [end.transport.get_extra_info("ssl_object") for end in (client, server)]
        if self.version == "1.2":
            bindings = [end.get_channel_binding("tls-unique") for end in ends]
            self.assertEqual(len(bindings[0]), 12)
            self.assertEqual(bindings[0], bindings[1])
        if self.client.name == self.server.name == "tlsmem":
            bindings = [end.get_channel_binding() for end in ends]
            self.assertEqual(len(bindings[0]), 32)
            self.assertEqual(bindings[0], bindings[1])


class Awaited(Scene):
    def _silent(self):
        """Returns the port of a server that accepts, in the kernel, and says nothing."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        return listener.getsockname()[1]

    async def test_a_silent_server(self):
        with self.assertRaises(self.client.silence):
            await self.connect(self._silent(), handshake_timeout=0.1)

    async def test_a_silent_client(self):
        port, protocols = await self.serve(handshake_timeout=0.1)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            self.assertEqual(await reader.read(), b"")
        except ConnectionResetError:
            pass
        writer.close()
        self.assertEqual([protocol.events for protocol in protocols], [[]])

    async def test_a_timeout_that_is_none(self):
        for timeout in (0, -1):
            with self.assertRaises(ValueError):
                await self.connect(self._silent(), handshake_timeout=timeout)

    async def test_a_cancelled_connect(self):
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
        self.addCleanup(listener.close)
        loop = asyncio.get_running_loop()
        client = Notes()
        connecting = asyncio.ensure_future(self.connect(listener.getsockname()[1], lambda: client))
        accepted, _ = await loop.sock_accept(listener)
        self.addCleanup(accepted.close)
        accepted.setblocking(False)
        self.assertTrue(await loop.sock_recv(accepted, 1 << 16))
        connecting.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await connecting
        try:
            self.assertEqual(await loop.sock_recv(accepted, 1), b"")
        except ConnectionResetError:
            pass
        self.assertEqual(client.events, [])

    async def test_a_connect_that_takes_too_long(self):
        with self.assertRaises(asyncio.TimeoutError):
            await asyncio.wait_for(self.connect(self._silent()), 0.05)

    async def test_start_tls(self):
        """Both sides speak in plain first, and then of TLS."""
        loop, plain = asyncio.get_running_loop(), []
        server = await loop.create_server(lambda: plain.append(Notes()) or plain[-1], "127.0.0.1", 0)
        self.addCleanup(server.close)
        _, client = await loop.create_connection(Notes, "127.0.0.1", port_of(server))
        client.transport.write(b"STARTTLS")
        while not plain:
            await asyncio.sleep(0)
        await plain[0].until(lambda: plain[0].received == b"STARTTLS")
        below = client.transport
        upgrades = (self.client.start_tls(client.transport, client, self.client.client(self.version)),
                    self.server.start_tls(plain[0].transport, plain[0], self.server.server(self.version), is_server=True))
        client.transport, plain[0].transport = await asyncio.gather(*upgrades)
        self.assertIsNot(client.transport, below)
        client.transport.write(b" and more")
        await plain[0].until(lambda: plain[0].received == b"STARTTLS and more")
        plain[0].transport.close()
        self.assertIsNone(await client.lost())
        self.assertIsNone(await plain[0].lost())
        self.assertEqual(client.events, [("made",), ("eof",), ("lost", None)])

    async def test_start_tls_that_is_refused(self):
        loop, plain = asyncio.get_running_loop(), []
        server = await loop.create_server(lambda: plain.append(Notes()) or plain[-1], "127.0.0.1", 0)
        self.addCleanup(server.close)
        _, client = await loop.create_connection(Notes, "127.0.0.1", port_of(server))
        while not plain:
            await asyncio.sleep(0)
        upgrades = (self.client.start_tls(client.transport, client, self.client.client(self.version, ca="other-ca.pem")),
                    self.server.start_tls(plain[0].transport, plain[0], self.server.server(self.version), is_server=True))
        results = await asyncio.gather(*upgrades, return_exceptions=True)
        self.assertIsInstance(results[0], ssl.SSLCertVerificationError)
        if self.version == "1.2" or self.client.sends_alerts:
            self.assertIsInstance(results[1], (ssl.SSLError, ConnectionError))

    async def test_tls_in_tls(self):
        """What is agreed inside of a connection is a connection of the other library."""
        client, server = await self.both()
        inner = {"ssl": BACKENDS["tlsmem"], "tlsmem": BACKENDS["ssl"]}
        one, other = inner[self.client.name], inner[self.server.name]
        upgrades = (one.start_tls(client.transport, client, one.client(self.version)),
                    other.start_tls(server.transport, server, other.server(self.version), is_server=True))
        inside, there = await asyncio.gather(*upgrades)
        inside.write(b"x" * 300000)
        await server.until(lambda: len(server.received) == 300000)
        there.write(b"y" * 300000)
        await client.until(lambda: len(client.received) == 300000)
        inside.close()
        await server.lost()
        await client.lost()

    async def test_the_alert_of_a_failure_arrives(self):
        """A server by hand hears why its certificate was refused; where the table says so."""
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
        self.addCleanup(listener.close)
        connecting = asyncio.ensure_future(self.connect(listener.getsockname()[1], ca="other-ca.pem"))
        accepted, _ = await asyncio.get_running_loop().sock_accept(listener)
        accepted.setblocking(False)
        self.addCleanup(accepted.close)
        peer = Peer(accepted, tls.server_context(self.version), is_server=True)
        if self.client.sends_alerts:
            with self.assertRaisesRegex(ssl.SSLError, "(?i)unknown.ca"):
                await peer.do(peer.tls.do_handshake)
        else:
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                await peer.do(peer.tls.do_handshake)
        accepted.close()
        with self.assertRaises(ssl.SSLCertVerificationError):
            await connecting


for each in (Refused, Agreed, Awaited):
    crossed(globals(), each)
del each, Refused, Agreed, Awaited
