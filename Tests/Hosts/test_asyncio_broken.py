"""asyncio's transports over Python's ssl and over tlsmem: peers that break off, and protocols that raise. See
asyncio_backends.py."""

import asyncio
import contextlib
import socket
import ssl

from asyncio_backends import Notes, Peer, Scene, crossed
import tls


class Trouble(Exception):
    """What a protocol raises."""


def raising(name):
    """Returns a kind of protocol of which one method raises."""
    def raises(self, *arguments):
        getattr(Notes, name)(self, *arguments)
        raise Trouble(name)
    return type("Raising", (Notes,), {name: raises})


class Broken(Scene):
    async def _peer(self, factory=Notes, **options):
        """Returns a peer by hand, with an established connection to the server, and the server's protocol."""
        port, protocols = await self.serve(factory, **options)
        peer = await Peer.connect(self, port, tls.client_context(self.version))
        await peer.do(peer.tls.do_handshake)
        while not protocols:
            await asyncio.sleep(0)
        await protocols[0].heard("made")
        return peer, protocols[0]

    async def test_end_of_file_without_close_notify(self):
        peer, server = await self._peer()
        peer.tls.write(b"perhaps all, perhaps not")
        await peer.send()
        await server.until(lambda: server.received)
        peer.socket.shutdown(socket.SHUT_WR)
        self.assertIsInstance(await server.lost(), self.server.truncation)
        self.assertEqual(server.count("eof"), 1 if self.server.truncation is type(None) else 0)

    async def test_reset(self):
        peer, server = await self._peer()
        peer.reset()
        self.assertIsInstance(await server.lost(), ConnectionResetError)
        self.assertEqual(server.events[0:1] + server.events[-1:], [("made",), server.events[-1]])

    async def test_reset_while_much_is_written(self):
        peer, server = await self._peer()
        server.transport.write(b"x" * (16 << 20))
        peer.reset()
        self.assertIsInstance(await server.lost(), (ConnectionResetError, BrokenPipeError))

    async def test_bytes_that_do_not_decrypt(self):
        peer, server = await self._peer()
        loop = asyncio.get_running_loop()
        peer.tls.write(b"x" * 100)
        await loop.sock_sendall(peer.socket, peer.out.read()[:-1] + b"\0" * 100)
        self.assertIsInstance(await server.lost(), ssl.SSLError)
        if self.server.sends_alerts:
            with self.assertRaisesRegex(ssl.SSLError, "(?i)bad.record.mac"):
                await peer.do(peer.tls.read, 1)
        peer.socket.close()
        if self.server.name == "ssl":
            self.reports.clear()  # it reports nothing, or "Fatal error", by the version of Python

    async def test_a_peer_that_speaks_no_tls(self):
        port, protocols = await self.serve()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        try:
            await reader.read()
        except ConnectionResetError:
            pass
        writer.close()
        self.assertEqual([protocol.events for protocol in protocols if protocol.events], [])

    async def test_a_server_that_speaks_no_tls(self):
        async def answer(reader, writer):
            writer.write(b"220 mail.example ESMTP\r\n")
            await reader.read()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        self.addCleanup(server.close)
        with self.assertRaises(ssl.SSLError):
            await self.connect(server.sockets[0].getsockname()[1])

    async def test_a_peer_that_never_answers_close(self):
        port, protocols = await self.serve(shutdown_timeout=0.2)
        peer = await Peer.connect(self, port, tls.client_context(self.version))
        await peer.do(peer.tls.do_handshake)
        while not protocols:
            await asyncio.sleep(0)
        await protocols[0].heard("made")
        protocols[0].transport.close()
        self.assertIsInstance(await protocols[0].lost(), (TimeoutError, asyncio.TimeoutError))

    async def test_data_received_raises(self):
        client, server = await self.both(raising("data_received"))
        client.transport.write(b"x")
        self.assertIsInstance(await server.lost(), Trouble)
        await client.lost()
        self.expect_reports(1, Trouble)

    async def test_connection_made_raises(self):
        port, protocols = await self.serve(raising("connection_made"))
        with contextlib.suppress(ConnectionResetError):  # TLS 1.2: before the server's last message is sent
            await (await self.connect(port)).lost()
        self.assertIsInstance(await protocols[0].lost(), Trouble)
        self.expect_reports(1, Trouble)

    async def test_a_client_whose_connection_made_raises(self):
        port, _ = await self.serve()
        with self.assertRaises(Trouble):
            await self.connect(port, raising("connection_made"))
        await asyncio.sleep(0)
        self.expect_reports(1, Trouble)

    async def test_eof_received_raises(self):
        client, server = await self.both(raising("eof_received"))
        client.transport.close()
        self.assertIsInstance(await server.lost(), Trouble)
        await client.lost()
        self.expect_reports(1, Trouble)

    async def test_connection_lost_raises(self):
        client, server = await self.both(raising("connection_lost"))
        client.transport.close()
        await server.lost()
        await client.lost()
        await asyncio.sleep(0)
        self.expect_reports(1, Trouble)

    async def test_pause_and_resume_writing_raise(self):
        for name in ("pause_writing", "resume_writing"):
            client, server = await self.both(client_factory=raising(name))
            server.transport.pause_reading()
            written = 0
            while not client.count("pause"):
                client.transport.write(b"x" * 65536)
                written += 65536
                await asyncio.sleep(0)
            server.transport.resume_reading()
            await server.until(lambda: len(server.received) == written)
            await client.heard("resume")
            self.expect_reports(1, Trouble)

    async def test_get_buffer_raises_or_has_no_room(self):
        for room in (None, 0):
            class NoRoom(Notes, asyncio.BufferedProtocol):
                full = False

                def get_buffer(self, sizehint):
                    if not self.full:
                        return memoryview(bytearray(10))
                    if room is None:
                        raise Trouble("get_buffer")
                    return memoryview(bytearray(room))

            if room == 0 and self.server.name == "ssl":
                continue  # it says nothing, and reads nothing, for ever
            client, server = await self.both(NoRoom)
            server.full = True
            client.transport.write(b"x")
            self.assertIsInstance(await server.lost(), Trouble if room is None else RuntimeError)
            await client.lost()
            self.expect_reports(1, Trouble if room is None else RuntimeError)


crossed(globals(), Broken)
del Broken
