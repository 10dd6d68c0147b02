"""The failures of test_server_failures.py that differ in TLS 1.2, where a client waits for the word of the server."""

import unittest

from support import Server, certificate
from tls import client_context, connect, exchange, refusal


class ServerFailuresInTLS12(unittest.TestCase):
    def server(self, *options):
        return Server(self, "echo_server", "--verbose", *options)

    def check(self, server, refused, reason, sentence, served):
        self.assertEqual(refusal(self, server.port, refused), reason)
        server.stderr.wait_for(rf"(?i)^echo_server: .*({sentence}).*\n")
        with connect(self, server.port, served) as connection:
            self.assertEqual(exchange(connection, b"still there?"), b"still there?")

    def test_no_client_certificate_is_a_handshake_failure(self):
        self.check(self.server("--client-ca", certificate("ca.pem")), client_context("1.2"),
                   "SSLV3_ALERT_HANDSHAKE_FAILURE", "no certificate", client_context("1.2", identity="client"))

    def test_a_client_certificate_of_another_authority_is_of_an_unknown_authority(self):
        self.check(self.server("--client-ca", certificate("ca.pem")), client_context("1.2", identity="stranger"),
                   "TLSV1_ALERT_UNKNOWN_CA", "not trusted|issuer", client_context("1.2", identity="client"))

    def test_a_client_of_tls_1_3_only_is_told_the_version(self):
        self.check(self.server("--tls", "1.2"), client_context("1.3"),
                   "TLSV1_ALERT_PROTOCOL_VERSION", "version", client_context())

    def test_no_common_cipher_is_a_handshake_failure(self):
        rsa_only = client_context("1.2")
        rsa_only.set_ciphers("ECDHE-RSA-AES256-GCM-SHA384")  # and the server's key is for ECDSA
        self.check(self.server(), rsa_only, "SSLV3_ALERT_HANDSHAKE_FAILURE", "cipher", client_context("1.2"))


if __name__ == "__main__":
    unittest.main()
