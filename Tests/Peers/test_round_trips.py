"""Each example server gives every client its bytes back, in both versions, as the client's own tool sees it."""

import random
import re
import unittest

from support import SERVERS, VERSIONS, Process, Server, certificate, tool, variants
from tls import client_context, connect, exchange

ALPN = "echo/1"


class RoundTrips:
    """What every client is asked; `name` and `version` are set by the variants."""

    def setUp(self):
        self.server = Server(self, self.name, "--alpn", f"other,{ALPN}", "--tls", self.version)

    def tearDown(self):
        self.assertTrue(self.server.stays_for(0), "the server has gone")
        self.assertEqual(self.server.stderr.text, "", "the server is quiet unless asked")

    def test_one_byte_comes_back(self):
        self.check(1)

    def test_one_byte_more_than_a_record_comes_back(self):
        self.check(16385)

    def test_a_mebibyte_comes_back(self):
        self.check(1 << 20)

    def check(self, size):
        outgoing = random.Random(size).randbytes(size)
        self.assertTrue(self.round_trip(outgoing) == outgoing, f"{size} bytes came back changed")


class OpenSSLClient(RoundTrips):
    def client(self, *options):
        return Process(
            self, tool("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{self.server.port}",
            "-servername", "localhost", "-verify_hostname", "localhost", "-verify_return_error",
            "-CAfile", certificate("ca.pem"), "-alpn", ALPN, "-nocommands", *options)

    def round_trip(self, outgoing):
        client = self.client("-brief")
        client.write(outgoing)
        client.stdout.wait_for_length(len(outgoing))
        client.stdin.close()
        self.assertEqual(client.exit_code(), 0, client.stderr.text)
        self.assertIn(f"Protocol version: TLSv{self.version}\n", client.stderr.text)
        self.assertIn("Verification: OK\n", client.stderr.text)
        return client.stdout.bytes

    def test_the_application_protocol_is_agreed_on(self):
        client = self.client()
        client.stdout.wait_for(rf"^ALPN protocol: {ALPN}$")
        client.stdin.close()
        self.assertEqual(client.exit_code(), 0, client.stderr.text)
        self.assertRegex(client.stdout.text, rf"(?m)^New, TLSv{self.version}, Cipher is ")


class GnuTLSClient(RoundTrips):
    def round_trip(self, outgoing):
        log = certificate(f"{self.id()}.log")
        client = Process(
            self, tool("gnutls-cli", "gnutls-bin"), "--port", self.server.port, "--logfile", log,
            "--x509cafile", certificate("ca.pem"), "--verify-hostname", "localhost", "--alpn", ALPN,
            "--priority", f"NORMAL:-VERS-ALL:+VERS-TLS{self.version}", "127.0.0.1")
        client.write(outgoing)
        client.stdout.wait_for_length(len(outgoing))
        client.stdin.close()
        code = client.exit_code()
        with open(log, encoding="utf-8") as lines:
            said = lines.read()
        self.assertEqual(code, 0, said + client.stderr.text)
        self.assertRegex(said, rf"(?m)^- Description: \(TLS{re.escape(self.version)}-")
        self.assertIn("- Status: The certificate is trusted.", said)
        self.assertIn(f"- Application protocol: {ALPN}\n", said)
        return client.stdout.bytes


class PythonClient(RoundTrips):
    def round_trip(self, outgoing):
        with connect(self, self.server.port, client_context(self.version, alpn=["unknown", ALPN])) as connection:
            self.assertEqual(connection.version(), f"TLSv{self.version}")
            self.assertEqual(connection.selected_alpn_protocol(), ALPN)
            incoming = exchange(connection, outgoing)
            connection.unwrap().close()  # raises unless the server answers with its own close_notify
            return incoming


for peer in (OpenSSLClient, GnuTLSClient, PythonClient):
    variants(globals(), peer, name=SERVERS, version=VERSIONS)

if __name__ == "__main__":
    unittest.main()
