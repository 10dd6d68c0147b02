"""Whom https_get does not talk to, with which exit code and sentence; and curl beside it refuses the same."""

import socket
import threading
import unittest

from support import free_port
from web import WebTest

# What nginx's certificate is, whom the client trusts, the host in the URL; then the exit code and the sentence.
CERTIFICATES = {
    "good": ("server", "ca", "localhost", 0, None),
    "good by its address": ("server", "ca", "127.0.0.1", 0, None),
    "good by way of an intermediate authority": ("full", "ca", "localhost", 0, None),
    "good with an RSA key": ("rsa", "ca", "localhost", 0, None),
    "for another name": ("wronghost", "ca", "localhost", 3, r"is for another host: hostname mismatch"),
    "for another address": ("wronghost", "ca", "127.0.0.1", 3, r"is for another host: IP address mismatch"),
    "expired": ("expired", "ca", "localhost", 3, r"is not valid at this time: certificate has expired"),
    "not yet valid": ("future", "ca", "localhost", 3, r"is not valid at this time: certificate is not yet valid"),
    "of an authority that is not trusted": ("server", "other-ca", "localhost", 3, r"is not trusted: unable to get local issuer"),
    "self-signed": ("selfsigned", "ca", "localhost", 3, r"is not trusted: self-signed certificate"),
    "for clients only": ("purpose", "ca", "localhost", 3, r"is not trusted: unsuitable certificate purpose"),
    "without its intermediate authority": ("chained", "ca", "localhost", 3, r"is not trusted: unable to get local issuer"),
}


class Refusals(WebTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        names = sorted({row[0] for row in CERTIFICATES.values()})
        old = f"{cls.identity()} ssl_protocols TLSv1.1; ssl_ciphers DEFAULT@SECLEVEL=0;"
        *ports, cls.old, cls.plain = cls.nginx(*map(cls.identity, names), old, "")
        cls.ports = dict(zip(names, ports))

    def refused(self, url, code, sentence, **options):
        got = self.both(url, **options)
        self.assertEqual(got.code, code, got.stderr.text)
        self.assertRegex(got.stderr.text, rf"\Ahttps_get: .*{sentence}.*\n\Z")
        self.assertEqual(got.stdout.text, "")

    def test_certificates(self):
        for case, (name, ca, host, code, sentence) in CERTIFICATES.items():
            with self.subTest(case):
                url = f"https://{host}:{self.ports[name]}/small"
                if sentence:
                    self.refused(url, code, rf"the peer's certificate {sentence}", ca=ca + ".pem")
                else:
                    self.assertTrue(self.both(url, ca=ca + ".pem").stdout.bytes == self.files["small"])

    def test_everybody_is_trusted_when_that_is_said_and_it_is_said_back(self):
        for name in ("wronghost", "expired", "selfsigned"):
            with self.subTest(name):
                got = self.https_get("--insecure", f"https://localhost:{self.ports[name]}/small", ca=None)
                self.assertEqual((got.code, got.stderr.text), (0, "https_get: --insecure: nobody knows who the server is\n"))
                self.assertTrue(got.stdout.bytes == self.files["small"])

    def test_a_server_of_tls_1_1(self):
        self.refused(f"https://localhost:{self.old}/small", 3, "no common protocol version")

    def test_a_server_without_tls(self):
        self.refused(f"https://localhost:{self.plain}/small", 3, "the peer does not speak TLS")

    def test_nobody_there(self):
        self.refused(f"https://localhost:{free_port()}/", 2, "no address could be connected to: .*Connection refused")

    def test_a_name_without_address(self):
        self.refused("https://no-such-host.invalid/", 2, "the host name has no address: no-such-host.invalid: ")

    def test_a_server_that_hangs_up_in_the_handshake(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            def hang_up():
                for _ in range(2):
                    with listener.accept()[0] as connection:
                        connection.recv(1 << 16)
            thread = threading.Thread(target=hang_up, daemon=True)
            thread.start()
            self.refused(f"https://localhost:{listener.getsockname()[1]}/", 3,
                         "the peer ended the connection during the handshake")
            thread.join()


if __name__ == "__main__":
    unittest.main()
