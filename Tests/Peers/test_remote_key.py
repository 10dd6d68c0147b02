"""remote_key: a server whose key another process holds, of every type, for others' clients."""

import os
import signal
import subprocess
import unittest

from support import LIMIT, VERSIONS, Process, Server, certificate, certificates, tool, variants
from tls import client_context, connect, exchange, refusal

TEXT = b"signed elsewhere\n"
# What a client is to have seen, and what it takes when there are several.
KEYS = {
    "P-256": ("ec -pkeyopt ec_paramgen_curve:P-256", "ecdsa_secp256r1_sha256", "SIGN-ECDSA-SECP256R1-SHA256"),
    "P-384": ("ec -pkeyopt ec_paramgen_curve:P-384", "ecdsa_secp384r1_sha384", "SIGN-ECDSA-SECP384R1-SHA384"),
    "RSA-PSS": ("rsa:2048", "rsa_pss_rsae_sha256", "SIGN-RSA-PSS-RSAE-SHA256"),
    "RSA": ("rsa:2048", "rsa_pkcs1_sha256", "SIGN-RSA-SHA256"),
    "Ed25519": ("ed25519", "ed25519", "SIGN-EDDSA-ED25519"),
}


def made(test, name):
    """Makes a certificate for localhost with that key, of the authority that tests trust, once; returns its name."""
    path = certificates() / f"remote-{name}"
    if not os.path.exists(f"{path}.pem"):
        process = Process(
            test, tool("openssl", "openssl"), "req", "-x509", "-newkey", *KEYS[name][0].split(), "-nodes", "-subj",
            "/CN=localhost", "-addext", "subjectAltName = DNS:localhost,IP:127.0.0.1", "-days", "2", "-CA",
            certificate("ca.pem"), "-CAkey", certificate("ca.key"), "-keyout", f"{path}.key", "-out", f"{path}.pem")
        assert process.exit_code() == 0, process.stderr.text
    return path.name


class RemoteKey:
    """`key` and `version` are set by the variants."""

    def setUp(self):
        self.server = Server(self, "remote_key", "--tls", self.version, certificate=made(self, self.key))

    def check(self, client):
        client.write(TEXT)
        self.assertEqual(client.stdout.wait_for_length(len(TEXT)), TEXT)
        client.stdin.close()
        self.assertEqual(client.exit_code(), 0, client.stderr.text)

    def test_of_s_client(self):
        client = Process(
            self, tool("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{self.server.port}", "-brief", "-nocommands",
            "-verify_return_error", "-CAfile", certificate("ca.pem"), "-sigalgs",
            ":".join({KEYS[self.key][1]: 0, "ecdsa_secp256r1_sha256": 0}))  # the second is the authority's
        self.check(client)
        kind = {"P-256": "ECDSA", "P-384": "ECDSA"}.get(self.key, self.key)
        self.assertRegex(client.stderr.text, f"(?im)^Signature type: ({kind}|{KEYS[self.key][1]})$")  # by version of OpenSSL

    def test_of_gnutls_cli(self):
        self.check(Process(
            self, tool("gnutls-cli", "gnutls-bin"), "--port", self.server.port, "--logfile", "/dev/null", "--x509cafile",
            certificate("ca.pem"), "--priority", f"NORMAL:-SIGN-ALL:+SIGN-ECDSA-SHA256:+{KEYS[self.key][2]}", "127.0.0.1"))

    def test_of_curl(self):
        client = Process(
            self, tool("curl", "curl"), "--silent", "--show-error", "--http1.1", "--noproxy", "*", "--request",
            "HTTP/1.1 200 OK", "--data", "it is me", "--cacert", certificate("ca.pem"), f"https://127.0.0.1:{self.server.port}/")
        self.assertEqual(client.exit_code(), 0, client.stderr.text)
        self.assertEqual(client.stdout.text, "it is me")

    def test_of_python(self):
        for _ in range(3):
            with connect(self, self.server.port, client_context()) as connection:
                self.assertEqual(exchange(connection, TEXT), TEXT)


variants(globals(), RemoteKey, key=[name for name in KEYS if name != "RSA"], version=VERSIONS)
variants(globals(), RemoteKey, key=["RSA"], version=["1.2"])  # TLS 1.3 has no PKCS#1


class Holder(unittest.TestCase):
    """The process that holds the key."""

    def holder(self, server):
        with open(f"/proc/{server.pid}/task/{server.pid}/children", encoding="ascii") as children:
            return int(children.read().split()[0])

    def has_in_memory(self, pid, secret):
        with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb") as memory:
            for line in maps:
                place, mode = line.split()[:2]
                first, last = (int(number, 16) for number in place.split("-"))
                if mode.startswith("rw") and "[v" not in line:
                    memory.seek(first)
                    if secret in memory.read(last - first):
                        return True
        return False

    def test_is_the_only_one_that_has_the_key(self):
        server = Server(self, "remote_key")
        with connect(self, server.port, client_context()) as connection:
            self.assertEqual(exchange(connection, TEXT), TEXT)
        der = subprocess.run([tool("openssl", "openssl"), "pkey", "-in", certificate("server.key"), "-outform", "DER"],
                             check=True, timeout=LIMIT, capture_output=True).stdout
        mark = b"\x02\x01\x01\x04\x20"  # ECPrivateKey (RFC 5915, 3): version 1, and 32 bytes
        at = der.index(mark) + len(mark)
        secret = der[at:at + 32][::-1]  # the number as OpenSSL has it in memory, on machines that count from the small end
        self.assertTrue(self.has_in_memory(self.holder(server), secret))
        self.assertFalse(self.has_in_memory(server.pid, secret))

    def test_that_is_slow_holds_up_its_own_handshake_only(self):
        server = Server(self, "remote_key")
        with connect(self, server.port, client_context()) as connection:
            os.kill(self.holder(server), signal.SIGSTOP)
            waiting = Process(self, tool("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{server.port}", "-brief",
                              "-nocommands", "-CAfile", certificate("ca.pem"))
            self.assertTrue(waiting.stays_for(0.3))
            self.assertEqual(waiting.stderr.bytes, b"")
            self.assertEqual(exchange(connection, TEXT), TEXT)
            os.kill(self.holder(server), signal.SIGCONT)
        waiting.write(TEXT)
        self.assertEqual(waiting.stdout.wait_for_length(len(TEXT)), TEXT)

    def test_that_is_gone_fails_new_handshakes(self):
        server = Server(self, "remote_key", "--verbose")
        with connect(self, server.port, client_context()) as connection:
            os.kill(self.holder(server), signal.SIGKILL)
            server.stderr.wait_for("the holder of the key is gone")
            self.assertEqual(refusal(self, server.port, client_context()), "TLSV1_ALERT_INTERNAL_ERROR")
            server.stderr.wait_for("the program has not signed")
            self.assertEqual(exchange(connection, TEXT), TEXT)


if __name__ == "__main__":
    unittest.main()
