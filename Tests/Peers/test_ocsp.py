"""Responses of OCSP that no server of ours would staple, by servers of other people; and the options of the examples."""

import unittest

from settings import make_identities
from support import BUILD, Process, Server, certificate, free_port, identity, relay_client, tool, variants


class Stapled:
    """What relay_client says of a server that has stapled something."""

    def serve(self, response):
        """Starts a server; returns its port."""
        raise NotImplementedError

    def said(self, response, option="--request-ocsp", code=3):
        make_identities()
        client = relay_client(self, self.serve(certificate(response)), "--tls", self.version, option, host="localhost")
        client.stdin.close()
        self.assertEqual(client.exit_code(), code, client.stderr.text)
        return client.stderr.text

    def test_expired(self):
        self.assertIn("no good OCSP response for the server's certificate: it has expired", self.said("server.expired.ocsp"))

    def test_not_valid_yet(self):
        self.assertIn("it is not valid yet", self.said("server.future.ocsp"))

    def test_for_another_certificate(self):
        self.assertIn("it is for another certificate", self.said("rsa.good.ocsp"))

    def test_that_says_to_try_again_later_is_none(self):
        self.assertEqual(self.said("server.later.ocsp", code=0), "")
        self.assertIn("no good OCSP response for the server's certificate: ", self.said("server.later.ocsp", "--require-ocsp"))

    def test_that_is_broken(self):
        self.assertIn("no good OCSP response for the server's certificate: it cannot be parsed", self.said("server.broken.ocsp"))

    def test_that_says_revoked(self):
        self.assertIn("the certificate is revoked", self.said("server.revoked.ocsp"))


class OpenSSL(Stapled):
    def serve(self, response):
        server = Process(self, tool("openssl", "openssl"), "s_server", "-accept", "localhost:0", "-status_file", response,
                         *(word.replace("--", "-") for word in identity()))
        return int(server.stdout.wait_for(r"^ACCEPT \S+:(\d+)$")[1])


class GnuTLS(Stapled):
    def serve(self, response):
        port = free_port()
        server = Process(self, tool("gnutls-serv", "gnutls-bin"), "--echo", "--port", port, "--disable-client-cert",
                         "--x509certfile", certificate("server.pem"), "--x509keyfile", certificate("server.key"),
                         "--ocsp-response", response, "--ignore-ocsp-response-errors")
        server.stderr.wait_for(r"listening on IPv4 .*done")
        return port


variants(globals(), OpenSSL, version=("1.2", "1.3"))
variants(globals(), GnuTLS, version=("1.2", "1.3"))


class Options(unittest.TestCase):
    """The options of the example programs."""

    def test_stapled_and_insisted_upon(self):
        make_identities()
        server = Server(self, "echo_server", "--ocsp-response", certificate("server.good.ocsp"))
        client = relay_client(self, server.port, "--require-ocsp")
        client.feed(b"hello")
        self.assertEqual(client.exit_code(), 0, client.stderr.text)
        self.assertEqual(client.stdout.bytes, b"hello")

    def test_insisted_upon_in_vain(self):
        client = relay_client(self, Server(self, "echo_server").port, "--require-ocsp")
        self.assertEqual(client.exit_code(), 3, client.stderr.text)
        self.assertIn("no good OCSP response for the server's certificate: the server has none", client.stderr.text)

    def test_a_key_in_common(self):
        key = ("--psk", "device:00112233445566778899aabbccddeeff")
        server = Process(self, BUILD / "examples/echo_server", "--host", "127.0.0.1", "--port", "0", *key)
        port = int(server.stdout.wait_for(r"^listening on \S+:(\d+)\n")[1])
        client = Process(self, BUILD / "examples/relay_client", "--host", "127.0.0.1", "--port", port, *key)
        client.feed(b"hello")
        self.assertEqual(client.exit_code(), 0, client.stderr.text)
        self.assertEqual(client.stdout.bytes, b"hello")

    def test_a_key_that_is_too_short(self):
        client = Process(self, BUILD / "examples/relay_client", "--host", "127.0.0.1", "--port", "1", "--psk", "device:0011")
        self.assertEqual(client.exit_code(), 3)
        self.assertIn("key: it has fewer than 16 bytes", client.stderr.text)


if __name__ == "__main__":
    unittest.main()
