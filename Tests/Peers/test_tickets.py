"""When tickets are sent, and what becomes of a client that writes, closes at once, and never reads them."""

import contextlib
import os
import random
import select
import signal
import socket
import ssl
import subprocess
import unittest

from support import LIMIT, Process, Server, certificate, example, tool, variants
from tls import client_context, connect

MODES = ("write", "handshake", "never")
TEXT = random.Random(5).randbytes(3_000_000)


class ClosingAtOnce:
    """The server never says anything of its own, and is slow: it stands still while it is written to. `mode` is set by the
    variants."""

    def setUp(self):
        self.server = Server(self, "relay_server", "--state", "--tls", "1.3", "--ticket-mode", self.mode)

    def established(self):
        """A connection whose handshake the server, too, is done with."""
        connection = connect(self, self.server.port, client_context("1.3"))
        self.server.stderr.wait_for("open TLSv1.3")
        return connection

    def unread(self, connection, seconds):
        return bool(select.select([connection], [], [], seconds)[0])

    @contextlib.contextmanager
    def standing_still(self):
        os.kill(self.server.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.server.pid, signal.SIGCONT)

    def sent_without_waiting(self, connection):
        """Writes until the kernel, which keeps little, takes no more; returns how much that was."""
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 18)
        connection.setblocking(False)
        sent = 0
        with contextlib.suppress(ssl.SSLWantWriteError):
            while sent < len(TEXT):
                sent += connection.send(TEXT[sent:sent + 16384])
        self.assertLess(sent, len(TEXT))
        return sent

    def test_tickets_are_there_before_any_data_in_one_mode_only(self):
        connection = self.established()
        self.assertEqual(self.unread(connection, LIMIT if self.mode == "handshake" else 0.1), self.mode == "handshake")

    def test_a_client_that_does_not_read(self):
        connection = self.established()
        if self.mode == "handshake":
            self.assertTrue(self.unread(connection, LIMIT))
        with self.standing_still():
            sent = self.sent_without_waiting(connection)
            connection.close()
        self.server.stderr.wait_for("closed TLSv1.3")
        received = self.server.received(1 if self.mode == "handshake" else sent)
        self.assertTrue(received == TEXT[:len(received)])
        if self.mode == "handshake":
            # The client's kernel has dropped what it had, and what had reached ours is there all the same.
            self.assertLess(len(received), sent)
            self.server.stderr.wait_for("(?i)reset")
        else:
            self.assertEqual(len(received), sent)
            self.server.stderr.wait_for("without close_notify")

    def test_our_client_that_writes_and_closes_loses_nothing(self):
        with subprocess.Popen(
                [example("relay_client"), "--host", "127.0.0.1", "--port", str(self.server.port), "--ca",
                 certificate("ca.pem")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as client:
            self.server.stderr.wait_for("open TLSv1.3")
            _, said = client.communicate(TEXT, LIMIT)
            self.assertEqual((client.returncode, said), (0, b""))
        self.assertTrue(self.server.received(len(TEXT)) == TEXT)

    def test_s_client_that_writes_and_closes(self):
        client = Process(
            self, tool("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{self.server.port}", "-nocommands",
            "-quiet", "-no_ign_eof", "-CAfile", certificate("ca.pem"))
        client.feed(TEXT)
        self.assertEqual(client.exit_code(), 0, client.stderr.text)
        self.assertTrue(self.server.received(len(TEXT)) == TEXT)


variants(globals(), ClosingAtOnce, mode=MODES)

if __name__ == "__main__":
    unittest.main()
