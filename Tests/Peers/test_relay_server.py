"""relay_server: what clients write is printed whole, what is typed goes to all of them, and no one holds up another."""

import contextlib
import os
import random
import signal
import socket
import unittest

from support import LIMIT, VERSIONS, Process, Server, certificate, tool, variants
from tls import Wire, client_context, connect, receive

SIZE = 266_668  # what the classic OpenSSL example server loses when a client of TLS 1.3 does not read its tickets
TEXT = random.Random(4).randbytes(SIZE)


class RelayServer:
    """`version` is set by the variants."""

    def setUp(self):
        self.server = Server(self, "relay_server", "--tls", self.version)

    def connect(self):
        """Connects, and sees to it that the server knows."""
        connection = connect(self, self.server.port, client_context())
        before = len(self.server.stdout.bytes)
        connection.sendall(b"I am here\n")
        self.server.stdout.wait_for_length(before + 10)
        return connection

    def test_all_is_printed_of_a_client_that_writes_and_closes_at_once(self):
        wire = Wire(self, self.server.port, client_context())
        wire.handshake()
        wire.tls.write(TEXT)
        wire.send()
        wire.socket.close()  # with whatever the server has sent unread, and without close_notify
        self.assertTrue(self.server.received(SIZE) == TEXT)

    def test_all_is_printed_of_a_client_that_writes_and_says_that_it_closes(self):
        wire = Wire(self, self.server.port, client_context())
        wire.handshake()
        wire.tls.write(TEXT)
        wire.close_write()
        wire.send()
        wire.socket.close()
        self.assertTrue(self.server.received(SIZE) == TEXT)

    def test_all_is_printed_of_an_s_client_whose_input_ends(self):
        client = Process(
            self, tool("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{self.server.port}", "-quiet",
            "-no_ign_eof", "-nocommands", "-CAfile", certificate("ca.pem"), "-verify_return_error")
        client.feed(TEXT)
        self.assertTrue(self.server.received(SIZE) == TEXT)
        self.assertEqual(client.exit_code(), 0, client.stderr.text)

    def test_what_is_typed_goes_to_every_client(self):
        python = self.connect()
        openssl = Process(
            self, tool("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{self.server.port}", "-brief",
            "-nocommands", "-CAfile", certificate("ca.pem"), "-verify_return_error")
        gnutls = Process(
            self, tool("gnutls-cli", "gnutls-bin"), "--port", self.server.port, "--logfile", "/dev/null",
            "--x509cafile", certificate("ca.pem"), "127.0.0.1")
        for client in (openssl, gnutls):
            before = len(self.server.stdout.bytes)
            client.write(b"I am here\n")
            self.server.stdout.wait_for_length(before + 10)
        self.server.write(b"to all of you\n")
        self.assertEqual(receive(python, 14), b"to all of you\n")
        self.assertEqual(openssl.stdout.wait_for_length(14), b"to all of you\n")
        self.assertEqual(gnutls.stdout.wait_for_length(14), b"to all of you\n")

    def test_what_is_typed_before_any_client_is_there_waits_for_one(self):
        self.server.write(b"typed early\n")
        with connect(self, self.server.port, client_context()) as connection:
            self.assertEqual(receive(connection, 12), b"typed early\n")

    def test_many_clients_at_once_are_all_printed_each_in_its_order(self):
        # Six bits of a byte say whose it is, and two are random, so that each client can be found again.
        clients, size, piece = 64, 1 << 15, 1 << 12
        texts = [bytes(number << 2 | byte & 3 for byte in random.Random(number).randbytes(size))
                 for number in range(clients)]
        connections = [connect(self, self.server.port, client_context()) for _ in texts]
        for start in range(0, size, piece):
            for connection, text in zip(connections, texts):
                connection.sendall(text[start:start + piece])
        printed = self.server.received(clients * size)
        self.assertEqual(len(printed), clients * size)
        for number, text in enumerate(texts):
            others = bytes(byte for byte in range(256) if byte >> 2 != number)
            self.assertTrue(printed.translate(None, others) == text, f"client {number}")

    def test_a_client_that_does_not_read_holds_up_no_other(self):
        slow, other = self.connect(), self.connect()
        typed = random.Random(5).randbytes(16 << 20)
        self.server.feed(typed)
        received = bytearray()
        other.settimeout(0.5)
        with contextlib.suppress(socket.timeout):  # until the server waits for `slow`, which reads nothing
            while len(received) < len(typed):
                received += other.recv(1 << 16)
        other.settimeout(LIMIT)
        self.assertLess(len(received), len(typed), "the server keeps 16 MiB for a client that does not read")
        before = len(self.server.stdout.bytes)
        other.sendall(b"still heard\n")
        self.server.stdout.wait_for_length(before + 12)
        with self.connect():
            pass  # served, too
        slow.close()
        received += receive(other, len(typed) - len(received))
        self.assertTrue(received == typed)

    def test_it_does_not_spin_at_the_end_of_its_input(self):
        with self.connect():
            self.server.stdin.close()
            before = self.server.cpu_seconds()
            self.assertTrue(self.server.stays_for(1), "it has ended")
            self.assertLess(self.server.cpu_seconds() - before, 0.05, "processor seconds in one idle second")

    def test_a_client_that_closes_is_answered_with_close_notify(self):
        with self.connect() as connection:
            connection.unwrap().close()  # raises unless close_notify comes back

    def test_sigterm_closes_with_close_notify(self):
        with self.connect() as connection:
            os.kill(self.server.pid, signal.SIGTERM)
            self.assertEqual(connection.recv(1), b"")  # an SSLEOFError if close_notify were missing
            connection.unwrap().close()
        self.assertEqual(self.server.exit_code(), 0)


variants(globals(), RelayServer, version=VERSIONS)

if __name__ == "__main__":
    unittest.main()
