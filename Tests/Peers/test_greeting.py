"""The greeting, written when a server accepts, before any handshake byte, is the first thing that a client reads."""

import unittest

from support import SERVERS, VERSIONS, Process, Server, certificate, tool, variants
from tls import client_context, connect, exchange, receive

GREETING = "+OK ready when you are\r\n"
TEXT = b"and now the echo\r\n"


class Greeting:
    """`name` and `version` are set by the variants."""

    def start(self, greeting=GREETING):
        return Server(self, self.name, "--greeting", greeting, "--tls", self.version)

    def check(self, client):
        """The client has written nothing when the greeting comes; then the echo follows, and nothing else."""
        self.assertEqual(client.stdout.wait_for_length(len(GREETING)), GREETING.encode())
        client.write(TEXT)
        self.assertEqual(client.stdout.wait_for_length(len(GREETING) + len(TEXT)), GREETING.encode() + TEXT)
        client.stdin.close()
        self.assertEqual(client.exit_code(), 0, client.stderr.text)
        self.assertEqual(client.stdout.bytes, GREETING.encode() + TEXT)

    def test_is_first_for_s_client(self):
        server = self.start()
        self.check(Process(
            self, tool("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{server.port}", "-brief",
            "-nocommands", "-CAfile", certificate("ca.pem"), "-verify_return_error"))

    def test_is_first_for_gnutls_cli(self):
        server = self.start()
        self.check(Process(
            self, tool("gnutls-cli", "gnutls-bin"), "--port", server.port, "--x509cafile", certificate("ca.pem"),
            "--logfile", "/dev/null", "127.0.0.1"))

    def test_is_first_for_python(self):
        server = self.start()
        with connect(self, server.port, client_context(self.version)) as connection:
            self.assertEqual(receive(connection, len(GREETING)), GREETING.encode())
            self.assertEqual(exchange(connection, TEXT), TEXT)
            connection.unwrap().close()

    def test_is_first_for_curl(self):
        # A greeting that is an HTTP response, so that curl has its answer before the echo of its request.
        server = self.start("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        client = Process(
            self, tool("curl", "curl"), "--silent", "--show-error", "--http1.1", "--noproxy", "*",
            "--cacert", certificate("ca.pem"), f"https://127.0.0.1:{server.port}/")
        self.assertEqual(client.exit_code(), 0, client.stderr.text)
        self.assertEqual(client.stdout.text, "hello")


variants(globals(), Greeting, name=SERVERS, version=VERSIONS)

if __name__ == "__main__":
    unittest.main()
