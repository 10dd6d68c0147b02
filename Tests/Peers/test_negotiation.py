"""What is negotiated with openssl, GnuTLS and Python: whose preference decides, and what is said when nothing is in common."""

import re
import unittest

from support import VERSIONS, Process, Server, certificate, example, free_port, identity, relay_client, tool, variants
from tls import PythonServer, client_context, connect, server_context

CIPHERS = {
    "1.2": {"AES256": "ECDHE-ECDSA-AES256-GCM-SHA384", "CHACHA": "ECDHE-ECDSA-CHACHA20-POLY1305",
            "AES128": "ECDHE-ECDSA-AES128-GCM-SHA256"},
    "1.3": {"AES256": "TLS_AES_256_GCM_SHA384", "CHACHA": "TLS_CHACHA20_POLY1305_SHA256",
            "AES128": "TLS_AES_128_GCM_SHA256"},
}
GNUTLS = {"AES256": "AES-256-GCM", "CHACHA": "CHACHA20-POLY1305", "AES128": "AES-128-GCM"}
ORDERS = (("AES256", "CHACHA", "AES128"), ("CHACHA", "AES128", "AES256"), ("AES128", "AES256", "CHACHA"))


def openssl_list(version, order):
    return ":".join(CIPHERS[version][cipher] for cipher in order)


def priority(version, order=(), **replaced):
    """Returns GnuTLS's word for one version, some ciphers, and other things (GROUP="X25519")."""
    words = ["NORMAL", "-VERS-ALL", f"+VERS-TLS{version}"]
    for kind, names in {"CIPHER": [GNUTLS[cipher] for cipher in order], **replaced}.items():
        if names:
            words += [f"-{kind}-ALL", *(f"+{'' if kind == 'CIPHER' else kind + '-'}{name}" for name in names)]
    return ":".join(words)


def chosen(text, names):
    """Returns the short name of the one cipher that a text speaks of."""
    found = [short for short, name in names.items() if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)]
    if len(found) != 1:
        raise AssertionError(f"{found} in {text[-2000:]}")
    return found[0]


