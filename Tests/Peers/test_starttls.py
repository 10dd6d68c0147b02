"""starttls as a server: the clients of others go from plain to TLS and back, and nobody slips anything in."""

import contextlib
import os
import signal
import smtplib
import ssl
import types
import unittest

from support import LIMIT, VERSIONS, Process, Server, certificate, tool
from tls import client_context, plain_socket

MESSAGE = "Subject: dots\r\n\r\n.one\r\n..two\r\nthree"
PRINTED = "Subject: dots\n\n.one\n..two\nthree\n"


class Lines:
    """A client by hand, line by line."""

    def __init__(self, test, server):
        self.test = test
        self.socket = plain_socket(test, server.port)
        self.expect(b"220 ")

    def line(self):
        line = bytearray()
        while not line.endswith(b"\n"):  # a byte at a time: what follows may be TLS
            byte = self.socket.recv(1)
            if not byte:
                raise EOFError(bytes(line))
            line += byte
        return bytes(line)

    def expect(self, code):
        """Reads an answer, and checks how its lines begin."""
        while (line := self.line())[:3] + b" " == code and line[3:4] == b"-":
            pass
        self.test.assertEqual(line[:4], code, line)
        return line

    def say(self, text, code):
        self.socket.sendall(text)
        return self.expect(code)

    def start_tls(self, context):
        self.say(b"EHLO localhost\r\n", b"250 ")
        self.say(b"STARTTLS\r\n", b"220 ")
        self.socket = context.wrap_socket(self.socket, server_hostname="localhost", suppress_ragged_eofs=False)
        self.test.addCleanup(self.socket.close)

    def stop_tls(self):
        self.say(b"XSTOPTLS\r\n", b"220 ")
        self.socket = self.socket.unwrap()
        self.test.addCleanup(self.socket.close)

    def is_over(self):
        with contextlib.suppress(EOFError, ssl.SSLError, ConnectionResetError):
            raise AssertionError(f"it goes on: {self.line()}")


