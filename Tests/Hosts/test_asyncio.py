"""asyncio's transports and streams over Python's ssl and over tlsmem: data, and its pace. See asyncio_backends.py."""

import asyncio
import os
import tempfile

from asyncio_backends import Notes, Peer, Scene, crossed, port_of
import tls

LARGE = 10 << 20


async def echo(reader, writer):
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
    writer.close()


class Echo(Notes):
    def data_received(self, data):
        super().data_received(data)
        self.transport.write(data)


class Into(Notes, asyncio.BufferedProtocol):
    """Receives into a buffer of its own, of a few bytes."""

    def __init__(self, size=7):
        super().__init__()
        self.buffer = memoryview(bytearray(size))  # asyncio's ssl takes a bytearray, and loses what it writes into slices

    def get_buffer(self, sizehint):
        return self.buffer

    def buffer_updated(self, nbytes):
        self.data_received(self.buffer[:nbytes])


class Data(Scene):
    async def test_a_line_comes_back(self):
        reader, writer = await self.streams(echo)
        writer.write(b"a line\n")
        self.assertEqual(await reader.readline(), b"a line\n")

    async def test_every_length_around_a_record_comes_back(self):
        reader, writer = await self.streams(echo)
        for length in (1, 2, 16383, 16384, 16385, 32768, 65537):
            data = os.urandom(length)
            writer.write(data)
            self.assertEqual(await reader.readexactly(length), data)

    async def test_a_thousand_small_writes_come_in_order(self):
        client, server = await self.both(Echo)
        pieces = [b"%d," % number for number in range(1000)]
        for piece in pieces:
            client.transport.write(piece)
        await client.until(lambda: len(client.received) == len(b"".join(pieces)))
        self.assertEqual(client.received, b"".join(pieces))

    async def test_ten_megabytes_both_ways_at_once(self):
        client, server = await self.both()
        one, other = os.urandom(1 << 20) * (LARGE >> 20), os.urandom(1 << 20) * (LARGE >> 20)
        client.transport.write(one)
        server.transport.write(other)
        await client.until(lambda: len(client.received) >= LARGE)
        await server.until(lambda: len(server.received) >= LARGE)
        self.assertTrue(client.received == other and server.received == one)
        self.assertEqual(client.transport.get_write_buffer_size(), 0)

    async def test_writelines(self):
        reader, writer = await self.streams(echo)
        writer.writelines([b"one ", bytearray(b"two "), memoryview(b"three"), b""])
        self.assertEqual(await reader.readexactly(13), b"one two three")

    async def test_what_is_written_may_change_afterwards(self):
        client, server = await self.both()
        data = bytearray(b"x" * 100000)
        client.transport.write(data)
        client.transport.write(memoryview(data)[:10])
        data[:] = b"y" * 100000
        await server.until(lambda: len(server.received) == 100010)
        self.assertEqual(set(server.received), {ord("x")})

    async def test_nothing_and_nonsense_written(self):
        client, server = await self.both()
        client.transport.write(b"")
        for nonsense in ("text", 5, None):
            self.assertRaises(TypeError, client.transport.write, nonsense)
        client.transport.write(b"something")
        await server.until(lambda: server.received)
        self.assertEqual(server.received, b"something")

    async def test_readuntil_readexactly_and_the_end(self):
        async def answer(reader, writer):
            writer.write(b"head\r\n\r\nbody and more")
            writer.close()

        reader, writer = await self.streams(answer)
        self.assertEqual(await reader.readuntil(b"\r\n\r\n"), b"head\r\n\r\n")
        self.assertEqual(await reader.readexactly(4), b"body")
        with self.assertRaises(asyncio.IncompleteReadError) as caught:
            await reader.readexactly(100)
        self.assertEqual(caught.exception.partial, b" and more")
        self.assertTrue(reader.at_eof())

    async def test_a_line_that_is_too_long(self):
        async def answer(reader, writer):
            writer.write(b"x" * 200000 + b"\n")

        reader, writer = await self.streams(answer)
        with self.assertRaises(asyncio.LimitOverrunError):
            await reader.readuntil(b"\n")

    async def test_a_cancelled_read_loses_nothing(self):
        reader, writer = await self.streams(echo)
        waiting = asyncio.ensure_future(reader.readexactly(4))
        await asyncio.sleep(0)
        waiting.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await waiting
        writer.write(b"data")
        self.assertEqual(await reader.readexactly(4), b"data")

    async def test_a_greeting_written_in_connection_made(self):
        class Greeting(Notes):
            def connection_made(self, transport):
                super().connection_made(transport)
                transport.write(b"welcome")

        client, server = await self.both(Greeting)
        await client.until(lambda: client.received == b"welcome")

    async def test_data_that_comes_with_the_finished(self):
        port, protocols = await self.serve(Echo)
        peer = await Peer.connect(self, port, tls.client_context(self.version))
        await peer.do(peer.tls.do_handshake, flushes=self.version == "1.2")
        peer.tls.write(b"at once")
        await peer.send()
        self.assertEqual(await peer.do(peer.tls.read, 100), b"at once")
        self.assertEqual(protocols[0].events[0], ("made",))
        peer.socket.close()
        await protocols[0].lost()

    async def test_two_hundred_connections_at_once(self):
        server = await self.server.serve_streams(echo, self.server.server(self.version))
        self.addCleanup(server.close)
        context = self.client.client(self.version)

        async def one(number):
            reader, writer = await self.client.open(port_of(server), context)
            data = b"%d" % number * 1000
            writer.write(data)
            self.assertEqual(await reader.readexactly(len(data)), data)
            writer.close()
            await writer.wait_closed()

        await asyncio.gather(*map(one, range(200 if self.version == "1.3" else 20)))

    async def test_a_buffered_protocol(self):
        client, server = await self.both(Into, Into)
        data = os.urandom(20000)
        client.transport.write(data)
        server.transport.write(data[::-1])
        await client.until(lambda: len(client.received) == len(data))
        await server.until(lambda: len(server.received) == len(data))
        self.assertTrue(server.received == data and client.received == data[::-1])
        client.transport.close()
        self.assertIsNone(await server.lost())
        self.assertIsNone(await client.lost())

    async def test_another_protocol_in_the_middle(self):
        client, server = await self.both(Echo)
        second, third = Notes(), Into()
        for protocol, data in ((second, b"for the second"), (third, b"for the third")):
            client.transport.set_protocol(protocol)
            self.assertIs(client.transport.get_protocol(), protocol)
            client.transport.write(data)
            await protocol.until(lambda: protocol.received == data)
        self.assertEqual(client.received, b"")
        client.transport.close()
        await third.lost()
        client.note("lost", None)  # it has gone to the third, for whom the scene does not wait

    async def test_sendfile(self):
        client, server = await self.both()
        data = os.urandom(300000)
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.seek(0)
            client.transport.write(b"before")
            self.assertEqual(await asyncio.get_running_loop().sendfile(client.transport, file), len(data))
            client.transport.write(b"behind")
        await server.until(lambda: len(server.received) == len(data) + 12)
        self.assertEqual(server.received, b"before" + data + b"behind")


