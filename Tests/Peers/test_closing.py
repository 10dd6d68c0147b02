"""The ends of a connection: half closed, cut off, closed at once after writing; each told apart, and no byte lost."""

import random
import socket
import unittest

from support import SERVERS, VERSIONS, Server, variants
from tls import Wire, client_context, connect, exchange, receive

TEXT = random.Random(3).randbytes(1 << 20)


class Closing:
    """`name` and `version` are set by the variants."""

    def setUp(self):
        self.server = Server(self, self.name, "--verbose", "--tls", self.version)

    def test_after_close_notify_of_the_client_all_of_its_echo_still_comes(self):
        wire = Wire(self, self.server.port, client_context())
        wire.handshake()
        wire.tls.write(TEXT)
        wire.close_write()  # both are in memory, and nothing has been sent
        self.assertTrue(wire.read_to_close() == TEXT)
        self.assertEqual(wire.socket.recv(1), b"", "after close_notify comes FIN")
        self.assertEqual(self.server.stderr.text, "")

    def test_an_end_without_close_notify_is_reported_as_truncation(self):
        wire = Wire(self, self.server.port, client_context())
        wire.handshake()
        wire.tls.write(b"half of the tru")
        wire.send()
        wire.socket.shutdown(socket.SHUT_WR)
        self.server.stderr.wait_for(rf"(?i)^{self.name}: .*without close_notify.*\n")
        self.still_serves()

    def test_a_reset_is_reported_as_reset(self):
        wire = Wire(self, self.server.port, client_context())
        wire.handshake()
        wire.tls.write(b"half of the tru")
        wire.send()
        receive(wire.socket, 1)  # the echo has begun: the server has read all that there was
        wire.reset()
        self.server.stderr.wait_for(rf"(?i)^{self.name}: .*reset.*\n")
        self.still_serves()

    def still_serves(self):
        with connect(self, self.server.port, client_context()) as connection:
            self.assertEqual(exchange(connection, b"still there?"), b"still there?")


variants(globals(), Closing, name=SERVERS, version=VERSIONS)

if __name__ == "__main__":
    unittest.main()