class StartTLS(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        once = types.SimpleNamespace(addCleanup=cls.addClassCleanup)
        cls.server = Server(once, "starttls", "--verbose", "--print")

    def setUp(self):
        self.printed, self.said = len(self.server.stdout.bytes), len(self.server.stderr.bytes)

    def says(self, sentence):
        self.server.stderr.wait_for(rf"^starttls: {sentence}", self.said)

    # MARK: Clients of others

    def test_smtplib_sends_a_message_and_goes_on_in_plain(self):
        for version in VERSIONS:
            with self.subTest(version=version):
                self.setUp()
                with smtplib.SMTP("localhost", self.server.port, timeout=LIMIT) as client:
                    client.ehlo()
                    self.assertEqual((client.has_extn("starttls"), client.has_extn("xstoptls")), (True, False))
                    self.assertEqual(client.mail("a@example.org")[0], 530)
                    self.assertEqual(client.starttls(context=client_context(version))[0], 220)
                    client.ehlo()
                    self.assertEqual((client.has_extn("starttls"), client.has_extn("xstoptls")), (False, True))
                    self.assertEqual(client.sendmail("a@example.org", ["b@example.org"], MESSAGE), {})
                    self.server.stdout.wait_for("three", self.printed)
                    self.assertEqual(self.server.stdout.bytes[self.printed:].decode(), PRINTED)
                    self.assertEqual(client.docmd("XSTOPTLS")[0], 220)
                    client.sock, client.file = client.sock.unwrap(), None
                    self.assertEqual(client.noop(), (250, b"2.0.0 nothing done, in plain"))

    def test_curl_sends_a_message(self):
        client = Process(self, tool("curl", "curl"), "-sS", "--ssl-reqd", "--cacert", certificate("ca.pem"), "--mail-from",
                         "a@example.org", "--mail-rcpt", "b@example.org", "-T", "-", f"smtp://localhost:{self.server.port}")
        client.feed((MESSAGE + "\r\n").encode())
        self.assertEqual(client.exit_code(), 0, client.stderr.text)
        self.assertEqual(self.server.stdout.bytes[self.printed:].decode(), PRINTED)

    def test_s_client_and_gnutls_cli_begin_tls(self):
        for command in ((tool("openssl", "openssl"), "s_client", "-starttls", "smtp", "-connect", f"localhost:{self.server.port}",
                         "-CAfile", certificate("ca.pem"), "-verify_return_error", "-quiet", "-crlf", "-nocommands"),
                        (tool("gnutls-cli", "gnutls-bin"), "--starttls-proto=smtp", "--crlf", "--port", self.server.port,
                         "--x509cafile", certificate("ca.pem"), "localhost")):
            with self.subTest(command[0]):
                client = Process(self, *command)
                client.write(b"NOOP\n")
                client.stdout.wait_for("^250 2.0.0 nothing done, by TLS")
                client.write(b"QUIT\n")
                client.stdout.wait_for("^221 ")
                self.assertEqual(client.exit_code(), 0, client.stderr.text)

    def test_many_at_once(self):
        clients = [Lines(self, self.server) for _ in range(20)]
        for client in clients:
            client.start_tls(client_context())
        for client in reversed(clients):
            client.say(b"NOOP\r\n", b"250 ")

    # MARK: Slipped in

    def test_what_comes_behind_starttls_is_refused_and_not_obeyed(self):
        for injected in (b"NOOP\r\n", b"X", b"\x16\x03\x01"):
            with self.subTest(injected):
                client = Lines(self, self.server)
                client.say(b"EHLO localhost\r\n", b"250 ")
                client.say(b"STARTTLS\r\n" + injected, b"554 ")
                client.is_over()
                self.says(rf"{len(injected)} bytes in plain came before TLS")

    def test_what_comes_in_plain_instead_of_tls_is_refused_and_not_obeyed(self):
        client = Lines(self, self.server)
        client.say(b"STARTTLS\r\n", b"220 ")
        client.socket.sendall(b"NOOP\r\nNOOP\r\n")
        client.is_over()
        self.says("the peer does not speak TLS")

    def test_what_was_said_in_plain_does_not_count_by_tls(self):
        client = Lines(self, self.server)
        client.start_tls(client_context())
        client.say(b"MAIL FROM:<a@example.org>\r\n", b"503 ")  # without another EHLO

    # MARK: Back to plain

    def test_plain_and_tls_take_turns(self):
        for version in VERSIONS:
            client = Lines(self, self.server)
            for _ in range(3):
                client.start_tls(client_context(version))
                self.assertIn(b"by TLS", client.say(b"NOOP\r\n", b"250 "))
                client.stop_tls()
                self.assertIn(b"in plain", client.say(b"NOOP\r\n", b"250 "))

    def test_of_what_follows_close_notify_in_plain_no_byte_is_lost(self):
        for version in VERSIONS:
            with self.subTest(version=version):
                wire = self.tls_in_memory(version)
                wire.tell(b"XSTOPTLS\r\n", b"220 ")
                self.assertRaises(ssl.SSLWantReadError, wire.tls.unwrap)
                wire.plain.sendall(wire.outgoing.read() + b"NOOP\r\nQUIT\r\n")  # in one segment
                self.goes_on_in_plain(wire)

    def test_close_notify_alone_goes_back_to_plain_too(self):
        for version in VERSIONS:
            for command in (b"", b"XSTOPTLS\r\n"):  # and an answer to that is not waited for
                with self.subTest(version=version, command=command):
                    wire = self.tls_in_memory(version)
                    if command:
                        wire.tls.write(command)
                    self.assertRaises(ssl.SSLWantReadError, wire.tls.unwrap)
                    wire.plain.sendall(wire.outgoing.read() + b"NOOP\r\nQUIT\r\n")
                    self.goes_on_in_plain(wire)

    def goes_on_in_plain(self, wire):
        received = bytearray()
        while chunk := wire.plain.recv(1 << 16):
            received += chunk
        self.assertRegex(bytes(received), rb"(?s)\A[\x15\x17]\x03\x03.*250 2.0.0 nothing done, in plain\r\n221 ")

    def test_many_plain_lines_behind_close_notify_are_all_answered(self):
        wire = self.tls_in_memory()
        self.assertRaises(ssl.SSLWantReadError, wire.tls.unwrap)
        wire.plain.sendall(wire.outgoing.read() + b"NOOP\r\n" * 20000 + b"QUIT\r\n")
        received = bytearray()
        while chunk := wire.plain.recv(1 << 16):
            received += chunk
        self.assertEqual(received.count(b"250 2.0.0 nothing done, in plain\r\n"), 20000)

    def test_half_a_line_by_tls_is_not_finished_in_plain(self):
        wire = self.tls_in_memory()
        wire.tls.write(b"NO")
        self.assertRaises(ssl.SSLWantReadError, wire.tls.unwrap)
        wire.plain.sendall(wire.outgoing.read() + b"OP\r\n")
        self.says("the peer goes on by TLS")

    def test_more_by_tls_after_its_end_was_agreed_upon_is_refused(self):
        wire = self.tls_in_memory()
        wire.tell(b"XSTOPTLS\r\n", b"220 ")
        wire.tls.write(b"NOOP\r\n")
        wire.plain.sendall(wire.outgoing.read())
        self.says("the peer goes on by TLS")

    def test_plain_without_close_notify_is_refused(self):
        wire = self.tls_in_memory()
        wire.tell(b"XSTOPTLS\r\n", b"220 ")
        wire.plain.sendall(b"NOOP\r\n")
        self.says("the peer broke the protocol")

    def tls_in_memory(self, version=None):
        """Returns a client by TLS whose every byte the test sends itself."""
        client = Lines(self, self.server)
        client.say(b"EHLO localhost\r\n", b"250 ")
        client.say(b"STARTTLS\r\n", b"220 ")
        wire = types.SimpleNamespace(plain=client.socket, incoming=ssl.MemoryBIO(), outgoing=ssl.MemoryBIO())
        wire.tls = client_context(version).wrap_bio(wire.incoming, wire.outgoing, server_hostname="localhost")

        def until_done(action):
            while True:
                try:
                    return action()
                except ssl.SSLWantReadError:
                    wire.plain.sendall(wire.outgoing.read())
                    wire.incoming.write(wire.plain.recv(1 << 16))

        def tell(text, code):
            wire.tls.write(text)
            wire.plain.sendall(wire.outgoing.read())
            self.assertEqual(until_done(lambda: wire.tls.read(100))[:4], code)
        until_done(wire.tls.do_handshake)
        wire.plain.sendall(wire.outgoing.read())
        wire.tell = tell
        return wire


class Limits(unittest.TestCase):
    def test_a_line_that_does_not_end_ends_the_client(self):
        server = Server(self, "starttls", "--verbose")
        for line, sentence in ((b"NOOP" * 1000, "the peer's line is too long"),
                               (b"NOOP\n", "the peer's line does not end with CR LF")):
            client = Lines(self, server)
            client.socket.sendall(line)
            client.is_over()
            server.stderr.wait_for(sentence)

    def test_sigterm_ends_it_with_code_0_in_the_midst_of_its_clients(self):
        server = Server(self, "starttls")
        clients = [Lines(self, server) for _ in range(4)]
        for client in clients[1:]:
            client.start_tls(client_context())
        os.kill(server.pid, signal.SIGTERM)
        self.assertEqual(server.exit_code(), 0, server.stderr.text)

    def test_a_client_that_says_nothing_is_given_up_and_the_server_ends_after_its_last(self):
        server = Server(self, "starttls", "--verbose", "--wait", "1", "--max", "2")
        silent, waiting = Lines(self, server), Lines(self, server)
        waiting.say(b"STARTTLS\r\n", b"220 ")
        self.assertEqual(server.exit_code(), 0)
        self.assertEqual(server.stderr.text.count("the peer was silent for 1000 ms"), 2)
        silent.is_over()


if __name__ == "__main__":
    unittest.main()
