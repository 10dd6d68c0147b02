"""What https_server says to GET /metrics: Prometheus's own parser reads it, and the numbers are what was done."""

import collections
import concurrent.futures
import os
import pathlib
import re
import signal
import ssl
import tempfile
import unittest

from metrics import Numbers, Scraper
from support import HERE, LIMIT, WEB_SERVERS, Process, Server, certificate, example, tool
from tls import Wire, client_context, connect, exchange, plain_socket, receive

MEBIBYTE = 1 << 20
BODY = 3 * MEBIBYTE
TYPES = {"tlsmem_connections": "gauge", "tlsmem_connections_made": "counter", "tlsmem_context_generation": "gauge",
         "tlsmem_handshakes": "counter", "tlsmem_handshake_duration_seconds": "histogram", "tlsmem_ends": "counter",
         "tlsmem_ciphertext_bytes": "counter"}


class CountedWire(Wire):
    """Counts what it sends and receives."""

    sent = received = 0

    def send(self):
        waiting = self.outgoing.read()
        self.sent += len(waiting)
        self.socket.sendall(waiting)

    def receive(self):
        chunk = self.socket.recv(1 << 16)
        self.received += len(chunk)
        self.incoming.write(chunk) if chunk else self.incoming.write_eof()
        return bool(chunk)


