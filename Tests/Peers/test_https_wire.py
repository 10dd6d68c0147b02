"""https_server byte by byte: pipelines, requests that are wrong or ambiguous, limits, slow clients, and its end."""

import os
import random
import re
import signal
import socket
import struct
import time
import unittest

from http2_frames import DATA, Session
from support import LIMIT
from tls import Wire, client_context, plain_socket, receive
from web_servers import Raw, Web, root

HOST = "Host: localhost"
POST = "POST /echo HTTP/1.1"
CHUNKED = "Transfer-Encoding: chunked"
GET = b"GET /text.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Requests(unittest.TestCase):
    def setUp(self):
        self.server = Web(self, "https_server")

    def raw(self):
        return Raw(self, self.server.port)

    def refused(self, status, *lines, body=b""):
        """The request is refused, and nothing that follows it is taken for another one."""
        raw = self.raw()
        raw.send(*lines, body=body + GET)
        answer, fields, _ = raw.answer()
        self.assertEqual((answer, fields["connection"]), (status, "close"))
        self.assertEqual(raw.rest(), b"")

    def test_a_hundred_requests_at_once_are_answered_in_order(self):
        raw, choice = self.raw(), random.Random(3)
        bodies = [choice.randbytes(choice.choice((0, 1, 999, 20000))) for _ in range(100)]
        wire = b"".join(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
                        for body in bodies)
        raw.socket.sendall(wire + GET)
        for body in bodies:
            self.assertEqual(raw.answer()[::2], (200, body))
        self.assertEqual(raw.answer()[0], 200)

    def test_requests_that_come_byte_by_byte_are_understood(self):
        raw = self.raw()
        wire = (b"\r\nPOST /echo HTTP/1.1\r\nHost:localhost\r\ntransfer-encoding:\tCHUNKED \r\n\r\n"
                b"3;name=value\r\nabc\r\n00a\r\n0123456789\r\n0\r\nTrailer: x\r\nContent-Length: 7\r\n\r\n" + GET)
        for at in range(len(wire)):
            raw.socket.sendall(wire[at:at + 1])
        status, fields, body = raw.answer()
        self.assertEqual((status, fields["transfer-encoding"], body), (200, "chunked", b"abc0123456789"))
        self.assertEqual(raw.answer()[0], 200)

    def test_a_request_that_others_may_read_differently_is_refused(self):
        for status, lines, body in (
                (400, (POST, HOST, "Content-Length: 4", CHUNKED), b"0\r\n\r\n"),
                (400, (POST, HOST, CHUNKED, "Content-Length: 4"), b"0\r\n\r\n"),
                (400, (POST, HOST, "Content-Length: 4", "Content-Length: 5"), b"abcd"),
                (400, (POST, HOST, "Content-Length: 4", "Content-Length: 4"), b"abcd"),
                (400, (POST, HOST, "Content-Length: 4, 4"), b"abcd"),
                (400, (POST, HOST, "Content-Length: +4"), b"abcd"),
                (400, (POST, HOST, "Content-Length: -4"), b"abcd"),
                (400, (POST, HOST, "Content-Length: 0x4"), b"abcd"),
                (400, (POST, HOST, "Content-Length: "), b""),
                (400, (POST, HOST, "Content-Length: 4", " 4"), b"abcd"),
                (400, (POST, HOST, "Content-Length : 4"), b"abcd"),
                (400, (POST, HOST, "Transfer-Encoding : chunked"), b"0\r\n\r\n"),
                (400, (POST, HOST, " " + CHUNKED), b"0\r\n\r\n"),
                (400, (POST, HOST, CHUNKED, CHUNKED), b"0\r\n\r\n"),
                (501, (POST, HOST, "Transfer-Encoding: xchunked"), b"0\r\n\r\n"),
                (501, (POST, HOST, "Transfer-Encoding: chunked, identity"), b"0\r\n\r\n"),
                (501, (POST, HOST, "Transfer-Encoding: gzip, chunked"), b"0\r\n\r\n"),
                (400, ("POST /echo HTTP/1.0", HOST, CHUNKED), b"0\r\n\r\n"),
                (400, (POST, HOST, CHUNKED), b"5\rXhello\r\n0\r\n\r\n"),
                (400, (POST, HOST, CHUNKED), b"5\nhello\r\n0\r\n\r\n"),
                (400, (POST, HOST, CHUNKED), b"5;a\nb\r\nhello\r\n0\r\n\r\n"),
                (400, (POST, HOST, CHUNKED), b"5\r\nhelloXX0\r\n\r\n"),
                (400, (POST, HOST, CHUNKED), b"5\r\nhello\rX0\r\n\r\n"),
                (400, (POST, HOST, CHUNKED), b"0x5\r\nhello\r\n0\r\n\r\n"),
                (400, (POST, HOST, CHUNKED), b"-5\r\nhello\r\n0\r\n\r\n"),
                (400, (POST, HOST, CHUNKED), b"10000000000000005\r\nhello\r\n0\r\n\r\n"),
                (400, ("GET / HTTP/1.1",), b""),
                (400, ("GET / HTTP/1.1\nHost: localhost",), b""),
                (400, ("GET / HTTP/1.1", HOST, "A: b", "\tc"), b""),
                (400, ("GET / HTTP/1.1", HOST, HOST), b""),
                (400, ("GET / HTTP/1.1", HOST, "A B: c"), b""),
                (400, ("GET / HTTP/1.1", HOST, "A\x00: c"), b""),
                (400, ("GET / HTTP/1.1", HOST, "A: b\x00c"), b""),
                (400, ("GET / HTTP/1.1", HOST, "A: b\rB: c"), b""),
                (400, ("GET / HTTP/1.1", HOST, ": c"), b""),
                (400, ("GET / HTTP/1.1", HOST, "no colon"), b""),
                (400, ("GET /a\tb HTTP/1.1", HOST), b""),
                (400, ("GET /a b HTTP/1.1", HOST), b""),
                (400, ("GET  HTTP/1.1", HOST), b""),
                (505, ("GET / HTTP/3.0", HOST), b""),
                (505, ("GET / HTTP/0.9", HOST), b""),
                (400, ("GET / HTCPCP/1.0", HOST), b""),
                (501, ("PRI * HTTP/2.0",), b"SM\r\n\r\n"),
                (501, ("BREW / HTTP/1.1", HOST), b""),
                (501, ("\x16\x03\x01 / HTTP/1.1", HOST), b"")):
            with self.subTest(lines=lines, body=body):
                self.refused(status, *lines, body=body)

    def test_targets_may_name_the_server(self):
        for target, status in (("https://localhost/text.txt", 200), ("http://x:1/text.txt?a", 200),
                               ("https://localhost", 200), ("https://localhost/../secret", 404), ("https://localhost?x", 200), ("text.txt", 400),
                               ("file:///etc/passwd", 400), ("*", 400), ("//etc/passwd", 404), ("/text.txt#a", 200)):
            with self.subTest(target=target):
                raw = self.raw()
                raw.send(f"GET {target} HTTP/1.1", HOST)
                self.assertEqual(raw.answer()[0], status)

    def test_a_proxy_or_another_protocol_it_is_not(self):
        raw = self.raw()
        raw.send("CONNECT localhost:80 HTTP/1.1", HOST)
        self.assertEqual(raw.answer()[0], 400)
        raw.send("CONNECT localhost:80 HTTP/1.1", HOST, f"Content-Length: {len(GET)}", body=GET)
        self.assertEqual(raw.answer()[0], 400)
        raw.send("GET /text.txt HTTP/1.1", HOST, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", body=GET)
        self.assertEqual([raw.answer()[0] for _ in range(2)], [200, 200])
        raw.socket.sendall(b"GET / HTTP/1.0\r\n\r\n")
        self.assertEqual((raw.answer()[0], raw.rest()), (200, b""))

    def test_a_head_over_the_limit_is_431(self):
        for lines in ((f"GET /{'x' * 17000} HTTP/1.1", HOST), ("GET / HTTP/1.1", HOST, "A: " + "x" * 17000),
                      ("GET / HTTP/1.1", HOST, *(f"A{number}: {'x' * 100}" for number in range(200)))):
            self.refused(431, *lines)
        self.refused(431, POST, HOST, CHUNKED, body=b"1;" + b"x" * 17000 + b"\r\na\r\n0\r\n\r\n")
        self.refused(431, POST, HOST, CHUNKED, body=b"1\r\na\r\n0\r\nA: " + b"x" * 17000 + b"\r\n\r\n")
        raw = self.raw()
        raw.send("GET /text.txt HTTP/1.1", HOST, "A: " + "x" * 15000)
        self.assertEqual(raw.answer()[0], 200)

    def test_a_body_over_the_limit_is_413_before_it_comes(self):
        for length in ("1048577", "9223372036854775808"):
            self.refused(413, POST, HOST, "Content-Length: " + length)
        self.refused(400, POST, HOST, "Content-Length: 18446744073709551615")
        self.refused(413, "GET /text.txt HTTP/1.1", HOST, "Content-Length: 1048577")

    def test_an_echo_that_grows_over_the_limit_ends_without_its_end(self):
        # By then the answer is under way: it cannot become another one, and is not to look like a whole one.
        raw = self.raw()
        raw.send(POST, HOST, CHUNKED)
        raw.socket.sendall((b"10000\r\n" + bytes(65536) + b"\r\n") * 17)
        wire = raw.rest()
        self.assertTrue(wire.startswith(b"HTTP/1.1 200 OK\r\n"))
        self.assertFalse(wire.endswith(b"0\r\n\r\n"))

    def test_a_body_that_waits_for_leave_gets_it_or_the_reason_why_not(self):
        raw = self.raw()
        raw.send(POST, HOST, "Content-Length: 5", "Expect: 100-Continue")
        self.assertEqual(raw.answer()[0], 100)
        raw.socket.sendall(b"hello")
        self.assertEqual(raw.answer()[::2], (200, b"hello"))
        raw.send("POST / HTTP/1.1", HOST, "Content-Length: 5", "Expect: 100-continue")
        status, fields, _ = raw.answer()
        self.assertEqual((status, fields["connection"]), (405, "close"))
        self.refused(417, POST, HOST, "Content-Length: 5", "Expect: 200-ok")
        self.refused(413, POST, HOST, "Content-Length: 5000000", "Expect: 100-continue")

    def test_the_connection_ends_when_the_client_wants_it(self):
        for version, field, stays in (("1.1", "X: y", True), ("1.1", "Connection: close", False), ("1.0", "X: y", False),
                                      ("1.0", "Connection: keep-alive", True), ("1.1", "Connection: x, Close", False)):
            with self.subTest(version=version, field=field):
                raw = self.raw()
                raw.send(f"GET /text.txt HTTP/{version}", HOST, field)
                status, fields, body = raw.answer()
                self.assertEqual((status, len(body), fields["connection"]), (200, 100, "keep-alive" if stays else "close"))
                raw.socket.sendall(GET)
                if stays:
                    self.assertEqual(raw.answer()[0], 200)
                else:
                    self.assertEqual(raw.rest(), b"")

    def test_a_client_of_1_0_needs_no_host(self):
        raw = self.raw()
        raw.send("GET /text.txt HTTP/1.0")
        self.assertEqual(raw.answer()[0], 200)
        self.assertEqual(raw.rest(), b"")

    def test_a_body_that_nobody_wants_is_passed_over(self):
        raw = self.raw()
        raw.send("POST /text.txt HTTP/1.1", HOST, "Content-Length: 100000", body=(GET * 2400)[:100000])
        self.assertEqual(raw.answer()[0], 405)
        raw.socket.sendall(GET)
        self.assertEqual(raw.answer()[::2], (200, (root() / "text.txt").read_bytes()))

    def test_a_client_that_has_said_all_gets_all_its_answers(self):
        wire = Wire(self, self.server.port, client_context())
        wire.handshake()
        wire.tls.write(GET + b"GET /data.bin HTTP/1.1\r\nHost: localhost\r\n\r\n" + GET + b"GET / HT")
        wire.close_write()
        text, data = ((root() / name).read_bytes() for name in ("text.txt", "data.bin"))
        bodies = re.split(rb"HTTP/1.1 200 OK\r\n(?:[^\r]+\r\n)+\r\n", wire.read_to_close())
        self.assertTrue(bodies == [b"", text, data, text], [len(body) for body in bodies])


class Pace(unittest.TestCase):
    def test_clients_that_do_not_read_cost_little_memory_and_get_everything_later(self):
        server = Web(self, "https_server", "--timeout", "60")
        before, clients = server.memory(), []
        for _ in range(10):
            plain = plain_socket(self, server.port)
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            client = client_context().wrap_socket(plain, server_hostname="localhost")
            self.addCleanup(client.close)
            client.sendall(b"GET /huge HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-299999999\r\n\r\n")
            clients.append(client)
        for client in clients:
            self.assertTrue(client.recv(100).startswith(b"HTTP/1.1 206"))
        time.sleep(0.5)
        self.assertLess(server.memory() - before, 10 * 1_500_000)
        taken = 0
        while taken < 50_000_000:
            taken += len(receive(clients[3], 1 << 20))
        self.assertLess(server.memory() - before, 10 * 1_500_000)

    def test_an_echo_that_is_not_read_stops_its_client(self):
        server = Web(self, "https_server", "--body-max", "1000000000", "--timeout", "2")
        raw, sent = Raw(self, server.port), 0
        raw.send(POST, HOST, "Content-Length: 900000000")
        before = server.memory()
        raw.socket.settimeout(0.5)
        with self.assertRaises(TimeoutError):
            while sent < 900_000_000:
                sent += raw.socket.send(bytes(65536))
        self.assertLess(server.memory() - before, 5_000_000)

    def test_clients_that_leave_in_the_midst_of_an_answer_leave_nothing_behind(self):
        server = Web(self, "h2_server")
        idle = server.descriptors()
        for number in range(60):
            if number % 2:
                session = Session(self, server.port)
                session.request("/huge"), session.request("/echo", method="POST", end=False), session.wait_for(DATA)
                left = session.socket
            else:
                raw = Raw(self, server.port)
                raw.send("GET /huge HTTP/1.1", HOST, body=GET[:number])
                raw.stream.read(1)
                raw.stream.close()
                left = raw.socket
            if number % 3:
                left.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # by a reset
            left.close()
        end = time.monotonic() + LIMIT
        while server.descriptors() > idle and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(server.descriptors(), idle)
        self.assertEqual(len(server.logged(90)), 90)

    def test_slow_clients_are_let_go(self):
        server = Web(self, "https_server", "--timeout", "1")
        began = time.monotonic()
        idle, head, body, deaf = (Raw(self, server.port) for _ in range(4))
        head.socket.sendall(b"GET / HTTP/1.1\r\n")
        body.send(POST, HOST, "Content-Length: 1000000")
        deaf.send("GET /huge HTTP/1.1", HOST)

        def drip(until, *clients):  # a byte from time to time does not help
            while time.monotonic() < began + until:
                for raw in clients:
                    raw.socket.sendall(b"A: b\r\n" if raw is head else b"x")
                time.sleep(0.2)

        drip(1.8, head, body)
        self.assertEqual(idle.rest(), b"")
        self.assertEqual(head.answer()[0], 408)
        self.assertEqual(head.rest(), b"")
        self.assertLess(time.monotonic() - began, 3)
        drip(4.8, body)
        self.assertRegex(body.rest(), rb"\AHTTP/1.1 200 OK\r\n(.*\r\n)+\r\nx*\Z")
        self.assertLess(time.monotonic() - began, 8)
        with self.assertRaises(OSError):  # a truncated stream: the connection was given up
            while deaf.socket.recv(1 << 16):
                pass


class Ending(unittest.TestCase):
    def test_at_sigterm_what_is_under_way_is_answered_for_some_seconds(self):
        server = Web(self, "https_server", "--threads", "2")
        idle, half, part, busy, deaf = (Raw(self, server.port) for _ in range(5))
        half.send(POST, HOST, "Content-Length: 10", body=b"01234")
        part.socket.sendall(GET[:20])
        busy.send("GET /huge HTTP/1.1", HOST, "Range: bytes=0-99999999")
        busy.stream.read(1)
        deaf.send("GET /huge HTTP/1.1", HOST)
        deaf.stream.read(1)
        began = time.monotonic()
        os.kill(server.pid, signal.SIGTERM)
        self.assertEqual(idle.rest(), b"")
        with self.assertRaises(ConnectionError):  # at once, or as soon as the other thread has heard of it
            while True:
                plain_socket(self, server.port).close()
        half.socket.sendall(b"56789")
        part.socket.sendall(GET[20:])
        self.assertTrue(half.rest().endswith(b"0123456789"))
        self.assertTrue(part.rest().startswith(b"HTTP/1.1 200 OK\r\n"))
        self.assertEqual(len(re.split(rb"\r\n\r\n", busy.rest(), 1)[1]), 100_000_000)
        self.assertEqual(server.exit_code(), 0, server.stderr.text)
        self.assertLess(time.monotonic() - began, 8)  # who does not read does not keep it


if __name__ == "__main__":
    unittest.main()
