"""relay_client against servers that are not ours: standard input arrives there, and the answer on standard output."""

import random
import re
import socket
import unittest

from support import VERSIONS, Process, certificate, free_port, relay_client, tool, variants
from tls import PythonServer, exchange, receive, server_context

# Bytes of all values; the first is none that s_server would take for one of its commands.
TEXT = b"=" + random.Random(1).randbytes(100_000)


class RelayClient:
    """One version; set by the variants."""

    def assert_quiet_end(self, client):
        self.assertEqual(client.exit_code(), 0, client.stderr.text)
        self.assertEqual(client.stderr.text, "")

    def test_with_openssl_s_server(self):
        server = Process(
            self, tool("openssl", "openssl"), "s_server", "-accept", "127.0.0.1:0", "-naccept", "1",
            "-cert", certificate("server.pem"), "-key", certificate("server.key"),
            "-tls" + self.version.replace(".", "_"))
        port = int(server.stdout.wait_for(r"^ACCEPT \S+:(\d+)$")[1])
        client = relay_client(self, port, "--tls", self.version)
        client.write(TEXT)
        server.stdout.wait_for(re.escape(TEXT))
        server.write(b"an answer\n")
        client.stdout.wait_for(rb"\Aan answer\n\Z")
        client.stdin.close()
        self.assert_quiet_end(client)
        self.assertEqual(server.exit_code(), 0, server.stderr.text)

    def test_with_gnutls_serv(self):
        # It cannot be told an address, nor to choose a port; it lives for this test only.
        port = free_port()
        server = Process(
            self, tool("gnutls-serv", "gnutls-bin"), "--echo", "--port", port, "--disable-client-cert",
            "--x509certfile", certificate("server.pem"), "--x509keyfile", certificate("server.key"),
            "--priority", f"NORMAL:-VERS-ALL:+VERS-TLS{self.version}")
        server.stderr.wait_for(r"listening on IPv4 \S+ port \d+\.\.\.done")
        client = relay_client(self, port, "--tls", self.version)
        lines = b"".join(b"line %d\n" % number for number in range(1000))
        for start in range(0, len(lines), 1000):
            client.write(lines[start:start + 1000])
        self.assertEqual(client.stdout.wait_for_length(len(lines)), lines)
        client.stdin.close()
        self.assert_quiet_end(client)
        self.assertTrue(server.stays_for(0))

    def test_a_mebibyte_each_way_at_once_with_python(self):
        text = random.Random(2).randbytes(1 << 20)
        server = PythonServer(self, server_context(self.version))
        client = relay_client(self, server.port, "--tls", self.version)
        with server.establish() as connection:
            client.feed(text)
            self.assertTrue(exchange(connection, text) == text, "what arrived is not what was typed")
            self.assertEqual(connection.recv(1), b"")
            connection.unwrap().close()
        self.assert_quiet_end(client)
        self.assertTrue(client.stdout.bytes == text, "what was printed is not what was sent")

    def test_what_was_piped_before_the_handshake_is_delivered_after_it(self):
        server = PythonServer(self, server_context(self.version))
        client = relay_client(self, server.port, "--tls", self.version)
        client.write(b"typed early\n")
        client.stdin.close()
        plain = server.accept()
        hello = plain.recv(1 << 16, socket.MSG_PEEK)
        self.assertEqual(hello[0], 22, "the first record is a handshake record")
        connection = server.context.wrap_socket(plain, server_side=True, suppress_ragged_eofs=False)
        with connection:
            self.assertEqual(receive(connection, 12), b"typed early\n")
            self.assertEqual(connection.recv(1), b"")
            connection.unwrap().close()
        self.assert_quiet_end(client)

    def test_the_end_of_stdin_is_close_notify_and_the_answer_still_arrives(self):
        server = PythonServer(self, server_context(self.version))
        client = relay_client(self, server.port, "--tls", self.version)
        with server.establish() as connection:
            client.write(b"a question\n")
            client.stdin.close()
            self.assertEqual(receive(connection, 11), b"a question\n")
            self.assertEqual(connection.recv(1), b"")  # an SSLEOFError if close_notify were missing
            connection.sendall(b"a late answer\n")
            connection.unwrap().close()
        self.assert_quiet_end(client)
        self.assertEqual(client.stdout.bytes, b"a late answer\n")

    def test_it_does_not_spin_while_nothing_happens(self):
        server = PythonServer(self, server_context(self.version))
        client = relay_client(self, server.port, "--tls", self.version)
        with server.establish() as connection:
            client.write(b"awake\n")
            self.assertEqual(receive(connection, 6), b"awake\n")
            self.assert_idle(client)
            client.stdin.close()
            self.assertEqual(connection.recv(1), b"")
            self.assert_idle(client)
            connection.unwrap().close()
        self.assert_quiet_end(client)

    def assert_idle(self, client):
        before = client.cpu_seconds()
        self.assertTrue(client.stays_for(1), "it has ended while the peer was still open")
        self.assertLess(client.cpu_seconds() - before, 0.05, "processor seconds in one idle second")

    def test_an_end_without_close_notify_is_reported_as_truncation(self):
        server = PythonServer(self, server_context(self.version))
        client = relay_client(self, server.port, "--tls", self.version)
        with server.establish() as connection:
            connection.sendall(b"half of the tru")
            client.stdout.wait_for_length(15)
            connection.shutdown(socket.SHUT_RDWR)
            self.assertEqual(client.exit_code(), 3, client.stderr.text)
        self.assertRegex(client.stderr.text, "without close_notify")
        self.assertEqual(client.stdout.bytes, b"half of the tru")


variants(globals(), RelayClient, version=VERSIONS)

if __name__ == "__main__":
    unittest.main()