class Pace(Scene):
    async def _fill(self, writer):
        """Writes until that is too much; returns how much it was."""
        written, chunk = 0, b"x" * 65536
        while not writer.count("pause"):
            writer.transport.write(chunk)
            written += len(chunk)
            await asyncio.sleep(0)
            self.assertLess(written, 64 << 20)
        return written

    async def _slow_reader(self, writer, reader):
        reader.transport.pause_reading()
        written = await self._fill(writer)
        self.assertLess(writer.transport.get_write_buffer_size(), 2 << 20)
        before = len(reader.received)
        for _ in range(100):
            await asyncio.sleep(0)
        self.assertEqual(len(reader.received), before)
        self.assertEqual(writer.count("resume"), 0)
        reader.transport.resume_reading()
        await reader.until(lambda: len(reader.received) == written)
        await writer.heard("resume")
        self.assertEqual((writer.count("pause"), writer.count("resume")), (1, 1))

    async def test_a_server_that_does_not_read_stops_its_client(self):
        client, server = await self.both()
        await self._slow_reader(client, server)

    async def test_a_client_that_does_not_read_stops_its_server(self):
        client, server = await self.both()
        await self._slow_reader(server, client)

    async def test_drain_waits_for_the_reader(self):
        read, written = asyncio.Event(), 0

        async def answer(reader, writer):
            await read.wait()
            await reader.readexactly(16 << 20)
            writer.write(b"all")

        async def produce(writer):
            nonlocal written
            while written < 16 << 20:
                writer.write(b"x" * 65536)
                written += 65536
                await writer.drain()

        reader, writer = await self.streams(answer)
        producing = asyncio.ensure_future(produce(writer))
        for _ in range(1000):
            await asyncio.sleep(0)
        self.assertFalse(producing.done())
        self.assertLess(written, 16 << 20)
        read.set()
        await producing
        self.assertEqual(await reader.readexactly(3), b"all")

    async def test_drain_behind_one_large_write(self):
        client, server = await self.both()
        server.transport.pause_reading()
        client.transport.write(b"x" * (16 << 20))
        self.assertEqual(client.count("pause"), 1 if self.client.sees_below else 0)
        server.transport.resume_reading()
        await server.until(lambda: len(server.received) == 16 << 20)
        await client.until(lambda: client.count("pause") == client.count("resume"))

    async def test_pausing_in_data_received_stops_at_once(self):
        class OneAtATime(Notes):
            def data_received(self, data):
                assert self.transport.is_reading()
                super().data_received(data)
                self.note("data")
                self.transport.pause_reading()

        client, server = await self.both(OneAtATime)
        client.transport.write(b"x" * (4 << 20))
        while len(server.received) < 4 << 20:
            await server.heard("data")
            self.assertEqual(server.count("data"), 1)
            server.events.clear()
            server.transport.resume_reading()
        self.assertEqual(len(server.received), 4 << 20)

    async def test_pausing_and_resuming_twice_are_as_once(self):
        client, server = await self.both(Echo)
        self.assertTrue(client.transport.is_reading())
        client.transport.pause_reading()
        client.transport.pause_reading()
        self.assertFalse(client.transport.is_reading())
        client.transport.resume_reading()
        client.transport.resume_reading()
        self.assertTrue(client.transport.is_reading())
        client.transport.write(b"and goes on")
        await client.until(lambda: client.received == b"and goes on")

    async def test_limits_of_the_write_buffer(self):
        client, server = await self.both()
        transport = client.transport
        transport.set_write_buffer_limits(high=40000, low=10000)
        self.assertEqual(transport.get_write_buffer_limits(), (10000, 40000))
        transport.set_write_buffer_limits(high=40000)
        self.assertEqual(transport.get_write_buffer_limits(), (10000, 40000))
        transport.set_write_buffer_limits(low=1000)
        self.assertEqual(transport.get_write_buffer_limits(), (1000, 4000))
        self.assertRaises(ValueError, transport.set_write_buffer_limits, high=1, low=2)
        self.assertRaises(ValueError, transport.set_write_buffer_limits, high=-1)
        server.transport.pause_reading()
        await self._fill(client)
        server.transport.resume_reading()
        await client.heard("resume")

    async def test_lower_limits_bound_the_buffer_sooner(self):
        client, server = await self.both()
        client.transport.set_write_buffer_limits(high=65536)
        server.transport.pause_reading()
        await self._fill(client)
        self.assertLess(client.transport.get_write_buffer_size(), 65536 + 4 * 65536)


for each in (Data, Pace):
    crossed(globals(), each)
del each, Data, Pace
