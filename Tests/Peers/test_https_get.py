"""What https_get makes of its command line, and of answers that are odd, slow, long, or elsewhere."""

import os
import pty
import re
import socket
import ssl
import struct
import tempfile
import threading
import time
import unittest

from support import LIMIT, Process, certificate, example
from tls import PythonServer, server_context
from web import WebTest

BODY = b"0123456789" * 100


class CommandLine(WebTest):
    def test_a_url_that_cannot_be_fetched_is_a_mistake(self):
        for url, sentence in (("http://localhost/", "in plain"), ("ftp://localhost/", "only https:// is spoken here"),
                              ("https://", "is no URL"), ("https:///x", "is no URL"), ("https://h:x/", "is no URL"),
                              ("https://h:65536/", "is no URL"), ("https://h:0/", "0 is no port"),
                              ("https://[::1/", "is no URL"), ("https://h/a b", "is no URL"),
                              ("https://h/\r\nX: y", "is no URL"), ("https://h/" + "x" * 9000, "too long"),
                              ("https://user:secret@h/", "a user's name or password")):
            with self.subTest(url=url[:40]):
                got = self.https_get(url, ca=None)
                self.assertEqual(got.code, 1)
                self.assertRegex(got.stderr.text, rf"(?s)\Ahttps_get: .*{sentence}.*\n\Z")
                self.assertNotIn("secret", got.stderr.text)

    def test_without_a_url_there_is_nothing_to_do(self):
        got = self.https_get(ca=None)
        self.assertEqual(got.code, 1)
        self.assertRegex(got.stderr.text, r"\Ahttps_get: a URL is needed: .*\n\Z")

    def test_the_request_has_the_host_and_what_is_asked_for_and_not_the_fragment(self):
        server = PythonServer(self, server_context(alpn=["http/1.1"]))
        for url, target, host in (("https://localhost:{}", "/", "localhost:{}"),
                                  ("https://localhost:{}?q", "/?q", "localhost:{}"),
                                  ("HTTPS://127.0.0.1:{}/a/b;c?d=%20&e#f?g", "/a/b;c?d=%20&e", "127.0.0.1:{}")):
            with self.subTest(url=url):
                request, got = self.serve(server, url.format(server.port), b"HTTP/1.1 204 No Content\r\n\r\n")
                self.assertEqual((got.code, got.stderr.text, got.stdout.bytes), (0, "", b""))
                head = f"GET {target} HTTP/1.1\r\nHost: {host.format(server.port)}\r\n"
                self.assertEqual(request[:len(head)].decode(), head)
        request, _ = self.serve(server, "https://[::1]/x", b"HTTP/1.1 204 No Content\r\n\r\n", "--host", "127.0.0.1",
                                "--port", server.port)
        self.assertTrue(request.startswith(b"GET /x HTTP/1.1\r\nHost: [::1]\r\n"), request)

    def serve(self, server, url, answer, *options):
        """Answers one request, closes in order, and returns the request and the process."""
        received = []

        def work():
            with server.establish() as connection:
                received.append(connection.recv(1 << 16))
                connection.sendall(answer)
                connection.unwrap()
        thread = threading.Thread(target=work)
        thread.start()
        got = self.https_get(*options, url)
        thread.join()
        return received[0], got

    def test_an_ipv6_address_is_connected_to_and_verified(self):
        try:
            with socket.create_server(("::1", 0), family=socket.AF_INET6) as probe:
                port = probe.getsockname()[1]
        except OSError:  # this machine has none
            return self.assertEqual(self.https_get("https://[::1]:1/").code, 2)
        self.nginx(f"{self.identity()} listen [::1]:{port} ssl;")
        self.assertTrue(self.both(f"https://[::1]:{port}/small").stdout.bytes == self.files["small"])

    def test_the_systems_authorities_are_trusted_unless_others_are_named(self):
        server = PythonServer(self, server_context())
        url = f"https://localhost:{server.port}/"

        def work():
            for _ in range(2):
                try:
                    with server.establish() as connection:
                        connection.recv(1 << 16)
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
                        connection.unwrap()
                except ssl.SSLError:
                    pass
        thread = threading.Thread(target=work)
        thread.start()
        got = self.https_get(url, ca=None)
        self.assertEqual(got.code, 3)
        self.assertIn("is not trusted", got.stderr.text)
        got = self.https_get(url, ca=None, environment=[f"SSL_CERT_FILE={certificate('ca.pem')}"])
        thread.join()
        self.assertEqual((got.code, got.stdout.text), (0, "hi"))

    def test_head_and_include_print_the_head_as_curl_does_and_output_takes_the_file(self):
        port, = self.nginx(self.identity() + "location /moved { return 301 https://elsewhere.example/; }")
        url = f"https://localhost:{port}"
        undated = [re.sub(rb"(?m)^Date: .*", b"", program.stdout.bytes) for program in (
            self.https_get("--include", f"{url}/small"), self.curl(f"{url}/small", "--include"),
            self.https_get("--head", f"{url}/small"), self.curl(f"{url}/small", "--head"))]
        self.assertTrue(undated[0].endswith(b"\r\n\r\n" + self.files["small"]))
        self.assertTrue(undated[0] == undated[1].replace(b"keep-alive", b"close"))
        self.assertEqual(undated[2], undated[3].replace(b"keep-alive", b"close"))

        path = self.folder / "output"
        got = self.https_get(f"{url}/large", "--output", path)
        self.assertEqual((got.code, got.stdout.bytes), (0, b""))
        self.assertTrue(path.read_bytes() == self.files["large"])
        got = self.https_get(f"{url}/large", "--output", "/no/such/folder/file")
        self.assertEqual((got.code, got.stderr.text), (2, "https_get: /no/such/folder/file: No such file or directory\n"))

        got = self.https_get(f"{url}/moved")
        self.assertEqual((got.code, got.stderr.text),
                         (0, "https_get: 301: it is at https://elsewhere.example/, where this program does not follow\n"))
        self.assertIn("301 Moved Permanently", got.stdout.text)

    def test_a_server_that_agrees_upon_something_else_than_http_1_1_is_left(self):
        server = PythonServer(self, server_context(alpn=["h2"]))
        for alpn, sentence in (("h2,http/1.1", "the server wants to speak something else than http/1.1"), ("http/1.1", None)):
            got = Process(self, example("https_get"), "--ca", certificate("ca.pem"), "--alpn", alpn,
                          f"https://localhost:{server.port}/")
            with server.establish() as connection:  # without a protocol in common, Python's goes on without one
                if sentence is None:
                    connection.recv(1 << 16)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                self.assertEqual(got.exit_code(), 3 if sentence else 0)
            self.assertEqual(got.stderr.text, f"https_get: {sentence}\n" if sentence else "")

    def test_the_certificate_that_is_shown_is_the_servers(self):
        port, = self.nginx(self.identity("rsa"))
        got = self.https_get("--show-cert", f"https://localhost:{port}/small")
        self.assertEqual(got.code, 0)
        self.assertIn("\nsubject: CN=localhost\n", got.stderr.text)
        with open(certificate("rsa.pem")) as file:
            shown, whole = got.stderr.text[got.stderr.text.index("-----BEGIN"):], file.read()
        self.assertEqual(ssl.PEM_cert_to_DER_cert(shown), ssl.PEM_cert_to_DER_cert(whole))


