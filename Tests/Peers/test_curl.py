"""curl against echo_server.

curl speaks only HTTP, so its request line is made to look like an answer: what comes back is then a response, with the
request's body as its own, and curl's exit code says whether all was well.
"""

import random
import unittest

from support import LIMIT, VERSIONS, Process, Server, certificate, tool, variants


def curl(test, port, *options, ca="ca.pem", method="HTTP/1.1 200 OK"):
    return Process(
        test, tool("curl", "curl"), "--silent", "--show-error", "--verbose", "--http1.1", "--max-time", LIMIT,
        "--noproxy", "*", "--cacert", certificate(ca), "--resolve", f"localhost:{port}:127.0.0.1",
        "--request", method, "--header", "Expect:", *options, f"https://localhost:{port}/")


class Curl:
    """One version; set by the variants."""

    def versions(self):
        return [f"--tlsv{self.version}", "--tls-max", self.version]

    def test_a_body_of_one_byte_comes_back(self):
        self.check(1)

    def test_a_body_of_one_byte_more_than_a_record_comes_back(self):
        self.check(16385)

    def test_a_body_of_a_mebibyte_comes_back(self):
        self.check(1 << 20)

    def check(self, size):
        body = random.Random(size).randbytes(size)
        server = Server(self, "echo_server", "--alpn", "http/1.1")
        path = certificate(f"{self.id()}.body")
        with open(path, "wb") as file:
            file.write(body)
        client = curl(self, server.port, "--data-binary", "@" + path, *self.versions())
        self.assertEqual(client.exit_code(), 0, client.stderr.text)
        self.assertTrue(client.stdout.bytes == body, f"{size} bytes came back changed")
        self.assertIn(f"SSL connection using TLSv{self.version} ", client.stderr.text)
        self.assertIn("ALPN: server accepted http/1.1", client.stderr.text)
        self.assertIn("SSL certificate verify ok.", client.stderr.text)

    def test_the_request_itself_comes_back(self):
        server = Server(self, "echo_server")
        client = curl(self, server.port, "--http0.9", "--no-buffer", *self.versions(), method="GET")
        client.stdout.wait_for(rb"\AGET / HTTP/1\.1\r\nHost: localhost:\d+\r\n(?:[^\r]+\r\n)*\r\n\Z")

    def test_an_authority_that_it_does_not_trust_ends_it_with_code_60(self):
        server = Server(self, "echo_server")
        client = curl(self, server.port, *self.versions(), ca="other-ca.pem")
        self.assertEqual(client.exit_code(), 60, client.stderr.text)
        self.still_serves(server)

    def test_a_certificate_for_another_host_ends_it_with_code_60(self):
        server = Server(self, "echo_server", certificate="wronghost")
        client = curl(self, server.port, *self.versions())
        self.assertEqual(client.exit_code(), 60, client.stderr.text)
        self.assertRegex(client.stderr.text, "(?i)does not match|no alternative certificate subject name")

    def test_a_certificate_that_has_expired_ends_it_with_code_60(self):
        server = Server(self, "echo_server", certificate="expired")
        client = curl(self, server.port, *self.versions())
        self.assertEqual(client.exit_code(), 60, client.stderr.text)
        self.assertIn("certificate has expired", client.stderr.text)

    def test_no_common_application_protocol_ends_it_with_code_35(self):
        server = Server(self, "echo_server", "--alpn", "echo/1")
        client = curl(self, server.port, *self.versions())
        self.assertEqual(client.exit_code(), 35, client.stderr.text)
        self.assertIn("no application protocol", client.stderr.text)
        self.still_serves(server, "--no-alpn")

    def test_no_common_version_ends_it_with_code_35(self):
        server = Server(self, "echo_server", "--tls", "1.2" if self.version == "1.3" else "1.3")
        client = curl(self, server.port, *self.versions())
        self.assertEqual(client.exit_code(), 35, client.stderr.text)
        self.assertIn("alert protocol version", client.stderr.text)

    def still_serves(self, server, *options):
        client = curl(self, server.port, "--data", "served", *self.versions(), *options)
        self.assertEqual(client.exit_code(), 0, client.stderr.text)
        self.assertEqual(client.stdout.text, "served")


variants(globals(), Curl, version=VERSIONS)

if __name__ == "__main__":
    unittest.main()
