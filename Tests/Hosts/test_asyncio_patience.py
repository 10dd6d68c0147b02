"""The Python package of examples-c/python, with peers and programs that do not do their part; and what it frees when."""

import asyncio
import gc
import os
import socket
import ssl
import tracemalloc
import unittest
import weakref

from asyncio_backends import BACKENDS, Notes, Peer, Scene, bounded, port_of
from support import LIMIT, certificate
import tls

import tlsmem


class Patience(Scene, unittest.IsolatedAsyncioTestCase):
    """With peers that do not do their part: what ssl has no answer to."""

    client = server = BACKENDS["tlsmem"]
    version = "1.3"

    async def _peer(self, **options):
        port, protocols = await self.serve(**options)
        peer = await Peer.connect(self, port, tls.client_context(self.version))
        await peer.do(peer.tls.do_handshake)
        while not protocols:
            await asyncio.sleep(0)
        await protocols[0].heard("made")
        return peer, protocols[0]

    async def _reset(self, peer):
        """Waits until the other side has cut the transport."""
        with self.assertRaises((ConnectionResetError, BrokenPipeError)):
            while True:
                await asyncio.get_running_loop().sock_sendall(peer.socket, b"x")
                await asyncio.sleep(0)

    @bounded
    async def test_an_alert_that_the_peer_does_not_take(self):
        """It hears no more, but its transport stays for a while, and then no longer."""
        self.addCleanup(setattr, tlsmem.TLSDriver, "linger", tlsmem.TLSDriver.linger)
        tlsmem.TLSDriver.linger = 0.2
        peer, server = await self._peer()
        await asyncio.get_running_loop().sock_sendall(peer.socket, b"\x17\x03\x03\x00\x20" + b"x" * 32)
        self.assertIsInstance(await server.lost(), tlsmem.TLSError)
        before = asyncio.get_running_loop().time()
        await self._reset(peer)
        self.assertGreater(asyncio.get_running_loop().time() - before, 0.1)

    @bounded
    async def test_a_peer_that_has_closed_and_does_not_read(self):
        peer, server = await self._peer(shutdown_timeout=0.2)
        server.transport.set_write_buffer_limits(high=64 << 20)
        server.transport.write(b"x" * (16 << 20))
        with self.assertRaises(ssl.SSLWantReadError):
            peer.tls.unwrap()
        await peer.send()
        self.assertIsInstance(await server.lost(), TimeoutError)
        self.assertEqual(server.count("eof"), 1)

    @bounded
    async def test_the_end_waits_while_reading_is_paused(self):
        class Pauses(Notes):
            def data_received(self, data):
                super().data_received(data)
                self.transport.pause_reading()

        peer, server = await self._peer(factory=Pauses)
        peer.tls.write(b"data, and the end behind it")
        with self.assertRaises(ssl.SSLWantReadError):
            peer.tls.unwrap()
        await peer.send()
        await server.until(lambda: server.received)
        for _ in range(100):
            await asyncio.sleep(0)
        self.assertEqual(server.events, [("made",)])
        server.transport.resume_reading()
        self.assertIsNone(await server.lost())
        self.assertEqual(server.events, [("made",), ("eof",), ("lost", None)])

    @bounded
    async def test_a_small_buffer_is_filled_once_when_reading_is_paused(self):
        class Pauses(Notes, asyncio.BufferedProtocol):
            def get_buffer(self, sizehint):
                self.buffer = bytearray(1000)
                return self.buffer

            def buffer_updated(self, nbytes):
                self.received += self.buffer[:nbytes]
                self.note("data")
                self.transport.pause_reading()

        peer, server = await self._peer(factory=Pauses)
        peer.tls.write(b"x" * 10000)
        await peer.send()
        for number in range(1, 11):
            await server.until(lambda: server.count("data") == number)
            await asyncio.sleep(0)
            self.assertEqual(len(server.received), number * 1000)
            server.transport.resume_reading()
        server.transport.abort()
        await server.lost()

    @bounded
    async def test_a_program_that_does_not_listen_to_pause_writing(self):
        """It has a bound, of its own choice."""
        context = tlsmem.Context.server(certificate("server.pem"), certificate("server.key"), outgoing_max=65536,
                                        outgoing_low=1024)
        protocols = []
        listening = await self.server.serve(lambda: protocols.append(Notes()) or protocols[-1], context)
        self.addCleanup(listening.close)
        client = await self.connect(port_of(listening))
        await client.heard("made")
        client.transport.pause_reading()
        while not protocols:
            await asyncio.sleep(0)
        await protocols[0].heard("made")
        while not protocols[0].count("lost"):
            protocols[0].transport.write(b"x" * 65536)
            await asyncio.sleep(0)
        self.assertIsInstance(await protocols[0].lost(), BufferError)
        client.transport.abort()
        await client.lost()

    @bounded
    async def test_nonsense_behind_our_end(self):
        """It has sent close_notify and FIN, so that no alert can follow."""
        peer, server = await self._peer()
        loop = asyncio.get_running_loop()
        server.transport.close()
        while await loop.sock_recv(peer.socket, 1 << 16):
            pass
        await loop.sock_sendall(peer.socket, b"\x17\x03\x03\x00\x20" + b"x" * 32)
        self.assertIsInstance(await server.lost(), tlsmem.TLSError)

    @bounded
    async def test_nonsense_behind_the_peers_end(self):
        """It is dropped, while our side stays open."""
        peer, server = await self._peer()
        server.eof_answer = True
        with self.assertRaises(ssl.SSLWantReadError):
            peer.tls.unwrap()
        await peer.send()
        await server.heard("eof")
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        await asyncio.get_running_loop().sock_sendall(peer.socket, bytes(16 << 20))
        self.assertLess(tracemalloc.get_traced_memory()[0], 1 << 20)
        server.transport.abort()
        await server.lost()

    @bounded
    async def test_a_connection_that_takes_less_than_is_received(self):
        """What it did not take is fed when there is room, also by a buffered protocol, and in order."""
        context = tlsmem.Context.server(certificate("server.pem"), certificate("server.key"), incoming_max=4096,
                                        incoming_low=1024)
        for buffered in (False, True):
            class Reader(Notes, *([asyncio.BufferedProtocol] if buffered else [])):
                def get_buffer(self, sizehint):
                    self.buffer = bytearray(3000)
                    return self.buffer

                def buffer_updated(self, nbytes):
                    self.data_received(self.buffer[:nbytes])

            protocols = []
            listening = await self.server.serve(lambda: protocols.append(Reader()) or protocols[-1], context)
            self.addCleanup(listening.close)
            client, data = await self.connect(port_of(listening)), os.urandom(1 << 20)
            client.transport.write(data)
            client.transport.close()
            self.assertIsNone(await client.lost())
            self.assertTrue(protocols[0].received == data)

    @bounded
    async def test_no_server_name(self):
        """Nothing is sent then, and the socket is closed."""
        near, far = socket.socketpair()
        self.addCleanup(far.close)
        far.settimeout(LIMIT)
        with self.assertRaises(tlsmem.TLSError) as caught:
            await tlsmem.create_connection(Notes, sock=near, context=self.client.client())
        self.assertEqual(caught.exception.name, "TLSMEM_ENAME")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        self.assertEqual(far.recv(100), b"")

    @bounded
    async def test_a_context_of_the_other_side(self):
        client, server = self.client.client(), self.server.server()
        with self.assertRaises(ValueError):
            await tlsmem.create_connection(Notes, "127.0.0.1", 1, context=server)
        with self.assertRaises(ValueError):
            await tlsmem.create_server(Notes, "127.0.0.1", 0, context=client)
        with self.assertRaises(ValueError):
            await tlsmem.start_tls(None, Notes(), client)

    @bounded
    async def test_start_tls_that_is_cancelled_before_it_begins(self):
        loop, plain = asyncio.get_running_loop(), []
        server = await loop.create_server(lambda: plain.append(Notes()) or plain[-1], "127.0.0.1", 0)
        self.addCleanup(server.close)
        _, client = await loop.create_connection(Notes, "127.0.0.1", port_of(server))
        begun = asyncio.ensure_future(self.client.start_tls(client.transport, client, self.client.client()))
        await asyncio.sleep(0)
        begun.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await begun
        self.assertIsNone(await client.lost())
        while not plain:
            await asyncio.sleep(0)
        await plain[0].lost()

    @bounded
    async def test_what_is_over_is_freed_by_the_last_reference(self):
        """Without the collector of cycles."""
        client, server = await self.both()
        ends = [weakref.ref(end.transport.get_extra_info("ssl_object")) for end in (client, server)]
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        client.transport.close()
        await client.lost()
        await server.lost()
        del client, server
        await self.forget()
        await asyncio.sleep(0)
        self.assertEqual([end() for end in ends], [None, None])