HEAD, LENGTH = b"HTTP/1.1 200 OK\r\n", b"Content-Length: 1000\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n3e8\r\n" + BODY + b"\r\n"
# What the server sends, how it ends, the exit code, and the sentence.
ANSWERS = {
    "whole by its length": (HEAD + LENGTH + b"\r\n" + BODY, "close_notify", 0, None),
    "whole by its length, then nothing": (HEAD + LENGTH + b"\r\n" + BODY, "FIN", 0, None),
    "whole by its chunks": (CHUNKED + b"0\r\nX: y\r\n\r\n", "close_notify", 0, None),
    "whole by its end": (HEAD + b"\r\n" + BODY, "close_notify", 0, None),
    "whole, after interim answers": (b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + HEAD + LENGTH + b"\r\n" + BODY, "FIN", 0, None),
    "cut before its length": (HEAD + LENGTH + b"\r\n" + BODY[1:], "close_notify", 3, "is cut: .* after 999 of 1000 bytes"),
    "cut before its length without close_notify": (HEAD + LENGTH + b"\r\n" + BODY[:1], "FIN", 3, "after 1 of 1000 bytes"),
    "cut between chunks": (CHUNKED, "close_notify", 3, "is cut: .* after 1000 bytes"),
    "cut in a chunk": (CHUNKED[:-50], "FIN", 3, "is cut: .* after 952 bytes"),
    "perhaps cut, for it ends without close_notify": (HEAD + b"\r\n" + BODY, "FIN", 3, "is cut: .* after 1000 bytes"),
    "cut in its head": (HEAD + LENGTH, "close_notify", 3, "is cut: .* after 0 bytes"),
    "none": (b"", "close_notify", 3, "is cut: .* after 0 bytes"),
    "reset": (HEAD + LENGTH + b"\r\n" + BODY[1:], "RST", 2, "reset"),
    "no HTTP": (b"220 mail.example ESMTP\r\n", "close_notify", 2, "the answer is no HTTP: "),
    "of two lengths": (HEAD + LENGTH + b"Content-Length: 7\r\n\r\n" + BODY, "close_notify", 2, "the answer is no HTTP: "),
}
# What curl takes for whole: an end that anybody can have made; and what servers and proxies disagree upon.
CURL_TAKES = ("perhaps cut, for it ends without close_notify", "of two lengths")


