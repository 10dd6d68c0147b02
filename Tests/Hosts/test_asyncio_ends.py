"""asyncio's transports over Python's ssl and over tlsmem: how connections are closed, and freed. See asyncio_backends.py."""

import asyncio
import gc
import weakref

from asyncio_backends import Notes, Scene, crossed


class Closing(Scene):
    async def test_a_clean_close(self):
        client, server = await self.both()
        client.transport.write(b"last words")
        client.transport.close()
        self.assertTrue(client.transport.is_closing())
        self.assertFalse(server.transport.is_closing())
        self.assertIsNone(await client.lost())
        self.assertIsNone(await server.lost())
        self.assertEqual(server.received, b"last words")
        self.assertEqual(server.events, [("made",), ("eof",), ("lost", None)])
        self.assertTrue(server.transport.is_closing())

    async def test_the_server_closes_first(self):
        client, server = await self.both()
        server.transport.close()
        self.assertIsNone(await server.lost())
        self.assertIsNone(await client.lost())
        self.assertEqual(client.events, [("made",), ("eof",), ("lost", None)])

    async def test_closing_sends_what_was_written(self):
        client, server = await self.both()
        client.transport.write(b"x" * (4 << 20))
        client.transport.close()
        self.assertIsNone(await server.lost())
        self.assertEqual(len(server.received), 4 << 20)

    async def test_nothing_is_delivered_after_close(self):
        class ClosesAtOnce(Notes):
            def data_received(self, data):
                super().data_received(data)
                self.note("data")
                self.transport.close()

        client, server = await self.both(ClosesAtOnce)
        for _ in range(100):
            client.transport.write(b"x" * 1000)
        await server.lost()
        await client.lost()
        self.assertEqual(server.count("data"), 1)

    async def test_closing_twice_and_writing_behind_it(self):
        client, server = await self.both()
        client.transport.close()
        client.transport.write(b"too late")
        client.transport.close()
        self.assertIsNone(await server.lost())
        self.assertIsNone(await client.lost())
        if self.client.name != "ssl":
            client.transport.write(b"much too late")
            client.transport.close()
            client.transport.abort()
        self.assertEqual((server.received, client.count("lost")), (b"", 1))

    async def test_closing_in_connection_made(self):
        class Closes(Notes):
            def connection_made(self, transport):
                super().connection_made(transport)
                transport.write(b"go away")
                transport.close()

        client, server = await self.both(Closes)
        await client.lost()
        self.assertEqual(client.received, b"go away")
        self.assertIsNone(await server.lost())

    async def test_closing_while_paused(self):
        client, server = await self.both()
        client.transport.pause_reading()
        client.transport.close()
        self.assertIsNone(await client.lost())
        self.assertIsNone(await server.lost())

    async def test_abort(self):
        client, server = await self.both()
        client.transport.abort()
        self.assertTrue(client.transport.is_closing())
        self.assertIsNone(await client.lost())
        # A reset, if the client had not read all: session tickets, say.
        self.assertIsInstance(await server.lost(), (self.server.truncation, ConnectionResetError))
        self.assertEqual(client.events, [("made",), ("lost", None)])

    async def test_aborting_in_data_received(self):
        class Aborts(Notes):
            def data_received(self, data):
                super().data_received(data)
                self.transport.abort()

        client, server = await self.both(Aborts)
        client.transport.write(b"x")
        self.assertIsNone(await server.lost())
        self.assertEqual(server.count("lost"), 1)
        await client.lost()

    async def test_half_close(self):
        """The peer goes on sending behind our end, where both sides can; see the table."""
        client, server = await self.both()
        server.eof_answer = True
        can = self.client.half_closes and self.version == "1.3"
        self.assertEqual(client.transport.can_write_eof(), can)
        if not can:
            self.assertRaises(NotImplementedError, client.transport.write_eof)
            return
        client.transport.write(b"a question")
        client.transport.write_eof()
        client.transport.write_eof()
        self.assertRaises(RuntimeError, client.transport.write, b"more")
        await server.heard("eof")
        self.assertEqual(server.received, b"a question")
        if self.server.half_closes:
            self.assertFalse(server.transport.is_closing())
            server.transport.write(b"a long answer" * 100000)
            server.transport.close()
            await client.lost()
            self.assertEqual(client.received, b"a long answer" * 100000)
        self.assertIsNone(await server.lost())
        self.assertIsNone(await client.lost())
        self.assertEqual(client.count("eof"), 1)

    async def test_an_eof_that_is_kept_open(self):
        client, server = await self.both()
        server.eof_answer = True
        if not (self.server.half_closes and self.version == "1.3"):
            client.transport.close()
            self.assertIsNone(await server.lost())
            return
        client.transport.close()
        await server.heard("eof")
        self.assertEqual(server.count("lost"), 0)
        server.transport.close()
        self.assertIsNone(await server.lost())
        self.assertIsNone(await client.lost())

    async def test_a_server_that_closes_keeps_its_clients(self):
        async def answer(reader, writer):
            writer.write(await reader.readexactly(3))
            writer.close()

        server = await self.server.serve_streams(answer, self.server.server(self.version))
        reader, writer = await self.client.open(server.sockets[0].getsockname()[1], self.client.client(self.version))
        server.close()
        writer.write(b"abc")
        self.assertEqual(await reader.readexactly(3), b"abc")
        writer.close()
        await writer.wait_closed()
        await server.wait_closed()


class Forgotten(Scene):
    async def test_what_is_over_is_freed(self):
        client, server = await self.both()
        parts = [weakref.ref(part) for end in (client, server) for part in (end, end.transport)]
        parts += [weakref.ref(part) for part in (client.transport.get_extra_info("ssl_object"),
                                                server.transport.get_extra_info("ssl_object")) if part is not None]
        client.transport.close()
        await client.lost()
        await server.lost()
        del client, server
        await self.forget()
        gc.collect()
        self.assertEqual([part() for part in parts if part() is not None], [])

    async def test_a_transport_that_is_forgotten_ends_when_its_peer_does(self):
        client, server = await self.both()
        transport = weakref.ref(client.transport)
        client.transport = None
        server.transport.close()
        self.assertIsNone(await client.lost())
        await server.lost()
        await self.forget()
        gc.collect()
        self.assertIsNone(transport())

    def test_a_loop_that_is_closed_with_live_connections(self):
        """Nothing is called any more, and all is freed; ResourceWarning says that it was not closed."""
        loop = asyncio.new_event_loop()

        async def begin():
            port, protocols = await self.serve()
            client = await self.connect(port)
            while not (protocols and protocols[0].transport):
                await asyncio.sleep(0)
            client.transport.write(b"x" * (4 << 20))
            return client, protocols[0]

        client, server = loop.run_until_complete(begin())
        ends = [weakref.ref(client.transport), weakref.ref(server.transport)]
        loop.close()
        self.assertEqual((client.count("lost"), server.count("lost")), (0, 0))
        self._cleanups.clear()
        with self.assertWarns(ResourceWarning):
            self.servers.clear()
            del client, server, begin
            gc.collect()
        self.assertEqual([end() for end in ends], [None, None])


for each in (Closing, Forgotten):
    crossed(globals(), each)
del each, Closing, Forgotten