class MetricsTest(unittest.TestCase):
    def start(self, name="https_server", *options):
        server = Server(self, name, "--metrics", *options)
        return server, Scraper(self, server.port)

    def visit(self, port, context, session=None):
        """One client that asks for something, and closes as is right; returns its session."""
        client = connect(self, port, context, session=session)
        client.sendall(b"HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        while client.recv(4096):
            pass
        taken, resumed = client.session, client.session_reused
        client.unwrap().close()
        self.assertEqual(resumed, session is not None)
        return taken


class Answers(MetricsTest):
    def test_only_who_asks_for_them_has_them(self):
        for name in WEB_SERVERS:
            with self.subTest(name):
                scraper = Scraper(self, Server(self, name).port)
                self.assertEqual(scraper.request()[0].status, 404)

    def test_the_head(self):
        for name in WEB_SERVERS:
            with self.subTest(name):
                _, scraper = self.start(name)
                answer, body = scraper.request()
                self.assertEqual(answer.status, 200)
                self.assertEqual(answer.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
                self.assertEqual(answer.headers["Cache-Control"], "no-store")
                self.assertEqual(int(answer.headers["Content-Length"]), len(body))
                self.assertTrue(body.endswith(b"\n"))
                answer, body = scraper.request("HEAD")
                self.assertEqual((answer.status, body), (200, b""))
                self.assertEqual(scraper.request("POST")[0].status, 405)
                self.assertEqual(scraper.request(path="/metrics/")[0].status, 404)

    def test_sites_count_elsewhere_and_it_is_said(self):
        folder = os.path.dirname(certificate("server.pem"))
        ended = Process(self, example("https_server"), "--port", "0", "--metrics", "--sites", folder)
        self.assertEqual(ended.exit_code(), 1)
        self.assertIn("https_server: --metrics: not with --sites, ", ended.stderr.text)

    def test_over_http2_too(self):
        server, _ = self.start("h2_server")
        curl = Process(self, tool("curl", "curl"), "-sS", "--http2", "--cacert", certificate("ca.pem"), "--write-out",
                       "%{stderr}%{http_version}", f"https://127.0.0.1:{server.port}/metrics")
        self.assertEqual((curl.exit_code(), curl.stderr.text), (0, "2"))
        self.assertEqual(Numbers(curl.stdout.text).handshakes("1.3", False), 1)

    def test_each_metric_has_its_type_and_its_sentence(self):
        _, scraper = self.start()
        numbers = scraper()
        self.assertEqual({name: family.type for name, family in numbers.families.items()}, TYPES)
        for family in numbers.families.values():
            self.assertRegex(family.documentation, r"^.{10,}\.$")
        guide = (HERE.parent.parent / "docs/man/tlsmem-debugging.7").read_text(encoding="utf-8")
        shown = re.findall(r"^\.It Va (tlsmem_\w+)$", guide, re.MULTILINE)
        self.assertEqual({name.removesuffix("_total") for name in shown}, set(TYPES))


class Counted(MetricsTest):
    def check_durations(self, numbers, handshakes):
        buckets = numbers.buckets()
        bounds = [float(bound) for bound, _ in buckets]
        self.assertEqual(bounds, sorted(set(bounds)))
        self.assertEqual(bounds[-1], float("inf"))
        values = [value for _, value in buckets]
        self.assertEqual(values, sorted(values))
        self.assertEqual(values[-1], handshakes)
        self.assertEqual(numbers("handshake_duration_seconds_count"), handshakes)
        total = numbers("handshake_duration_seconds_sum")
        self.assertGreaterEqual(total, sum(bound * (value - before) for bound, value, before in
                                           zip(bounds[:-1], values[1:-1], values)))  # each took longer than the bound below
        self.assertLess(total, LIMIT * handshakes)

    def test_handshakes_whole_and_resumed_in_both_versions(self):
        server, scraper = self.start("https_server", "--threads", "4")
        wanted = collections.Counter({("1.3", False): 1})  # the scraper's
        for version, whole, resumed in (("1.2", 3, 2), ("1.3", 4, 5)):
            context = client_context(version)
            for _ in range(whole):
                session = self.visit(server.port, context)
            for _ in range(resumed):
                session = self.visit(server.port, context, session)
            wanted[version, False] += whole
            wanted[version, True] += resumed
        handshakes = sum(wanted.values())
        numbers = scraper.until(lambda seen: seen.ends().get("TLSMEM_OK") == handshakes - 1)
        for (version, resumed), count in wanted.items():
            self.assertEqual(numbers.handshakes(version, resumed), count, (version, resumed))
        self.assertEqual(numbers("connections_made_total"), handshakes)
        self.assertEqual(numbers.ends(), {"TLSMEM_OK": handshakes - 1})
        self.check_durations(numbers, handshakes)

    def test_the_gauge_counts_who_is_there(self):
        server, scraper = self.start("https_server", "--threads", "4")
        self.assertEqual(scraper()("connections"), 1)
        clients = [connect(self, server.port, client_context()) for _ in range(9)]
        silent = plain_socket(self, server.port)
        self.assertEqual(scraper.until(lambda seen: seen("connections") == 11)("connections_made_total"), 11)
        for client in (*clients, silent):
            client.close()
        numbers = scraper.until(lambda seen: seen("connections") == 1)
        self.assertEqual(numbers("connections_made_total"), 11)
        self.assertEqual(sum(numbers.ends().values()), 10)

    def test_each_end_by_its_status(self):
        server, scraper = self.start("https_server", "--threads", "4")
        wanted = collections.Counter()

        def ended(status):
            wanted[status] += 1
            scraper.until(lambda seen: seen.ends() == wanted)

        for _ in range(2):
            with plain_socket(self, server.port) as client:
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                while client.recv(4096):
                    pass
            ended("TLSMEM_ENOTTLS")
        for version in ("1.2", "1.3"):
            with self.assertRaises(ssl.SSLCertVerificationError):
                connect(self, server.port, client_context(version, ca="other-ca.pem"))
            ended("TLSMEM_EREJECTED")
        client = Wire(self, server.port, client_context("1.2"))
        client.socket.sendall(client.first_flight() + b"\x15\x03\x03\x00\x02\x02\x50")  # internal_error
        ended("TLSMEM_EALERT")
        plain_socket(self, server.port).close()
        ended("TLSMEM_EHANDSHAKEEOF")
        client = Wire(self, server.port, client_context())
        client.handshake()
        scraper.until(lambda seen: seen("handshakes_total", version="TLSv1.3", resumed="false") == 2)
        client.reset()
        ended("TLSMEM_ERESET")
        connect(self, server.port, client_context("1.2")).close()
        ended("TLSMEM_ETRUNCATED")
        self.visit(server.port, client_context())
        ended("TLSMEM_OK")
        numbers = scraper()
        self.assertEqual(numbers("connections_made_total"), sum(wanted.values()) + 1)
        self.assertEqual((numbers.handshakes("1.2", False), numbers.handshakes("1.3", False)), (1, 3))  # none of the refused
        self.check_durations(numbers, 4)

    def test_bytes_up_and_down(self):
        server, scraper = self.start("https_server", "--threads", "4", "--body-max", str(BODY))
        client = connect(self, server.port, client_context())
        client.sendall(f"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: {BODY}\r\n\r\n".encode())
        head = b""
        waiting = memoryview(os.urandom(BODY))
        client.sendall(waiting[:1])  # so that the head comes alone
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(1)
        self.assertIn(b" 200 ", head)
        receive(client, 1)
        self.assertEqual(exchange(client, waiting[1:]), waiting[1:])
        numbers = scraper()
        for direction in ("received", "sent"):  # by whole mebibytes, as long as it is there
            self.assertGreater(numbers("ciphertext_bytes_total", direction=direction), BODY - MEBIBYTE)
            self.assertLess(numbers("ciphertext_bytes_total", direction=direction), BODY + MEBIBYTE)
        client.unwrap().close()
        numbers = scraper.until(lambda seen: seen.ends() == {"TLSMEM_OK": 1})
        for direction in ("received", "sent"):  # and to the last byte
            self.assertGreater(numbers("ciphertext_bytes_total", direction=direction), BODY)
            self.assertLess(numbers("ciphertext_bytes_total", direction=direction), BODY + MEBIBYTE)

    def test_all_bytes_of_a_connection_that_has_ended(self):
        server, scraper = self.start()
        client = CountedWire(self, server.port, client_context())
        client.handshake()
        client.tls.write(b"HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        client.send()
        client.read_to_close()
        client.close_write()
        client.send()
        numbers = scraper.until(lambda seen: seen.ends() == {"TLSMEM_OK": 1})
        counts = {direction: numbers("ciphertext_bytes_total", direction=direction) for direction in ("received", "sent")}
        self.assertEqual(counts, {"received": client.sent, "sent": client.received})

    def test_they_go_on_when_all_is_read_anew(self):
        with tempfile.TemporaryDirectory(prefix="tlsmem-metrics-") as folder:
            pathlib.Path(folder, "index.html").write_text("hello")
            server, scraper = self.start("https_server", "--threads", "4", "--root", folder)
            for _ in range(3):
                self.visit(server.port, client_context())
            before = scraper.until(lambda seen: seen.ends() == {"TLSMEM_OK": 3})
            self.assertEqual(before("context_generation"), 1)
            os.kill(server.pid, signal.SIGHUP)
            server.stderr.wait_for("all is read anew")
            after = scraper()
            self.assertEqual(after("context_generation"), 2)
            self.assertEqual(after("connections"), 1)  # the scraper's, of the first generation
            for _ in range(2):
                self.visit(server.port, client_context())
            after = scraper.until(lambda seen: seen.ends() == {"TLSMEM_OK": 5})
            self.assertEqual(after.handshakes("1.3", False), 6)
            self.assertEqual(after("connections_made_total"), 6)
            self.check_durations(after, 6)

    def test_none_is_lost_when_many_come_at_once(self):
        server, scraper = self.start("https_server", "--threads", "4")
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for done in [pool.submit(self.visit, server.port, client_context()) for _ in range(80)]:
                done.result()
        numbers = scraper.until(lambda seen: seen.ends() == {"TLSMEM_OK": 80})
        self.assertEqual(numbers.handshakes("1.3", False), 81)
        self.assertEqual((numbers("connections"), numbers("connections_made_total")), (1, 81))
        self.check_durations(numbers, 81)


if __name__ == "__main__":
    unittest.main()
