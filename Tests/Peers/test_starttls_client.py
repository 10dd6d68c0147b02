"""starttls as a client: of aiosmtpd, of its own server, and of servers that somebody sits in front of."""

import contextlib
import functools
import socket
import ssl
import subprocess
import threading
import unittest

from support import LIMIT, VERSIONS, Process, Server, certificate, example, free_port
from tls import PythonServer, server_context

MESSAGE = b"Subject: dots\n\n.one\n..two\nthree"


@functools.cache
def python_with_aiosmtpd():
    """The package may be there for Debian's own Python only."""
    for python in ("python3", "/usr/bin/python3"):
        if subprocess.run([python, "-c", "import aiosmtpd"], capture_output=True).returncode == 0:
            return python
    raise AssertionError("aiosmtpd is missing: apt-get install python3-aiosmtpd")


class Client(unittest.TestCase):
    def client(self, port, *options, ca="ca.pem", host="localhost", text=b""):
        client = Process(self, example("starttls"), "--mode", "client", "--host", host, "--port", port, "--ca",
                         certificate(ca), "--verbose", "--wait", "10", *options)
        client.feed(text)
        return client

    def ends(self, client, code, sentence):
        self.assertEqual(client.exit_code(), code, client.stderr.text)
        self.assertRegex(client.stderr.text, rf"(?m)^starttls: {sentence}.*\n\Z")


class Servers(Client):
    def test_a_message_goes_to_aiosmtpd(self):
        port = free_port()
        server = Process(self, python_with_aiosmtpd(), "-u", "-W", "ignore", "-m", "aiosmtpd", "-n", "-d", "-l",
                         f"localhost:{port}", "--tlscert", certificate("server.pem"), "--tlskey", certificate("server.key"))
        server.stderr.wait_for("(?i)starting asyncio loop|server is listening")
        client = self.client(port, "--from", "a@example.org", "--to", "b@example.org", text=MESSAGE)
        self.assertEqual(client.exit_code(), 0, client.stderr.text + server.stderr.text)
        server.stdout.wait_for(rb"(?s)Subject: dots\n.*\n\n\.one\n\.\.two\nthree\n")

    def test_its_own_server_and_back_to_plain(self):
        for version in VERSIONS:
            with self.subTest(version=version):
                server = Server(self, "starttls", "--print", "--max", "1")
                client = self.client(server.port, "--from", "a@example.org", "--to", "b@example.org", "--stop-tls", "--tls",
                                     version, text=MESSAGE)
                self.assertEqual(client.exit_code(), 0, client.stderr.text)
                self.assertRegex(client.stderr.text, rf"(?m)^starttls: TLSv{version} ")
                self.assertRegex(client.stderr.text, r"(?m)^starttls: in plain: S: 250 .*in plain$")
                self.assertEqual(server.exit_code(), 0)
                self.assertEqual(server.stdout.bytes[server.heading:], MESSAGE + b"\n")

    def test_a_stranger_is_told_nothing(self):
        server = Server(self, "starttls", "--verbose")
        self.ends(self.client(server.port, ca="other-ca.pem"), 3, "the peer's certificate is not trusted: ")
        server.stderr.wait_for("alert")
        other = Server(self, "starttls", certificate="wronghost")
        self.ends(self.client(other.port), 3, "the peer's certificate is for another host")

    def test_nobody_there(self):
        self.ends(self.client(free_port()), 2, "cannot connect to localhost port .*: Connection refused")


class InTheMiddle(Client):
    """The server is a script: what it hears, and what it says then."""

    def script(self, *steps):
        """Plays the steps to one client, in a thread; returns the port. A function is called with the connection and may
        return another one in its place."""
        server = PythonServer(self, server_context())

        def play():
            connection = server.accept()
            with contextlib.suppress(OSError):
                for heard, said in steps:
                    while heard and heard not in (line := connection.recv(1 << 16)):
                        if not line:
                            return
                    if callable(said):
                        connection = said(connection) or connection
                    else:
                        connection.sendall(said)
            connection.close()
        thread = threading.Thread(target=play, daemon=True)
        thread.start()
        self.addCleanup(thread.join, LIMIT)
        return server.port

    @staticmethod
    def start_tls(connection):
        connection.sendall(b"220 go ahead\r\n")
        return server_context().wrap_socket(connection, server_side=True, suppress_ragged_eofs=False)

    HELLO = ((b"", b"220 server\r\n"), (b"EHLO", b"250-server\r\n250 STARTTLS\r\n"))
    BY_TLS = (*HELLO, (b"STARTTLS", start_tls), (b"EHLO", b"250 server\r\n"))

    def test_an_offer_that_was_struck_out_is_missed(self):
        self.ends(self.client(self.script((b"", b"220 server\r\n"), (b"EHLO", b"250-server\r\n250 SIZE\r\n"))), 3,
                  "the server does not offer STARTTLS")

    def test_an_answer_behind_the_go_ahead_is_refused(self):
        self.ends(self.client(self.script(*self.HELLO, (b"STARTTLS", b"220 go ahead\r\n250 by TLS, as it seems\r\n"))), 3,
                  "25 bytes in plain came before TLS")

    def test_a_refusal_is_told(self):
        self.ends(self.client(self.script(*self.HELLO, (b"STARTTLS", b"454 not now\x1b[2J\r\n"))), 2,
                  r"the server says: 454 not now\?\[2J$")

    def test_a_server_that_closes_is_told(self):
        self.ends(self.client(self.script(*self.HELLO, (b"STARTTLS", b""))), 2, "the server closed")

    def test_it_goes_on_in_plain_with_pythons_unwrap(self):
        port = self.script(*self.BY_TLS, (b"XSTOPTLS", b"220 close_notify is next\r\n"), (b"", ssl.SSLSocket.unwrap),
                           (b"NOOP", b"250 in plain\r\n"), (b"QUIT", b"221 bye\r\n"))
        client = self.client(port, "--stop-tls")
        self.assertEqual(client.exit_code(), 0, client.stderr.text)
        self.assertIn("in plain: S: 250 in plain\n", client.stderr.text)

    def test_an_end_without_close_notify_is_no_end(self):
        def end(connection):
            connection.sendall(b"220 close_notify is next\r\n")
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1 << 16):  # in plain from here on
                pass
        port = self.script(*self.BY_TLS, (b"XSTOPTLS", end))
        self.ends(self.client(port, "--stop-tls"), 3, "the peer ended the connection without close_notify")


if __name__ == "__main__":
    unittest.main()
