"""A client that is idle, that never finishes its handshake, or that never reads costs the others nothing."""

import select
import socket
import unittest

from support import SERVERS, Server, variants
from tls import Wire, client_context, connect, exchange, plain_socket


class SlowClients:
    """`name` is set by the variants."""

    def setUp(self):
        self.server = Server(self, self.name)

    def assert_serves_without_spinning(self):
        with connect(self, self.server.port, client_context()) as connection:
            self.assertEqual(exchange(connection, b"x" * 100_000), b"x" * 100_000)
        before = self.server.cpu_seconds()
        self.assertTrue(self.server.stays_for(1), "the server has ended")
        self.assertLess(self.server.cpu_seconds() - before, 0.05, "processor seconds in one idle second")

    def test_one_that_is_idle_and_two_in_their_handshakes(self):
        with connect(self, self.server.port, client_context()):
            plain_socket(self, self.server.port)  # says nothing at all
            half = Wire(self, self.server.port, client_context())
            half.socket.sendall(half.first_flight()[:100])
            self.assert_serves_without_spinning()

    def test_one_that_writes_and_never_reads(self):
        slow = Wire(self, self.server.port, client_context())
        slow.handshake()
        slow.socket.setblocking(False)
        slow.tls.write(b"x" * (32 << 20))  # far more than every buffer on the way holds
        unsent = memoryview(slow.outgoing.read())
        while select.select([], [slow.socket], [], 1)[1]:  # until the server has had enough of it
            unsent = unsent[slow.socket.send(unsent):]
        self.assertGreater(len(unsent), 0, "the server has taken 32 MiB that nobody reads")
        self.assert_serves_without_spinning()

    def test_one_that_sends_its_client_hello_byte_by_byte(self):
        wire = Wire(self, self.server.port, client_context())
        wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in wire.first_flight():
            wire.socket.sendall(bytes([byte]))
        wire.handshake()
        wire.tls.write(b"here at last")
        wire.close_write()
        self.assertEqual(wire.read_to_close(), b"here at last")


variants(globals(), SlowClients, name=SERVERS)

if __name__ == "__main__":
    unittest.main()