class OddAnswers(WebTest):
    def answer(self, server, answer, end):
        connection = server.establish()
        connection.recv(1 << 16)
        connection.sendall(answer)
        if end == "RST":
            time.sleep(0.05)  # what was sent comes first
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif end == "close_notify":
            try:
                connection.unwrap()
            except OSError:
                pass  # curl does not answer it
        connection.close()

    def test_a_whole_answer_is_told_from_one_that_is_cut(self):
        server = PythonServer(self, server_context())
        url = f"https://localhost:{server.port}/"
        for case, (answer, end, code, sentence) in ANSWERS.items():
            with self.subTest(case):
                thread = threading.Thread(target=lambda: [self.answer(server, answer, end) for _ in range(2)], daemon=True)
                thread.start()
                if case in CURL_TAKES:
                    got = self.https_get(url)
                    self.assertEqual(self.curl(url).code, 0)
                else:
                    got = self.both(url)
                thread.join(LIMIT)
                self.assertEqual(got.code, code, got.stderr.text)
                if sentence:
                    self.assertRegex(got.stderr.text, rf"\Ahttps_get: .*{sentence}.*\n\Z")
                else:
                    self.assertEqual((got.stderr.text, got.stdout.bytes), ("", BODY))


class Time(WebTest):
    def test_a_server_that_says_nothing_is_given_up(self):
        server = PythonServer(self, server_context())
        got = Process(self, example("https_get"), "--ca", certificate("ca.pem"), "--timeout", "1",
                      f"https://localhost:{server.port}/")
        with server.establish():
            self.assertEqual(got.exit_code(), 2)
        self.assertRegex(got.stderr.text, r"\Ahttps_get: nothing came from the peer .*\n\Z")

    def test_a_server_that_says_little_is_given_up_when_the_whole_time_is_over(self):
        server = PythonServer(self, server_context())
        got = Process(self, example("https_get"), "--ca", certificate("ca.pem"), "--max-time", "1",
                      f"https://localhost:{server.port}/")
        with server.establish() as connection:
            connection.sendall(HEAD + LENGTH + b"\r\n" + BODY[:10])
            self.assertEqual(got.exit_code(), 2)
        self.assertEqual((got.stderr.text, got.stdout.bytes), ("https_get: not done within --max-time 1\n", BODY[:10]))

    def test_a_reader_that_is_slow_is_waited_for_and_so_is_the_server_meanwhile(self):
        size = 40_000_000
        with open(self.root / "huge", "wb") as file:
            file.truncate(size)
        port, = self.nginx(self.identity())
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        program = Process(self, "sh", "-c", f'exec "$@" >&{writer}', "sh", example("https_get"), "--ca",
                          certificate("ca.pem"), "--timeout", "1", f"https://localhost:{port}/huge", keep=(writer,))
        os.close(writer)
        self.assertTrue(program.stays_for(1.5))
        with open(f"/proc/{program.pid}/status") as status:
            self.assertLess(1024 * int(re.search(r"VmData:\s+(\d+)", status.read())[1]), size)
        received = bytearray()
        while chunk := os.read(reader, 1 << 20):
            received += chunk
        self.assertEqual((program.exit_code(), program.stderr.text), (0, ""))
        self.assertTrue(received == bytes(size))

    def test_progress_is_told_on_a_terminal_and_nowhere_else(self):
        server = PythonServer(self, server_context())
        terminal, end = pty.openpty()
        self.addCleanup(os.close, terminal)
        path = tempfile.mkstemp(dir=self.folder)[1]
        command = (example("https_get"), "--ca", certificate("ca.pem"), "--output", path, f"https://localhost:{server.port}/")
        for where in (f"2>&{end}", ""):
            program = Process(self, "sh", "-c", f'exec "$@" {where}', "sh", *command, keep=(end,))
            with server.establish() as connection:
                connection.sendall(HEAD + LENGTH + b"\r\n" + BODY[:500])
                if where:
                    said = b""
                    while b"%" not in said:
                        said += os.read(terminal, 1000)
                    self.assertEqual(said, b"\r500 of 1000 bytes, 50 % ")
                else:
                    self.assertTrue(program.stays_for(1.3))
                connection.sendall(BODY[500:])
                self.assertEqual((program.exit_code(), program.stderr.text), (0, ""))
        os.close(end)


if __name__ == "__main__":
    unittest.main()