class Client:
    """Other people's clients, each as a method: it connects, and returns what it or our server has said."""

    def s_client(self, port, version, *options):
        client = Process(self, tool("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile",
                         certificate("ca.pem"), "-nocommands", "-tls" + version.replace(".", "_"), *options)
        client.stdin.close()
        client.exit_code()
        return client.stdout.text + client.stderr.text

    def gnutls_cli(self, port, word):
        client = Process(self, tool("gnutls-cli", "gnutls-bin"), "--port", port, "--x509cafile", certificate("ca.pem"),
                         "--priority", word, "127.0.0.1")
        client.stdin.close()
        client.exit_code()
        return client.stdout.text + client.stderr.text

    def by_openssl(self, port, version, order):
        text = self.s_client(port, version, "-cipher" if version == "1.2" else "-ciphersuites", openssl_list(version, order))
        return chosen(re.search(r"Cipher is (\S+)", text)[1], CIPHERS[version])

    def by_gnutls(self, port, version, order):
        text = self.gnutls_cli(port, priority(version, order))
        return chosen(re.search(r"Description: (\S+)", text)[1], GNUTLS)

    def by_python(self, port, version, order):
        context = client_context(version)
        if version == "1.2":
            context.set_ciphers(openssl_list(version, order))
        with connect(self, port, context) as connection:
            return chosen(connection.cipher()[0], CIPHERS[version])


class OurServer(Client):
    """`version` is set by the variants."""

    def test_the_client_s_order_decides_with_the_default(self):
        port = Server(self, "echo_server", "--tls", self.version).port
        for order in ORDERS:
            with self.subTest(order=order):
                self.assertEqual(self.by_openssl(port, self.version, order), order[0])
                self.assertEqual(self.by_gnutls(port, self.version, order), order[0])
                if self.version == "1.2" or order == ORDERS[0]:  # in TLS 1.3 Python's is the one of OpenSSL
                    self.assertEqual(self.by_python(port, self.version, order), order[0])

    def test_the_server_s_order_decides_when_it_has_a_list(self):
        for order in ORDERS:
            port = Server(self, "echo_server", "--tls", self.version, "--ciphers", openssl_list(self.version, order)).port
            for others in ORDERS:
                with self.subTest(order=order, others=others):
                    self.assertEqual(self.by_openssl(port, self.version, others), order[0])
                    self.assertEqual(self.by_gnutls(port, self.version, others), order[0])
                    self.assertEqual(self.by_python(port, self.version, others), order[0])

    def refused(self, refusal, alert, *options):
        """Starts a server, has it refuse somebody, and looks at its sentence and at the alert in the client's words."""
        server = Server(self, "echo_server", "--verbose", *options)
        said = refusal(server.port)
        self.assertRegex(said, rf"(?i)alert number {alert}\b|alert \[{alert}\]")
        return server.stderr.wait_for(r"^echo_server: (.+)\n")[1].decode()

    def test_no_common_cipher_is_alert_40(self):
        options = "--tls", self.version, "--ciphers", CIPHERS[self.version]["AES256"]
        kind = "-cipher" if self.version == "1.2" else "-ciphersuites"
        for refusal in (lambda port: self.s_client(port, self.version, kind, CIPHERS[self.version]["AES128"]),
                        lambda port: self.gnutls_cli(port, priority(self.version, ["AES128"]))):
            self.assertRegex(self.refused(refusal, 40, *options), "^there is no common cipher, .*: no shared cipher$")

    def test_no_common_group_is_alert_40(self):
        options = "--tls", self.version, "--groups", "P-384"
        for refusal in (lambda port: self.s_client(port, self.version, "-groups", "P-256:X25519"),
                        lambda port: self.gnutls_cli(port, priority(self.version, GROUP=["SECP256R1", "X25519"]))):
            self.assertRegex(self.refused(refusal, 40, *options), "^there is no common cipher, group or ")

    def test_no_common_signature_algorithm_is_alert_40(self):
        # The server's key is for ECDSA.
        for refusal in (lambda port: self.s_client(port, self.version, "-sigalgs", "RSA-PSS+SHA256:RSA+SHA256"),
                        lambda port: self.gnutls_cli(port, priority(self.version, SIGN=["RSA-PSS-RSAE-SHA256", "RSA-SHA256"]))):
            self.assertRegex(self.refused(refusal, 40, "--tls", self.version), "^there is no common .* signature algorithm: ")


class Versions(Client, unittest.TestCase):
    def test_a_version_that_is_too_old_is_alert_70(self):
        for options, offers in (((), ("1.0", "1.1")), (("--preset", "intermediate"), ("1.1",)), (("--preset", "modern"), ("1.2",)),
                                (("--tls", "1.3"), ("1.2",))):
            for offer in offers:
                with self.subTest(options=options, offer=offer):
                    server = Server(self, "echo_server", "--verbose", *options)
                    self.assertIn("alert [70]", self.gnutls_cli(server.port, "NORMAL:%COMPAT:-VERS-ALL:+VERS-TLS" + offer))
                    server.stderr.wait_for(r"^echo_server: there is no common protocol version: .*\n")

    def test_what_does_not_go_together_is_code_3_and_a_sentence(self):
        for options, sentence in (
                (("--preset", "modern", "--ciphers", CIPHERS["1.2"]["AES128"]), "none of them is for a version that is spoken"),
                (("--tls", "1.2", "--ciphers", "TLS_AES_128_GCM_SHA256"), "none of them is for a version that is spoken"),
                (("--ciphers", "HIGH:NO-SUCH"), "NO-SUCH: OpenSSL knows no cipher of this name"),
                (("--ciphers", "ADH-AES128-GCM-SHA256"), "ADH-AES128-GCM-SHA256: it has no encryption, or does not prove"),
                (("--groups", "X25519:NO-SUCH"), "NO-SUCH: OpenSSL knows no group of this name")):
            with self.subTest(options=options):
                program = Process(self, example("echo_server"), "--port", "0", *identity(), *options)
                self.assertEqual(program.exit_code(), 3)
                self.assertRegex(program.stderr.text, rf"\Aecho_server: (\S+: )?{sentence}")

    def test_an_unknown_preset_is_code_1(self):
        program = Process(self, example("echo_server"), "--port", "0", *identity(), "--preset", "old")
        self.assertEqual(program.exit_code(), 1)


class OurClient:
    """`version` is set by the variants."""

    def visit(self, port, *options):
        """Has relay_client connect, and say its good-bye; returns its exit code and what it said."""
        client = relay_client(self, port, "--tls", self.version, "--stats", *options)
        client.stdin.close()
        return client.exit_code(), client.stderr.text

    def s_server(self, *options):
        server = Process(self, tool("openssl", "openssl"), "s_server", "-accept", "127.0.0.1:0", *self.identity("-cert", "-key"),
                         *options)
        return int(server.stdout.wait_for(r"^ACCEPT \S+:(\d+)\n")[1])

    def gnutls_serv(self, word):
        port = free_port()
        server = Process(self, tool("gnutls-serv", "gnutls-bin"), "--echo", "--disable-client-cert", "--port", port, "--priority", word,
                         *self.identity("--x509certfile", "--x509keyfile"))
        server.stderr.wait_for(r"listening on IPv4 \S+ port \d+\.\.\.done")
        return port

    def identity(self, cert, key):
        return cert, certificate("server.pem"), key, certificate("server.key")

    def test_its_order_decides_where_the_server_leaves_it_to_the_client(self):
        for port in (self.s_server(), self.gnutls_serv(priority(self.version))):
            for order in ORDERS:
                with self.subTest(order=order):
                    code, said = self.visit(port, "--ciphers", openssl_list(self.version, order))
                    self.assertEqual((code, chosen(said, CIPHERS[self.version])), (0, order[0]), said)

    def test_the_server_s_order_decides_where_it_has_one(self):
        kind = "-cipher" if self.version == "1.2" else "-ciphersuites"
        for order in ORDERS:
            for port in (self.s_server("-serverpref", kind, openssl_list(self.version, order)),
                         self.gnutls_serv(priority(self.version, order) + ":%SERVER_PRECEDENCE")):
                with self.subTest(order=order):
                    code, said = self.visit(port, "--ciphers", openssl_list(self.version, ORDERS[0]))
                    self.assertEqual((code, chosen(said, CIPHERS[self.version])), (0, order[0]), said)

    def test_nothing_in_common_is_code_3_and_a_sentence_with_the_alert(self):
        kind = "-cipher" if self.version == "1.2" else "-ciphersuites"
        other = "1.3" if self.version == "1.2" else "1.2"
        ours = "--ciphers", CIPHERS[self.version]["AES128"]
        for port, options, sentence in (
                (self.s_server(kind, CIPHERS[self.version]["AES256"]), ours, "no common cipher, .*: alert 40"),
                (self.gnutls_serv(priority(self.version, ["AES256"])), ours, "no common cipher, .*: alert 40"),
                (self.s_server("-groups", "P-384"), ("--groups", "?NO-SUCH:X25519:P-256"), "no common cipher, group .*: alert 40"),
                (self.s_server("-tls" + other.replace(".", "_")), (), "no common protocol version: alert 70"),
                (self.gnutls_serv(priority(other)), (), "no common cipher, .*: alert 40")):  # all that GnuTLS says
            with self.subTest(sentence=sentence, options=options):
                code, said = self.visit(port, *options)
                self.assertEqual(code, 3, said)
                self.assertRegex(said, rf"(?m)^relay_client: there is {sentence}")

    def test_a_server_of_python_is_met(self):
        server = PythonServer(self, server_context(self.version))
        client = relay_client(self, server.port, "--preset", "modern" if self.version == "1.3" else "intermediate", "--stats")
        with server.establish() as connection:
            self.assertEqual(connection.version(), "TLSv" + self.version)
            client.stdin.close()
            connection.unwrap()
        self.assertEqual(client.exit_code(), 0, client.stderr.text)
        self.assertIn(chosen(client.stderr.text, CIPHERS[self.version]), ORDERS[0])


variants(globals(), OurServer, version=VERSIONS)
variants(globals(), OurClient, version=VERSIONS)

if __name__ == "__main__":
    unittest.main()
