"""Renegotiation in TLS 1.2 with openssl and GnuTLS, in both roles, with data under way: never, once, always; RFC 5746 only."""

import re
import unittest

from support import Process, Server, certificate, free_port, identity, relay_client, tool

LINES = [b"line %d in mid-stream, and some more of it\n" % number for number in range(2000)]


class Renegotiation(unittest.TestCase):
    def s_client(self, server):
        return Process(self, tool("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{server.port}", "-tls1_2",
                       "-quiet", "-no_ign_eof", "-CAfile", certificate("ca.pem"), "-verify_return_error")

    def gnutls_cli(self, server, *modifiers):
        return Process(
            self, tool("gnutls-cli", "gnutls-bin"), "--port", server.port, "--x509cafile", certificate("ca.pem"),
            "--inline-commands", "--logfile", "/dev/null", "--priority", ":".join(("NORMAL:-VERS-ALL:+VERS-TLS1.2", *modifiers)),
            "--verify-hostname", "localhost", "127.0.0.1")

    def s_server(self, *options):
        server = Process(self, tool("openssl", "openssl"), "s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-tls1_2",
                         *identity_of_s_server(), *options)
        server.port = int(server.stdout.wait_for(r"^ACCEPT \S+:(\d+)$")[1])
        return server

    def gnutls_serv(self, *modifiers):
        port = free_port()
        server = Process(
            self, "stdbuf", "-oL", tool("gnutls-serv", "gnutls-bin"), "--echo", "--port", port, "--disable-client-cert",
            "--x509certfile", certificate("server.pem"), "--x509keyfile", certificate("server.key"),
            "--priority", ":".join(("NORMAL:-VERS-ALL:+VERS-TLS1.2", *modifiers)))
        server.stderr.wait_for("IPv4 .*done")
        server.port = port
        return server

    def test_s_client_may_as_often_as_our_server_allows(self):
        for allowed, times in (("never", 0), ("once", 1), ("always", 5)):
            with self.subTest(allowed=allowed):
                server = Server(self, "echo_server", "--verbose", "--renegotiation", allowed)
                client = self.s_client(server)
                for number in range(times):
                    client.write(b"before %d\n" % number)
                    client.stdout.wait_for(f"^before {number}$")
                    client.write(b"R\n")
                    client.stderr.wait_for(rf"(?s)(RENEGOTIATING.*){{{number + 1}}}")
                client.write(b"the last\n")
                client.stdout.wait_for("^the last$")
                client.write(b"R\n")
                if allowed != "always":
                    self.assertEqual(client.exit_code(), 1)
                    self.assertIn("no renegotiation", client.stderr.text)
                    self.assertIn("alert 40", server.stderr.wait_for(".*alert.*")[0].decode())
                else:
                    client.stderr.wait_for(rf"(?s)(RENEGOTIATING.*){{{times + 1}}}")
                    client.write(b"and on\n")
                    client.stdout.wait_for("^and on$")

    def test_gnutls_cli_loses_nothing(self):
        server = Server(self, "echo_server", "--verbose", "--renegotiation", "always")
        client = self.gnutls_cli(server)
        expected = b""
        for start in range(0, len(LINES), 400):
            expected += b"".join(LINES[start:start + 400])
            client.write(b"".join(LINES[start:start + 400]))
            self.assertEqual(client.stdout.wait_for_length(len(expected)), expected)  # it bears nothing meanwhile
            client.write(b"^renegotiate^\n")
        client.stdin.close()
        self.assertEqual(client.exit_code(), 0, client.stderr.text)
        self.assertEqual(server.stderr.text, "")

    def test_s_server_loses_nothing_of_what_is_under_way(self):
        server = self.s_server()
        client = relay_client(self, server.port, "--renegotiation", "always")
        expected = b"".join(LINES * 10)
        client.feed(expected)
        server.stdout.wait_for_length(100000)
        server.write(b"r\n")
        client.exit_code()
        said = re.sub(rb"SSL_do_handshake -> 1\n|Read BLOCK\n", b"", server.stdout.bytes)  # which stand anywhere
        start = said.index(LINES[0])
        self.assertEqual(said[start:start + len(expected)], expected)
        self.assertEqual(server.stdout.bytes.count(b"SSL_do_handshake -> 1\n"), 1)

    def test_gnutls_cli_is_refused_the_second_and_the_server_goes_on(self):
        for modifiers, served in (((), 1), (("%DISABLE_SAFE_RENEGOTIATION",), 0)):
            with self.subTest(modifiers=modifiers):
                server = Server(self, "echo_server", "--verbose", "--renegotiation", "once")
                client = self.gnutls_cli(server, *modifiers)
                for number in range(served + 1):
                    client.write(b"line %d\n" % number)
                    client.stdout.wait_for_length(7 * (number + 1))
                    client.write(b"^renegotiate^\n")
                # It asks again and again, and it is itself that gives up: with internal_error.
                client.stderr.wait_for(r"(?s)(A TLS warning alert has been received.*){16}")
                self.assertIn("alert 80", server.stderr.wait_for(".*alert.*")[0].decode())

    def test_s_server_may_as_often_as_our_client_allows(self):
        for allowed, times in (("never", 0), ("once", 1), ("always", 5)):
            with self.subTest(allowed=allowed):
                server = self.s_server()
                client = relay_client(self, server.port, "--renegotiation", allowed)
                for number in range(times + 1):
                    client.write(b"up %d\n" % number)
                    server.stdout.wait_for(f"^up {number}$")
                    server.write(b"down %d\n" % number)
                    client.stdout.wait_for(f"^down {number}$")
                    server.write(b"r\n")
                    if number < times:
                        server.stdout.wait_for(rf"(?s)(SSL_do_handshake -> 1.*){{{number + 1}}}")
                if allowed != "always":
                    server.stderr.wait_for("no renegotiation")
                    client.exit_code()
                    self.assertIn("alert 40", client.stderr.text)

    def test_a_server_without_rfc_5746_is_refused_at_once(self):
        server = self.gnutls_serv("%DISABLE_SAFE_RENEGOTIATION")
        client = relay_client(self, server.port, "--renegotiation", "always")
        self.assertNotEqual(client.exit_code(), 0)
        self.assertIn("unsafe legacy renegotiation disabled", client.stderr.text)
        server.stdout.wait_for("(?i)alert.*40")


def identity_of_s_server():
    return [word.replace("--", "-") for word in identity()]


if __name__ == "__main__":
    unittest.main()
