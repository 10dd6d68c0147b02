#!/usr/bin/env python3
"""What testssl.sh says of a server with our defaults and presets: nothing above LOW, but for what is not ours."""

import unittest

from scanners import server, testssl

NOT_OURS = {
    "cert_revocation": "the throw-away certificates say nowhere how they would be revoked",
    "security_headers": "headers of HTTP are the business of the program, and this one is an example",
}
NOT_OURS_WITH_A_PRESET = NOT_OURS | {
    "cipher_order": "Mozilla's guide leaves the order to the client: none of the ciphers is bad",
}
SEEN = ("TLS1_3", "cipherlist_NULL", "PFS", "heartbleed", "secure_client_renego", "LOGJAM", "RC4")  # it came to its end


class Findings(unittest.TestCase):
    def check(self, excused, *options):
        found = testssl(server(self, *options))
        self.assertEqual([name for name in SEEN if name not in found], [])
        above = {name: finding for name, finding in found.items() if finding[0] in ("MEDIUM", "HIGH", "CRITICAL")}
        for name, (severity, words) in sorted(above.items()):
            print(f"{severity} {name}: {words}; {excused.get(name, 'OURS')}")
        self.assertEqual({name: finding for name, finding in above.items() if name not in excused}, {})

    def test_the_default(self):
        self.check(NOT_OURS_WITH_A_PRESET)

    def test_the_modern_preset(self):
        self.check(NOT_OURS_WITH_A_PRESET, "--preset", "modern")

    def test_a_list_has_the_server_decide(self):
        self.check(NOT_OURS, "--ciphers", "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256")


if __name__ == "__main__":
    unittest.main(verbosity=2)
