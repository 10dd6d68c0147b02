"""h2_server: the protocol chosen by ALPN, many streams at once, flow control, clients that mean no good, and its end."""

import contextlib
import os
import signal
import struct
import subprocess
import time
import unittest

from http2_frames import (
    ACK, CANCEL, CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, GOAWAY, HEADERS, NO_ERROR, PING, RST_STREAM,
    SETTINGS, WINDOW_UPDATE, Session, block)
from support import LIMIT, certificate, tool
from tls import client_context, connect
from web_servers import Raw, Web, curl, root

INITIAL_WINDOW, MAX_STREAMS, MAX_HEADER_LIST = 4, 3, 6
FIRST_WINDOW = 65535


class H2(unittest.TestCase):
    def serve(self, *options):
        self.server = Web(self, "h2_server", *options)
        return self.server

    def session(self, settings=()):
        return Session(self, self.server.port, settings)

    def answers_ping(self, session):
        session.send(PING, 0, 0, b"12345678")
        frame = session.wait_for(PING)
        self.assertEqual((frame[1], frame[3]), (ACK, b"12345678"))


class Protocol(H2):
    def test_the_client_chooses_by_alpn(self):
        self.serve()
        for offered, chosen in ((["h2"], "h2"), (["http/1.1", "h2"], "h2"), (["http/1.1"], "http/1.1"), (None, None)):
            with self.subTest(offered=offered):
                connection = connect(self, self.server.port, client_context(alpn=offered))
                self.assertEqual(connection.selected_alpn_protocol(), chosen)
        self.assertEqual(curl(self.server.port, "/text.txt", http="2")[0], 200)
        self.assertEqual(curl(self.server.port, "/text.txt")[0], 200)
        raw = Raw(self, self.server.port)  # no ALPN
        raw.send("GET /text.txt HTTP/1.1", "Host: localhost")
        self.assertEqual(raw.answer()[0], 200)

    def test_its_limits_are_in_its_settings(self):
        self.serve("--head-max", "5000")
        settings = self.session().settings
        self.assertEqual(settings[MAX_STREAMS], 100)
        self.assertEqual(settings[MAX_HEADER_LIST], 5000)

    def test_many_streams_of_one_connection_are_served_at_once(self):
        self.serve("--stats")
        names = range(60)
        urls = [f"https://localhost:{self.server.port}/data.bin?{name}" for name in names]
        outputs = [word for name in names for word in ("-o", certificate(f"part{name}"))]
        done = subprocess.run(
            [tool("curl", "curl"), "--silent", "--show-error", "--http2", "--parallel", "--parallel-max", "60", "--noproxy", "*",
             "--cacert", certificate("ca.pem"), "--resolve", f"localhost:{self.server.port}:127.0.0.1", *outputs, *urls],
            capture_output=True, timeout=LIMIT)
        self.assertEqual(done.returncode, 0, done.stderr)
        data = (root() / "data.bin").read_bytes()
        for name in names:
            with open(certificate(f"part{name}"), "rb") as part:
                self.assertTrue(part.read() == data, name)
            os.unlink(certificate(f"part{name}"))
        self.server.stdout.wait_for(r"^protocol=.* alpn=h2 .*\n")
        self.assertEqual(self.server.stdout.text.count("protocol="), 1)

    def test_nothing_is_sent_before_the_window_is_open(self):
        self.serve()
        session = self.session([(INITIAL_WINDOW, 1000)])
        streams = [session.request("/data.bin") for _ in range(3)]
        got = dict.fromkeys(streams, b"")
        while sum(map(len, got.values())) < 3000:
            kind, _, stream, payload = session.wait_for(DATA)
            got[stream] += payload
        self.answers_ping(session)
        self.assertEqual({len(part) for part in got.values()}, {1000})
        session.send(WINDOW_UPDATE, 0, streams[1], struct.pack(">I", 500))
        self.assertEqual(session.wait_for(DATA)[2:], (streams[1], (root() / "data.bin").read_bytes()[1000:1500]))

    def test_an_echo_gives_the_window_back_as_it_leaves(self):
        self.serve("--body-max", "100000000")
        session = self.session([(INITIAL_WINDOW, 0)])
        stream = session.request("/echo", method="POST", end=False)
        window = session.settings[INITIAL_WINDOW]
        for _ in range(window // 16384):
            session.send(DATA, 0, stream, bytes(16384))
        self.answers_ping(session)  # all is taken, and kept: the echo may not leave
        before = self.server.memory()
        session.send(WINDOW_UPDATE, 0, stream, struct.pack(">I", 1000))
        self.assertEqual(session.wait_for(DATA)[3], bytes(1000))
        session.send(WINDOW_UPDATE, 0, stream, struct.pack(">I", 200000))
        session.send(WINDOW_UPDATE, 0, 0, struct.pack(">I", 200000))
        given = session.wait_for(WINDOW_UPDATE)
        self.assertIn(given[2], (0, stream))
        self.assertLess(self.server.memory() - before, 2_000_000)

    def test_an_echo_that_is_broken_off_costs_other_streams_no_window(self):
        self.serve()
        session = self.session([(INITIAL_WINDOW, 0)])
        for _ in range(12):  # three megabytes, of which the connection's window is one
            stream = session.request("/echo", method="POST", end=False)
            for _ in range(15):
                session.send(DATA, 0, stream, bytes(16384))
            session.send(RST_STREAM, 0, stream, struct.pack(">I", CANCEL))
        stream = session.request("/echo", method="POST", end=False)
        session.send(DATA, END_STREAM, stream, b"small")
        session.send(WINDOW_UPDATE, 0, stream, struct.pack(">I", 5))
        self.assertEqual(session.wait_for(DATA)[3], b"small")

    def test_a_body_that_is_refused_costs_other_streams_no_window(self):
        self.serve("--body-max", "1000")
        session = self.session()
        for _ in range(12):  # three megabytes, of which the connection's window is one
            stream = session.request("/echo", method="POST", end=False)
            for _ in range(15):
                session.send(DATA, 0, stream, bytes(16384))
            while (frame := session.wait_for(DATA))[2] != stream:
                pass
            self.assertEqual(frame[3], b"413 Payload Too Large\n")
            session.send(RST_STREAM, 0, stream, struct.pack(">I", CANCEL))
        stream = session.request("/echo", method="POST", end=False)
        session.send(DATA, END_STREAM, stream, b"small")
        self.assertEqual(session.wait_for(DATA)[3], b"small")


class Hostile(H2):
    def test_a_head_over_the_limit_is_431(self):
        self.serve()
        session = self.session()
        stream = session.request("/", *((f"x-{number}", "y" * 1000) for number in range(14)))  # below one frame, in all
        self.assertEqual(session.wait_for(HEADERS)[3][:1], b"\x88")  # :status 200
        status, _, body = curl(self.server.port, "/", *(word for number in range(40)
                                                        for word in ("--header", f"X-{number}: {'y' * 1000}")), http="2")
        self.assertEqual((status, body), (431, b"431 Request Header Fields Too Large\n"))

    def test_a_head_without_end_is_not_kept(self):
        self.serve()
        session, before = self.session(), self.server.memory()
        more = session.wire(CONTINUATION, 0, 1, b"\x00\x01a" + b"\x7f\x81\x7e" + b"b" * 16256)
        self.sends(session, session.wire(HEADERS, 0, 1, block("GET", "/")) + more * 500)
        while session.socket.recv(1 << 16):
            pass
        self.assertLess(self.server.memory() - before, 3_000_000)

    def rapidly_resets(self, count):
        session = self.session()
        wire = b"".join(
            session.wire(HEADERS, END_HEADERS | END_STREAM, stream, block("GET", "/data.bin"))
            + session.wire(RST_STREAM, 0, stream, struct.pack(">I", CANCEL)) for stream in range(1, 2 * count, 2))
        self.sends(session, wire)
        return session

    @staticmethod
    def sends(session, wire):
        """Sends it, or as much as the server takes."""
        with contextlib.suppress(OSError):
            session.socket.sendall(wire)

    def test_requests_that_are_broken_off_at_once_end_the_connection(self):
        self.serve()
        session = self.rapidly_resets(20_000)
        *_, payload = session.wait_for(GOAWAY)
        self.assertEqual(struct.unpack(">I", payload[4:8])[0], ENHANCE_YOUR_CALM)
        self.assertLess(len(self.server.logged(1)), 1000)
        self.assertEqual(curl(self.server.port, "/text.txt", http="2")[0], 200)

    def test_a_browser_that_changes_its_mind_is_borne(self):
        self.serve()
        session = self.rapidly_resets(100)
        self.answers_ping(session)
        session.next = 1001
        session.request("/text.txt")
        while session.wait_for(DATA)[2] != 1001:
            pass

    def test_pings_and_settings_that_nobody_reads_the_answers_to_are_not_kept(self):
        self.serve()
        for frame in ((PING, 0, 0, b"12345678"), (SETTINGS, 0, 0, b"")):
            session, before = self.session(), self.server.memory()
            session.socket.settimeout(0.5)
            with self.assertRaises(OSError):  # it is not read any more, or thrown out
                for _ in range(4000):
                    session.socket.sendall(session.wire(*frame) * 1000)
            self.assertLess(self.server.memory() - before, 5_000_000)

    def test_a_client_that_takes_nothing_costs_little_memory(self):
        self.serve()
        largest, before = (1 << 31) - 1, self.server.memory()
        session = self.session([(INITIAL_WINDOW, largest)])
        session.send(WINDOW_UPDATE, 0, 0, struct.pack(">I", largest - FIRST_WINDOW))
        for _ in range(90):
            session.request("/huge")
        time.sleep(0.5)
        self.assertLess(self.server.memory() - before, 5_000_000)
        for _ in range(1000):
            session.wait_for(DATA)
        self.assertLess(self.server.memory() - before, 5_000_000)

    def test_what_is_not_http2_is_refused(self):
        self.serve()
        connection = connect(self, self.server.port, client_context(alpn=["h2"]))
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while connection.recv(1 << 16):
            pass
        session = self.session()
        session.send(HEADERS, END_HEADERS | END_STREAM, 2, block("GET", "/"))  # a client's streams are odd
        self.assertEqual(struct.unpack(">I", session.wait_for(GOAWAY)[3][4:8])[0], 1)

    def test_streams_that_do_not_move_are_given_up_and_idle_clients_let_go(self):
        self.serve("--timeout", "1")
        idle, stuck = self.session(), self.session([(INITIAL_WINDOW, 0)])
        began = time.monotonic()
        slow = stuck.request("/echo", method="POST", end=False)
        deaf = stuck.request("/data.bin")
        self.assertEqual({stuck.wait_for(RST_STREAM)[2] for _ in range(2)}, {slow, deaf})
        self.assertEqual(struct.unpack(">I", idle.wait_for(GOAWAY)[3][4:8])[0], NO_ERROR)
        self.assertEqual(struct.unpack(">I", stuck.wait_for(GOAWAY)[3][4:8])[0], NO_ERROR)
        self.assertLess(time.monotonic() - began, 8)


class Ending(H2):
    def test_at_sigterm_what_is_under_way_is_answered_and_told_to_be_the_last(self):
        self.serve("--threads", "2")
        idle = self.session()
        busy = self.session([(INITIAL_WINDOW, 0)])
        stream = busy.request("/data.bin")
        busy.wait_for(HEADERS)
        os.kill(self.server.pid, signal.SIGTERM)
        notice = struct.unpack(">II", busy.wait_for(GOAWAY)[3])
        self.assertEqual(notice, ((1 << 31) - 1, NO_ERROR))
        late = busy.request("/text.txt", method="HEAD")  # it was on its way when the notice came
        self.assertEqual(busy.wait_for(HEADERS)[2], late)
        self.assertEqual(struct.unpack(">II", busy.wait_for(GOAWAY)[3]), (late, NO_ERROR))
        for where in (0, stream):
            busy.send(WINDOW_UPDATE, 0, where, struct.pack(">I", 3_000_000))
        data = b""
        while len(data) < 3_000_000:
            data += busy.wait_for(DATA)[3]
        self.assertTrue(data == (root() / "data.bin").read_bytes())
        self.assertEqual(busy.socket.recv(1), b"")
        self.assertEqual(struct.unpack(">II", idle.wait_for(GOAWAY)[3])[1], NO_ERROR)
        idle.socket.close(), busy.socket.close()
        self.assertEqual(self.server.exit_code(), 0, self.server.stderr.text)


if __name__ == "__main__":
    unittest.main()
