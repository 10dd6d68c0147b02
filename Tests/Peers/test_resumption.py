"""A session that s_client has kept is resumed by the server that gave it, in both versions."""

import unittest

from support import VERSIONS, Process, Server, certificate, tool, variants
from tls import client_context, connect, exchange


class Resumption:
    """`version` is set by the variants."""

    def visit(self, server, *options):
        """Connects, waits for an echo (TLS 1.3 tickets come with the first bytes), and returns what s_client said."""
        client = Process(
            self, tool("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{server.port}", "-nocommands",
            "-servername", "localhost", "-CAfile", certificate("ca.pem"), "-verify_return_error", *options)
        client.write(b"to be echoed\n")
        client.stdout.wait_for("^to be echoed$")
        client.stdin.close()
        self.assertEqual(client.exit_code(), 0, client.stderr.text)
        return client.stdout.text

    def test_s_client_comes_back_with_its_session(self):
        server = Server(self, "echo_server", "--tls", self.version)
        session = certificate(f"{self.id()}.session")
        self.assertRegex(self.visit(server, "-sess_out", session), rf"(?m)^New, TLSv{self.version}, ")
        self.assertRegex(self.visit(server, "-sess_in", session), rf"(?m)^Reused, TLSv{self.version}, ")

    def test_python_comes_back_with_its_session(self):
        server = Server(self, "echo_server", "--tls", self.version)
        context = client_context(self.version)
        with connect(self, server.port, context) as connection:
            self.assertEqual(exchange(connection, b"first"), b"first")
            self.assertFalse(connection.session_reused)
            session = connection.session
        with connect(self, server.port, context, session=session) as connection:
            self.assertEqual(exchange(connection, b"second"), b"second")
            self.assertTrue(connection.session_reused)

    def test_a_session_of_another_server_is_not_resumed_and_no_harm_is_done(self):
        session = certificate(f"{self.id()}.session")
        self.visit(Server(self, "echo_server", "--tls", self.version), "-sess_out", session)
        other = Server(self, "echo_server", "--tls", self.version)
        self.assertRegex(self.visit(other, "-sess_in", session), rf"(?m)^New, TLSv{self.version}, ")


variants(globals(), Resumption, version=VERSIONS)

if __name__ == "__main__":
    unittest.main()
