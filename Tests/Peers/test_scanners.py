"""What scanners say of a server with our defaults and presets (testssl.sh, which takes minutes: scan.py)."""

import unittest

from scanners import nmap, server, sslscan, sslyze

MODERN = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
INTERMEDIATE = MODERN + [
    f"{exchange}-RSA-{cipher}" for exchange in ("ECDHE", "DHE")
    for cipher in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")]


class Scanners(unittest.TestCase):
    def test_sslyze_finds_the_default_to_be_mozilla_s_intermediate(self):
        for identity in (None, "server"):  # RSA and ECDSA
            for options in ((), ("--preset", "intermediate")):
                with self.subTest(identity=identity, options=options):
                    self.assertEqual(sslyze(server(self, *options, identity=identity), "intermediate"), [])

    def test_sslyze_finds_the_modern_preset_to_be_mozilla_s_modern(self):
        self.assertEqual(sslyze(server(self, "--preset", "modern", identity="server"), "modern"), [])

    def test_sslyze_sees_what_is_not(self):
        for options, point in ((("--groups", "P-521:P-256"), "tls_curves"), (("--ciphers", "ECDHE+AES"), "ciphers")):
            with self.subTest(point=point):
                found = sslyze(server(self, *options, identity="server"), "intermediate")
                self.assertEqual([line.split(":")[0] for line in found], [point])
        self.assertEqual([line.split(":")[0] for line in sslyze(server(self, identity="server"), "modern")], ["tls_versions", "ciphers"])

    def test_sslscan_sees_the_ciphers_of_the_guide(self):
        versions, ciphers = sslscan(server(self))
        self.assertEqual((versions, sorted(ciphers)), ({"tls 1.2", "tls 1.3"}, sorted(INTERMEDIATE)))
        versions, ciphers = sslscan(server(self, "--preset", "modern"))
        self.assertEqual((versions, sorted(ciphers)), ({"tls 1.3"}, MODERN))

    def test_nmap_grades_everything_a(self):
        self.assertEqual(nmap(server(self)), {"TLSv1.2": {"A"}, "TLSv1.3": {"A"}})
        self.assertEqual(nmap(server(self, "--preset", "modern")), {"TLSv1.3": {"A"}})


if __name__ == "__main__":
    unittest.main()
