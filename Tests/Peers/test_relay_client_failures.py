"""What relay_client says, and with which code it ends, when the connection cannot be; and what the server is told."""

import socket
import ssl
import unittest

from support import VERSIONS, Process, certificate, relay_client, tool, variants
from tls import PythonServer, receive, server_context

NETWORK, TLS = 2, 3


class RelayClientFailures:
    """`version` is set by the variants."""

    def assert_ends(self, client, code, sentence):
        self.assertEqual(client.exit_code(), code, client.stderr.text)
        self.assertRegex(client.stderr.text, rf"(?i)\Arelay_client: .*({sentence}).*\n\Z")
        self.assertEqual(client.stdout.bytes, b"")

    def refused(self, context, reason, *options, **trust):
        """Lets a Python server see why its client does not want it; returns the client."""
        server = PythonServer(self, context)
        client = relay_client(self, server.port, *options, **trust)
        with self.assertRaises(ssl.SSLError) as caught:
            server.establish()
        self.assertEqual(caught.exception.reason, reason)
        return client

    def test_an_authority_that_is_not_trusted(self):
        client = self.refused(server_context(self.version), "TLSV1_ALERT_UNKNOWN_CA", ca="other-ca.pem")
        self.assert_ends(client, TLS, "not trusted")

    def test_a_certificate_for_another_host(self):
        context = server_context(self.version, identity="wronghost")
        client = self.refused(context, "SSLV3_ALERT_BAD_CERTIFICATE", host="localhost")
        self.assert_ends(client, TLS, "host ?name|another name")

    def test_a_certificate_for_another_address(self):
        context = server_context(self.version, identity="wronghost")
        client = self.refused(context, "SSLV3_ALERT_BAD_CERTIFICATE", host="127.0.0.1")
        self.assert_ends(client, TLS, "address|another name")

    def test_a_certificate_that_has_expired(self):
        context = server_context(self.version, identity="expired")
        client = self.refused(context, "SSLV3_ALERT_CERTIFICATE_EXPIRED")
        self.assert_ends(client, TLS, "expired")

    def test_no_common_version(self):
        other = {"1.2": "1.3", "1.3": "1.2"}[self.version]
        client = self.refused(server_context(self.version), "UNSUPPORTED_PROTOCOL", "--tls", other)
        self.assert_ends(client, TLS, "version")

    def test_no_common_application_protocol(self):
        server = Process(
            self, tool("openssl", "openssl"), "s_server", "-accept", "127.0.0.1:0", "-alpn", "other",
            "-cert", certificate("server.pem"), "-key", certificate("server.key"))
        port = int(server.stdout.wait_for(r"^ACCEPT \S+:(\d+)$")[1])
        client = relay_client(self, port, "--alpn", "echo/1", "--tls", self.version)
        self.assert_ends(client, TLS, "application protocol")

    def test_no_client_certificate_where_one_is_required(self):
        context = server_context(self.version, client_ca="ca.pem")
        client = self.refused(context, "PEER_DID_NOT_RETURN_A_CERTIFICATE")
        self.assert_ends(client, TLS, "certificate|handshake failure")

    def test_a_client_certificate_is_shown_where_one_is_required(self):
        server = PythonServer(self, server_context(self.version, client_ca="ca.pem"))
        client = relay_client(
            self, server.port, "--cert", certificate("client.pem"), "--key", certificate("client.key"))
        with server.establish() as connection:
            subject = dict(pair for group in connection.getpeercert()["subject"] for pair in group)
            self.assertEqual(subject["commonName"], "test client")
            client.write(b"hello")
            self.assertEqual(receive(connection, 5), b"hello")

    def test_insecure_means_that_the_certificate_does_not_matter(self):
        server = PythonServer(self, server_context(self.version, identity="expired"))
        client = relay_client(self, server.port, "--insecure")
        with server.establish() as connection:
            client.write(b"hello")
            self.assertEqual(receive(connection, 5), b"hello")

    def test_a_server_that_does_not_speak_tls(self):
        server = PythonServer(self, None)
        client = relay_client(self, server.port, "--tls", self.version)
        with server.accept() as plain:
            plain.sendall(b"220 mail.example ESMTP\r\n")
            self.assert_ends(client, TLS, "does not speak TLS")

    def test_a_version_that_is_refused_is_not_tried_lower(self):
        server = PythonServer(self, None)
        client = relay_client(self, server.port)
        with server.accept() as plain:
            header = receive(plain, 5)
            receive(plain, int.from_bytes(header[3:], "big"))
            plain.sendall(b"\x15\x03\x03\x00\x02\x02\x46")  # fatal, protocol_version
            self.assert_ends(client, TLS, "version")
        server.listener.setblocking(False)
        with self.assertRaises(BlockingIOError):  # nobody has come a second time
            server.listener.accept()

    def test_the_end_of_file_in_the_handshake(self):
        server = PythonServer(self, None)
        client = relay_client(self, server.port, "--tls", self.version)
        with server.accept() as plain:
            self.assertEqual(receive(plain, 1), b"\x16")
            plain.shutdown(socket.SHUT_WR)
            self.assert_ends(client, TLS, "handshake")

    def test_nobody_listens(self):
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))  # and does not listen
            client = relay_client(self, bound.getsockname()[1])
            self.assert_ends(client, NETWORK, "refused")


variants(globals(), RelayClientFailures, version=VERSIONS)

if __name__ == "__main__":
    unittest.main()
