"""https_get --resume comes back to a server with the newest session of a first visit, and says whether that was taken."""

import unittest

from support import VERSIONS, Process, Server, certificate, free_port, tool
from web import LIGHTTPD_STACKS, WebTest

DECLINED = "https_get: not resumed: the server wanted a full handshake, TLSv{}\n"
NONE = "https_get: not resumed: the server gave no session\n"


class Resuming(WebTest):
    def resume(self, port, version, name="small", content=None, *options):
        """Fetches a file, with a session that is to be taken."""
        got = self.https_get("--resume", "--tls", version, *options, f"https://localhost:{port}/{name}")
        self.assertEqual((got.code, got.stderr.text), (0, f"https_get: resumed: TLSv{version}\n"))
        self.assertTrue(got.stdout.bytes == (self.files[name] if content is None else content), "other bytes")

    def refused(self, port, version, sentence, bodies):
        """The same, but nothing comes of it."""
        got = self.https_get("--resume", "--tls", version, f"https://localhost:{port}/small")
        self.assertEqual((got.code, got.stderr.text), (3, sentence))
        self.assertTrue(got.stdout.bytes == self.files["small"] * bodies, f"not {bodies} times the file")

    def test_lighttpd_with_five_stacks(self):
        for stack in LIGHTTPD_STACKS:
            port = self.lighttpd(stack)
            for version in VERSIONS[:1] if stack == "mbedtls" else VERSIONS:  # Debian's is of before TLS 1.3
                with self.subTest(stack=stack, version=version):
                    self.resume(port, version)

    def test_nginx_by_tickets_and_by_a_cache(self):
        tickets, = self.nginx(self.identity())
        cache, = self.nginx(self.identity() + "ssl_session_tickets off; ssl_session_cache shared:sessions:1m;")
        for version in VERSIONS:
            for port in (tickets, cache):
                with self.subTest(version=version, port=port):
                    self.resume(port, version)
                    self.resume(port, version, "large")

    def test_haproxy(self):
        port = self.haproxy()
        for version in VERSIONS:
            with self.subTest(version=version):
                self.resume(port, version)

    def test_openssl_s_server(self):
        for options in ((), ("-no_ticket",)):
            port = free_port()
            self.start(port, tool("openssl", "openssl"), "s_server", "-accept", f"127.0.0.1:{port}", "-WWW", "-quiet",
                       "-cert", certificate("full.pem"), "-cert_chain", certificate("full.pem"), "-key",
                       certificate("full.key"), *options)
            for version in VERSIONS:
                with self.subTest(version=version, options=options):
                    # It has no files here, and says so with a body that ends with the connection.
                    got = self.https_get("--resume", "--tls", version, f"https://localhost:{port}/none")
                    self.assertEqual((got.code, got.stderr.text), (0, f"https_get: resumed: TLSv{version}\n"))
                    self.assertIn("Error", got.stdout.text)

    def test_our_own_servers(self):
        for name in ("https_server", "h2_server"):
            server = Server(self, name, "--root", self.root)
            for version in VERSIONS:
                with self.subTest(name=name, version=version):
                    self.resume(server.port, version)

    def test_a_server_that_declines_or_gives_none_is_told_of(self):
        # nginx calls a cache "none" when it gives ids and keeps nothing, and "off" when it gives none.
        declines, = self.nginx(self.identity() + "ssl_session_tickets off; ssl_session_cache none;")
        none, = self.nginx(self.identity() + "ssl_session_tickets off; ssl_session_cache off;")
        self.refused(declines, "1.2", DECLINED.format("1.2"), 1)
        self.refused(declines, "1.3", DECLINED.format("1.3"), 1)
        self.refused(none, "1.2", NONE, 0)

    def test_a_visit_that_fails_is_told_as_without_a_session(self):
        port, = self.nginx(self.identity("wronghost"))
        got = self.https_get("--resume", f"https://localhost:{port}/small")
        self.assertEqual(got.code, 3)
        self.assertRegex(got.stderr.text, r"\Ahttps_get: the peer's certificate is for another host: .*\n\Z")
        got = self.https_get("--resume", f"https://localhost:{free_port()}/")
        self.assertEqual(got.code, 2)
        self.assertNotIn("resumed", got.stderr.text)

    def test_the_output_is_that_of_the_second_visit(self):
        port, = self.nginx(self.identity())
        path = self.folder / "output"
        self.resume(port, "1.3", "small", b"", "--output", path)
        self.assertTrue(path.read_bytes() == self.files["small"])


if __name__ == "__main__":
    unittest.main()
