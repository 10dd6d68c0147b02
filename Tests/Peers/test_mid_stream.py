"""New keys in mid-stream: updates of TLS 1.3 lose nothing, and a renegotiation of TLS 1.2 is refused in order."""

import unittest

from support import SERVERS, Process, Server, certificate, identity, relay_client, tool, variants
from tls import client_context, connect, exchange

TEXT = b"".join(b"line %d of many, so that keys grow old\n" % number for number in range(30000))


class MidStream:
    """`name` is set by the variants."""

    def s_client(self, server, *options):
        # Without -nocommands: a line of one letter is a command.
        return Process(
            self, tool("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{server.port}",
            "-CAfile", certificate("ca.pem"), "-verify_return_error", *options)

    def test_key_updates_of_s_client_lose_nothing(self):
        server = Server(self, self.name, "--verbose")
        client = self.s_client(server, "-tls1_3")
        for number in range(20):
            text = f"line {number} with new keys"
            client.write(b"Kk"[number % 2:][:1] + b"\n")  # K asks for an update in return, k does not
            client.stderr.wait_for(rf"(?s)\A(.*KEYUPDATE\n){{{number + 1}}}")
            client.write(text.encode() + b"\n")
            client.stdout.wait_for(f"^{text}$")
        client.stdin.close()
        self.assertEqual(client.exit_code(), 0, client.stderr.text)
        self.assertEqual(server.stderr.text, "")

    def test_key_updates_of_gnutls_cli_lose_nothing(self):
        server = Server(self, self.name, "--verbose")
        client = Process(
            self, tool("gnutls-cli", "gnutls-bin"), "--port", server.port, "--x509cafile", certificate("ca.pem"),
            "--inline-commands", "--logfile", "/dev/null", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.3", "127.0.0.1")
        expected = b""
        for number in range(6):  # GnuTLS ends a connection that changes its keys more than eight times a second
            text = b"line %d with new keys\n" % number
            expected += text
            client.write(text)
            self.assertEqual(client.stdout.wait_for_length(len(expected)), expected)
            client.write(b"^rekey^\n")
        client.stdin.close()
        self.assertEqual(client.exit_code(), 0, client.stderr.text)
        self.assertEqual(server.stderr.text, "")

    def test_a_renegotiation_of_s_client_is_refused_and_the_server_goes_on(self):
        server = Server(self, self.name)
        client = self.s_client(server, "-tls1_2")
        client.write(b"before\n")
        client.stdout.wait_for("^before$")
        client.write(b"R\n")
        self.assertEqual(client.exit_code(), 1)
        self.assertIn("no renegotiation", client.stderr.text)
        with connect(self, server.port, client_context()) as connection:
            self.assertEqual(exchange(connection, b"still there?"), b"still there?")


class MidStreamOfAClient(unittest.TestCase):
    """relay_client, with a server that changes the keys."""

    def test_key_updates_of_s_server_lose_nothing(self):
        server = Process(self, tool("openssl", "openssl"), "s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-tls1_3",
                         *(word.replace("--", "-") for word in identity()))
        client = relay_client(self, int(server.stdout.wait_for(r"^ACCEPT \S+:(\d+)$")[1]), "--trace")
        seen = 0
        for number in range(20):
            client.write(b"up %d\n" % number)
            server.stdout.wait_for(f"^up {number}$")
            server.write(b"Kk"[number % 2:][:1] + b"\n")  # K asks for an update in return, k does not
            seen = client.stderr.wait_for("<   KeyUpdate", seen).end()
            server.write(b"down %d\n" % number)
            client.stdout.wait_for(f"^down {number}$")
        client.stdin.close()
        self.assertEqual(client.exit_code(), 0, client.stderr.text)
        self.assertEqual(client.stderr.text.count(">   KeyUpdate"), 10)


class AfterSoManyBytes(unittest.TestCase):
    """Ours change their keys by themselves, with --key-update."""

    def check(self, ours):
        ours.end()
        self.assertIn(">   KeyUpdate", ours.stderr.text)

    def test_python_follows_a_server(self):
        server = Server(self, "echo_server", "--key-update", "100000", "--trace")
        with connect(self, server.port, client_context("1.3")) as connection:
            self.assertTrue(exchange(connection, TEXT) == TEXT)
        self.check(server)

    def test_gnutls_cli_follows_a_server(self):
        server = Server(self, "echo_server", "--key-update", "300000", "--trace")  # GnuTLS bears eight a second
        client = Process(
            self, tool("gnutls-cli", "gnutls-bin"), "--port", server.port, "--x509cafile", certificate("ca.pem"),
            "--logfile", "/dev/null", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.3", "127.0.0.1")
        client.feed(TEXT)
        self.assertTrue(client.stdout.wait_for_length(len(TEXT)) == TEXT)
        self.check(server)

    def test_s_server_follows_a_client(self):
        server = Process(self, tool("openssl", "openssl"), "s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-tls1_3",
                         *(word.replace("--", "-") for word in identity()))
        port = int(server.stdout.wait_for(r"^ACCEPT \S+:(\d+)$")[1])
        client = relay_client(self, port, "--key-update", "100000", "--trace")
        client.feed(TEXT)
        self.assertEqual(client.exit_code(), 0)
        said = server.stdout.wait_for_end().replace(b"Read BLOCK\n", b"")  # which stands anywhere
        self.assertTrue(TEXT in said)
        self.check(client)


variants(globals(), MidStream, name=SERVERS)

if __name__ == "__main__":
    unittest.main()
