"""--client-ca: every client that shows a certificate of that authority is served (who is not: test_server_failures)."""

import re
import unittest

from support import SERVERS, VERSIONS, Process, Server, certificate, identity, tool, variants
from tls import client_context, connect, exchange

CERTIFICATE, KEY, CA = "client.pem", "client.key", "ca.pem"
TEXT = b"it is me\n"


class ClientCertificates:
    """`name` and `version` are set by the variants."""

    def setUp(self):
        self.server = Server(self, self.name, "--tls", self.version, "--client-ca", certificate(CA))

    def check(self, client):
        client.write(TEXT)
        self.assertEqual(client.stdout.wait_for_length(len(TEXT)), TEXT)
        client.stdin.close()
        self.assertEqual(client.exit_code(), 0, client.stderr.text)

    def test_of_s_client(self):
        self.check(Process(
            self, tool("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{self.server.port}", "-brief",
            "-nocommands", "-CAfile", certificate(CA), "-cert", certificate(CERTIFICATE), "-key", certificate(KEY)))

    def test_of_gnutls_cli(self):
        self.check(Process(
            self, tool("gnutls-cli", "gnutls-bin"), "--port", self.server.port, "--logfile", "/dev/null",
            "--x509cafile", certificate(CA), "--x509certfile", certificate(CERTIFICATE),
            "--x509keyfile", certificate(KEY), "127.0.0.1"))

    def test_of_python(self):
        with connect(self, self.server.port, client_context(identity="client")) as connection:
            self.assertEqual(exchange(connection, TEXT), TEXT)

    def test_of_curl(self):
        client = Process(
            self, tool("curl", "curl"), "--silent", "--show-error", "--http1.1", "--noproxy", "*",
            "--request", "HTTP/1.1 200 OK", "--data", "it is me", "--cacert", certificate(CA),
            "--cert", certificate(CERTIFICATE), "--key", certificate(KEY), f"https://127.0.0.1:{self.server.port}/")
        self.assertEqual(client.exit_code(), 0, client.stderr.text)
        self.assertEqual(client.stdout.text, "it is me")


class OtherServers:
    """Of the servers that do not echo: `name` is set by the variants."""

    OPTIONS = {"tls_proxy": ["--upstream", "127.0.0.1:9"], "starttls": ["--mode", "server"]}

    def shakes_hands(self, *options):
        """Returns whether s_client is let in, in TLS 1.2, where a client hears of a refusal before it is done."""
        server = Server(self, self.name, *self.OPTIONS.get(self.name, []), "--client-ca", certificate(CA))
        client = Process(
            self, tool("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{server.port}", "-tls1_2", "-CAfile",
            certificate(CA), "-verify_return_error", *(["-starttls", "smtp"] if self.name == "starttls" else []), *options)
        client.stdin.close()
        client.exit_code()  # which also tells of an upstream of tls_proxy that is not there
        said = client.stdout.text + client.stderr.text
        self.assertIn("Verification: OK", said)
        return re.search("alert (handshake failure|unknown ca)", said) is None

    def test_ask_for_a_certificate(self):
        words = {name: [word.replace("--", "-") for word in identity(name)] for name in ("client", "stranger")}
        self.assertTrue(self.shakes_hands(*words["client"]))
        self.assertFalse(self.shakes_hands())
        self.assertFalse(self.shakes_hands(*words["stranger"]))


variants(globals(), OtherServers, name=("relay_server", "https_server", "h2_server", "tls_proxy", "starttls"))
variants(globals(), ClientCertificates, name=SERVERS, version=VERSIONS)

if __name__ == "__main__":
    unittest.main()
