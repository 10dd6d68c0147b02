"""Early data (TLS 1.3, "0-RTT") with other stacks: taken once, refused and sent again, and never taken from a recording."""

import socket
import threading

from support import LIMIT, Process, Server, certificate, free_port, tool
from web import WebTest

GET = b"GET /small HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
POST = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc"


class Recorder:
    """Stands between a client and a server on `port`, and keeps what the client sends."""

    def __init__(self, test, port):
        self.server, self.sent = ("127.0.0.1", port), bytearray()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        test.addCleanup(self.listener.close)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        client, _ = self.listener.accept()
        with client, socket.create_connection(self.server, LIMIT) as server:
            back = threading.Thread(target=self._copy, args=(server, client, bytearray()), daemon=True)
            back.start()
            self._copy(client, server, self.sent)
            back.join(LIMIT)

    @staticmethod
    def _copy(source, target, kept):
        while piece := source.recv(1 << 16):
            kept += piece
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)


class ServerOfEarlyData(WebTest):
    """https_server answers a GET at once, and whatever else with 425 (RFC 8470)."""

    def setUp(self):
        self.log = self.folder / f"{self.id()}.log"
        self.session = self.folder / f"{self.id()}.session"
        self.server = self.serve("--early-data", "16384")

    def serve(self, *options):
        """Waits no longer than a second for a request: s_client does not send again what was rejected."""
        return Server(self, "https_server", "--root", self.root, "--log", self.log, "--timeout", "1", *options)

    def visit(self, request, *options, port=None):
        """Has s_client send a request and wait for the end; returns what it said."""
        client = Process(self, tool("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{port or self.server.port}",
                         "-servername", "localhost", "-CAfile", certificate("ca.pem"), "-verify_return_error", "-ign_eof",
                         *options)
        client.write(request)
        client.exit_code()
        return client.stdout.text

    def first(self):
        self.assertIn("HTTP/1.1 200 OK", self.visit(GET, "-sess_out", self.session))

    def early(self, request, port=None):
        """Sends a request as early data."""
        path = self.folder / f"{self.id()}.request"
        path.write_bytes(request)
        return self.visit(b"", "-sess_in", self.session, "-early_data", path, port=port)

    def requests(self):
        return len(self.log.read_text().splitlines())

    def test_a_get_is_answered_and_anything_else_is_too_early(self):
        for request, status in ((GET, "200 OK"), (POST, "425 Too Early")):
            with self.subTest(status=status):
                self.first()
                said = self.early(request)
                self.assertIn("Early data was accepted", said)
                self.assertIn(f"HTTP/1.1 {status}", said)

    def test_a_second_use_of_a_ticket_brings_none(self):
        self.first()
        self.assertIn("Early data was accepted", self.early(GET))
        before = self.requests()
        said = self.early(GET)
        self.assertIn("Early data was rejected", said)
        self.assertIn("Reused, TLSv1.3", said)
        self.assertEqual(self.requests(), before)

    def test_what_was_recorded_is_answered_no_second_time(self):
        self.first()
        recorder = Recorder(self, self.server.port)
        self.assertIn("Early data was accepted", self.early(GET, port=recorder.port))
        before = self.requests()
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", self.server.port), LIMIT) as again:
                again.sendall(recorder.sent)
                again.shutdown(socket.SHUT_WR)
                answer = bytearray()
                while piece := again.recv(1 << 16):
                    answer += piece
            self.assertEqual(answer[:1], b"\x16", "no ServerHello")
            self.assertLess(len(answer), 5000, "as much as the file")
        self.assertEqual(self.requests(), before)
        self.assertIn("HTTP/1.1 200 OK", self.visit(GET), "the server is not well")

    def test_a_server_that_takes_none_or_has_other_keys_rejects_it(self):
        self.first()
        for other in (self.serve("--early-data", "16384"), self.serve()):
            self.assertIn("Early data was rejected", self.early(GET, port=other.port))

    def test_a_server_without_the_setting_offers_none(self):
        plain = self.serve()
        self.assertIn("HTTP/1.1 200 OK", self.visit(GET, "-sess_out", self.session, port=plain.port))
        shown = Process(self, tool("openssl", "openssl"), "sess_id", "-in", self.session, "-noout", "-text")
        shown.exit_code()
        self.assertNotRegex(shown.stdout.text, "Max Early Data: [1-9]")

    def test_gnutls_has_what_it_sent_early_echoed(self):
        server = Server(self, "echo_server", "--greeting", "welcome", "--early-data", "16384")
        text = self.folder / "early.text"
        text.write_bytes(b"sent early\n")
        client = Process(self, tool("gnutls-cli", "gnutls-bin"), "--port", server.port, "--x509cafile",
                         certificate("ca.pem"), "--sni-hostname", "localhost", "--verify-hostname", "localhost", "--resume",
                         "--earlydata", text, "127.0.0.1")
        client.stdout.wait_for("^welcomesent early$")
        client.stdin.close()
        client.exit_code()
        self.assertIn("This is a resumed session", client.stdout.text)


class ClientOfEarlyData(WebTest):
    """https_get --early asks again, the second time in early data."""

    def get(self, port, fate):
        got = self.https_get("--early", "--include", f"https://localhost:{port}/small")
        said = f"https_get: resumed: TLSv1.3\nhttps_get: early data: {fate}\n"
        self.assertEqual((got.code, got.stderr.text), (0, said))
        head, _, body = got.stdout.bytes.partition(b"\r\n\r\n")
        return head.decode(), body

    def test_our_own_server(self):
        server = Server(self, "https_server", "--root", self.root, "--early-data", "16384")
        self.assertEqual(self.get(server.port, "taken")[1], self.files["small"])

    def test_nginx_takes_it(self):
        port, = self.nginx(self.identity() + "ssl_early_data on;")
        self.assertEqual(self.get(port, "taken")[1], self.files["small"])

    def test_nginx_that_takes_none_is_sent_none(self):
        port, = self.nginx(self.identity() + "ssl_early_data off;")
        got = self.https_get("--early", f"https://localhost:{port}/small")
        self.assertEqual(got.code, 0)
        self.assertRegex(got.stderr.text, "^https_get: no early data: .*\nhttps_get: resumed: TLSv1.3\n$")
        self.assertEqual(got.stdout.bytes, self.files["small"])

    def test_s_server_takes_it(self):
        self.assertIn("Early data received", self.s_server("taken", "-early_data", "-max_early_data", "16384"))

    def test_s_server_refuses_it_and_has_it_again(self):
        said = self.s_server("refused, and sent again", "-max_early_data", "16384")
        self.assertNotIn("Early data received", said)

    def test_s_server_wants_another_key_share_and_has_it_again(self):
        said = self.s_server("refused, and sent again", "-early_data", "-max_early_data", "16384", "-groups", "P-384",
                             "-no_anti_replay")  # with it, s_server forgets the session at the first ClientHello
        self.assertNotIn("Early data received", said)

    def s_server(self, fate, *options):
        """Answers both visits by hand; returns what s_server said."""
        port = free_port()
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes\n"
        server = self.start(port, tool("openssl", "openssl"), "s_server", "-accept", f"127.0.0.1:{port}", "-cert",
                            certificate("server.pem"), "-key", certificate("server.key"), *options)

        def serve():
            at = 0
            for _ in range(2):
                at = server.stdout.wait_for(r"^Connection: close\r\n\r\n", at).end()
                server.write(answer)

        person = threading.Thread(target=serve, daemon=True)
        person.start()
        self.assertEqual(self.get(port, fate)[1], b"yes")
        person.join(LIMIT)
        return server.stdout.text


del WebTest  # it has no tests of its own
