"""https_get fetches from other people's servers, seven of them with six TLS stacks, what curl fetches from them."""

import unittest

from web import LIGHTTPD_STACKS, WebTest


class Fetching(WebTest):
    """`server` is set by the classes below."""

    server = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if cls.server == "nginx":
            cls.port, = cls.nginx(cls.identity())
        elif cls.server == "haproxy":
            cls.port = cls.haproxy()
        else:
            cls.port = cls.lighttpd(cls.server.removeprefix("lighttpd_"))

    def fetch(self, version):
        for name, content in self.files.items():
            with self.subTest(version=version, name=name):
                got = self.both(f"https://localhost:{self.port}/{name}", ours=("--tls", version, "--stats"),
                                curls=("--tls-max", version, f"--tlsv{version}"))
                self.assertEqual(got.code, 0)
                self.assertTrue(got.stdout.bytes == content)
                self.assertRegex(got.stderr.text, rf"\Aprotocol=TLSv{version} .* alpn=http/1.1 .* close=TLSMEM_OK\n\Z")

    def test_both_sizes_by_tls_1_2(self):
        self.fetch("1.2")

    def test_both_sizes_by_tls_1_3_or_the_same_refusal(self):
        if self.server != "lighttpd_mbedtls":
            return self.fetch("1.3")
        # Debian's mbed TLS is of before TLS 1.3.
        got = self.both(f"https://localhost:{self.port}/small", ours=("--tls", "1.3"), curls=("--tlsv1.3",))
        self.assertEqual(got.code, 3)
        self.assertRegex(got.stderr.text, r"\Ahttps_get: .*alert.*\n\Z")

    def test_what_is_not_there_is_an_answer_unless_it_is_to_fail(self):
        url = f"https://localhost:{self.port}/nothing"
        got = self.both(url)
        self.assertEqual((got.code, got.stderr.text), (0, ""))
        got = self.both(url, ours=("--fail",), curls=("--fail",))
        self.assertEqual((got.code, got.stderr.text), (2, "https_get: the server answers 404 Not Found\n"))
        self.assertEqual(got.stdout.text, "")

    def test_another_name_than_the_certificates_is_refused(self):
        got = self.both(f"https://localhost.localdomain:{self.port}/small",
                        ours=("--host", "127.0.0.1", "--port", self.port), curls=("--connect-to", f"::127.0.0.1:{self.port}"))
        self.assertEqual(got.code, 3)
        self.assertRegex(got.stderr.text, r"\Ahttps_get: the peer's certificate is for another host: .*\n\Z")


SERVERS = [f"lighttpd_{stack}" for stack in LIGHTTPD_STACKS] + ["nginx", "haproxy"]
for server in SERVERS:
    globals()[f"Fetching_{server}"] = type(f"Fetching_{server}", (Fetching,), {"server": server, "__module__": __name__})
del Fetching, server

if __name__ == "__main__":
    unittest.main()
