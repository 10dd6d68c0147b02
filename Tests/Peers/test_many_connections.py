"""Two hundred clients at once, none of them ours, each with bytes of its own: a mebibyte there and back."""

import asyncio
import random
import unittest

from support import LIMIT, SERVERS, Server, variants
from tls import client_context

CONNECTIONS, SIZE, STEP = 200, 1 << 20, 4099
NOISE = memoryview(random.Random(6).randbytes(SIZE + CONNECTIONS * STEP))  # each client has its own window on it


async def echo(port, context, number, handshakes, all_connected):
    """Sends a mebibyte while it reads one, once every other client is connected too; returns whether it is the same."""
    text, place, exact = NOISE[number * STEP:][:SIZE], 0, True
    async with handshakes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
    await all_connected.wait()

    async def send():
        for start in range(0, SIZE, 1 << 16):
            writer.write(text[start:start + (1 << 16)])
            await writer.drain()

    sender = asyncio.create_task(send())
    while place < SIZE and (chunk := await reader.read(1 << 16)):
        exact = exact and chunk == text[place:place + len(chunk)]
        place += len(chunk)
    await sender
    writer.close()
    await writer.wait_closed()
    return exact and place == SIZE


class Barrier:
    """Lets its clients go when all have come (asyncio has one of its own only from Python 3.11 on)."""

    def __init__(self, count):
        self.missing, self.complete = count, asyncio.Event()

    async def wait(self):
        self.missing -= 1
        if self.missing == 0:
            self.complete.set()
        await self.complete.wait()


async def all_at_once(port):
    # Not all handshakes at once: on a busy machine this one thread could not do them within the server's deadline.
    context, handshakes, barrier = client_context(), asyncio.Semaphore(10), Barrier(CONNECTIONS)
    clients = (echo(port, context, number, handshakes, barrier) for number in range(CONNECTIONS))
    return await asyncio.wait_for(asyncio.gather(*clients), 3 * LIMIT)


class ManyConnections:
    """`name` is set by the variants."""

    def check(self, *options):
        server = Server(self, self.name, "--verbose", *options)
        try:
            exact = asyncio.run(all_at_once(server.port))
        except (OSError, asyncio.TimeoutError) as failure:
            self.fail(f"{failure!r}; the server said: {server.stderr.text}")
        self.assertEqual(exact, [True] * CONNECTIONS)
        self.assertTrue(server.stays_for(0))
        self.assertEqual(server.stderr.text, "")

    def test_each_gets_its_own_bytes_back(self):
        self.check()


class ManyConnectionsOfTwoThreads(ManyConnections, unittest.TestCase):
    name = "echo_server"

    def test_each_gets_its_own_bytes_back(self):
        self.check("--threads", "2")


variants(globals(), ManyConnections, name=SERVERS)

if __name__ == "__main__":
    unittest.main()
