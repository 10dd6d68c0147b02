"""The programs in Lua against other people's: an HTTPS client, an echo server, and both directions at once."""

import contextlib
import hashlib
import os
import pathlib
import random
import select
import signal
import ssl
import tempfile
import unittest

import lua
from support import LIMIT, VERSIONS, Process, Server, certificate, free_port, identity, relay_client, tool
from tls import PythonServer, client_context, connect, exchange, plain_socket, receive, server_context
from web import WebTest

TEN_MB = random.Random(10).randbytes(10_000_000)
MIB = 1 << 20


def digest(data):
    return hashlib.sha256(data).hexdigest()


class HttpsGet(WebTest):
    """https_get.lua fetches what servers have, or says why not, with the exit code of the other examples."""

    def get(self, url, ca="ca.pem", code=0):
        program = lua.example(self, "https_get.lua", url, *(["--ca", certificate(ca)] if ca else []))
        program.ends(code)
        return program

    def fetches(self, port, version):
        for name, content in self.files.items():
            got = self.get(f"https://localhost:{port}/{name}")
            self.assertEqual((digest(got.stdout.bytes), got.stderr.text), (digest(content), ""), f"{name} by {version}")
        missing = self.get(f"https://localhost:{port}/nothing", code=2)
        self.assertRegex(missing.stderr.text, r"\Ahttps_get.lua: HTTP/1.1 404 Not Found\n\Z")

    def test_nginx_by_both_versions(self):
        for version in VERSIONS:
            port, = self.nginx(f"{self.identity()} ssl_protocols TLSv{version};")
            self.fetches(port, version)

    def test_the_example_by_both_versions(self):
        for version in VERSIONS:
            server = Server(self, "https_server", "--root", self.root, "--tls", version)
            self.fetches(server.port, version)

    def test_openssl_whose_answer_ends_with_the_connection(self):
        for version in VERSIONS:
            port = free_port()
            self.start(port, tool("openssl", "openssl"), "s_server", "-accept", f"127.0.0.1:{port}", "-www", "-cert",
                       certificate("server.pem"), "-key", certificate("server.key"), f"-tls{version.replace('.', '_')}")
            got = self.get(f"https://localhost:{port}/")
            self.assertIn(f"Protocol  : TLSv{version}", got.stdout.text)
            self.assertIn("</pre></BODY></HTML>", got.stdout.text)

    def test_a_server_that_is_not_the_one_is_refused(self):
        for name, ca, words in (("server", "other-ca.pem", "not trusted"), ("wronghost", "ca.pem", "another host"),
                                ("expired", "ca.pem", "expired"), ("selfsigned", "ca.pem", "not trusted"),
                                ("server", None, "not trusted")):
            server = Server(self, "https_server", "--root", self.root, certificate=name)
            got = self.get(f"https://localhost:{server.port}/small", ca, code=3)
            self.assertRegex(got.stderr.text, rf"\Ahttps_get.lua: .*{words}.*\n\Z")
            self.assertEqual(got.stdout.text, "")
        self.assertIn("Connection refused", self.get(f"https://localhost:{free_port()}/", code=3).stderr.text)

    def answered(self, *pieces, close=True, code=0):
        """Fetches from a server that answers with these bytes, and then closes, or only ends the transport."""
        server = PythonServer(self, server_context())
        program = lua.example(self, "https_get.lua", f"https://localhost:{server.port}/a?b#c", "--ca", certificate("ca.pem"))
        connection = server.establish()
        asked = bytearray()
        while not asked.endswith(b"\r\n\r\n"):
            asked += connection.recv(4096)
        self.assertTrue(asked.startswith(b"GET /a?b HTTP/1.1\r\nHost: localhost:"), asked)
        for piece in pieces:
            connection.sendall(piece)
        if close:
            with contextlib.suppress(ssl.SSLError): # it may be satisfied before, or never, and then closes as it likes
                connection.unwrap()
        connection.close()
        program.ends(code)
        return program.stdout.text, program.stderr.text

    def test_chunks_and_interim_answers(self):
        said = self.answered(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encod",
                             b"ing: chunked\r\n\r\n5;x=y\r\nhe", b"llo\r\n1\r\n \r\n5\r\nworld\r\n0\r\nTrailer: x\r\n\r\n")
        self.assertEqual(said, ("hello world", ""))

    def test_an_answer_that_is_cut_is_none(self):
        head = b"HTTP/1.1 200 OK\r\n"
        for pieces, close, code, words in (
                ((head, b"\r\nhalf"), False, 3, "cut"), ((head, b"Content-Length: 9\r\n\r\nhalf"), False, 3, "cut"),
                ((head, b"Content-Length: 9\r\n\r\nhalf"), True, 2, "in the middle of its answer"),
                ((head, b"Content-Le"), True, 2, "its headers"), ((b"SMTP?\r\n",), True, 2, "no HTTP"),
                ((), True, 2, "without an answer"),
                ((head, b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel"), True, 2, "in the middle")):
            with self.subTest(words=words, close=close):
                out, problem = self.answered(*pieces, close=close, code=code)
                self.assertRegex(problem, rf"\Ahttps_get.lua: .*{words}.*\n\Z")

    def test_what_is_no_url_is_a_mistake_of_usage(self):
        for url in ("http://localhost/", "https://", "https://localhost:0/", "https://a:b@localhost/", "https://localhost/a b"):
            self.assertIn("usage:", self.get(url, code=1).stderr.text)


class Readme(WebTest):
    def test_its_program_does_what_it_says(self):
        """As it stands, but for the peer, the authority, the identity and the port."""
        (self.root / "index.html").write_text("a page\n")
        web = Server(self, "https_server", "--root", self.root)
        port = free_port()
        text = (lua.EXAMPLES / "README.md").read_text().split("```lua\n")[1].split("```")[0]
        for old, new in (('"www.debian.org", 443', f'"localhost", {web.port}'), ("4433", str(port)),
                         ("tlsmem.client {", f"tlsmem.client {{ ca = '{certificate('ca.pem')}',"),
                         ('"server.pem"', f"'{certificate('server.pem')}'"),
                         ('"server.key"', f"'{certificate('server.key')}'")):
            self.assertEqual(text.count(old), 1, old)
            text = text.replace(old, new)
        program = lua.Script(self, self.configure("readme.lua", text), options=("-e", "io.stdout:setvbuf 'line'"))
        program.stdout.wait_for(r"^TLSv1.3\tCN=localhost\tHTTP/1.1 200 OK\n") # and it listens
        client = relay_client(self, port)
        client.feed(b"a line\r\nanother\n")
        self.assertEqual((client.exit_code(), client.stdout.text), (0, "a line\nanother\n"), client.stderr.text)


class EchoServer(unittest.TestCase):
    def server(self, *options):
        server = lua.example(self, "echo_server.lua", *identity(), *options)
        line = server.stdout.wait_for(r"^listening on 127\.0\.0\.1:(\d+)\n")
        server.port = int(line[1])
        return server

    def test_python_gets_ten_megabytes_back_by_both_versions(self):
        server = self.server()
        for version in VERSIONS:
            with connect(self, server.port, client_context(version)) as connection:
                self.assertEqual(digest(exchange(connection, TEN_MB)), digest(TEN_MB))
                connection.unwrap()
        self.assertEqual(server.stderr.text, "")

    def test_relay_client_gets_ten_megabytes_back(self):
        client = relay_client(self, self.server("--port", "0").port)
        client.feed(TEN_MB)
        self.assertEqual((client.exit_code(), digest(client.stdout.bytes)), (0, digest(TEN_MB)))

    def test_openssl_by_both_versions(self):
        server = self.server()
        for version in VERSIONS:
            client = Process(self, tool("openssl", "openssl"), "s_client", "-quiet", "-no_ign_eof", "-verify_return_error",
                             "-CAfile", certificate("ca.pem"), "-connect", f"127.0.0.1:{server.port}",
                             f"-tls{version.replace('.', '_')}")
            client.write(b"a word\n")
            client.stdout.wait_for("^a word\n")
            client.stdin.close()
            self.assertEqual(client.exit_code(), 0)

    def test_clients_that_do_wrong_end_themselves_only(self):
        server = self.server()
        self.assertEqual(relay_client(self, server.port, ca="other-ca.pem").exit_code(), 3)
        server.stderr.wait_for("^a client: .*alert 48.*\n")
        with plain_socket(self, server.port) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
            server.stderr.wait_for("^a client: .*not speak TLS.*\n")
        cutting = connect(self, server.port, client_context())
        cutting.sendall(b"cut")
        self.assertEqual(receive(cutting, 3), b"cut")
        cutting.close()
        server.stderr.wait_for("^a client: .*cut.*\n")
        with connect(self, server.port, client_context()) as connection:
            self.assertEqual(exchange(connection, b"still there"), b"still there")

    def test_an_interrupt_ends_it_while_it_waits(self):
        server = self.server()
        with connect(self, server.port, client_context()) as connection:
            self.assertEqual(exchange(connection, b"here"), b"here")
            os.kill(server.pid, signal.SIGINT)
            server.ends(1)
        self.assertIn("interrupted!", server.stderr.text)


class Pace(unittest.TestCase):
    """Neither side holds more than the limits say, however long the other does nothing."""

    SIZE = 48

    def setUp(self):
        self.server = lua.script(self, "pace.lua", self.SIZE)
        self.port = int(self.server.stdout.wait_for(r"^listening on 127\.0\.0\.1:(\d+)\n")[1])

    def held_up(self, what):
        """Asks for all and reads nothing until the writer waits; returns how much it has written, and its memory in KiB."""
        self.connection = connect(self, self.port, client_context())
        self.connection.sendall(what)
        held = self.server.stdout.wait_for(r"^held up\t(\d+)\tmemory\t(\d+)\n")
        return int(held[1]), int(held[2])

    def takes_the_rest(self):
        rest, expected = hashlib.sha256(), hashlib.sha256(b"0123456789abcdef" * (self.SIZE * MIB // 16))
        left = self.SIZE * MIB
        while left > 0:
            some = self.connection.recv(MIB)
            self.assertTrue(some)
            rest.update(some)
            left -= len(some)
        self.assertEqual(self.connection.recv(1), b"")
        self.assertEqual(rest.digest(), expected.digest())

    def test_a_writer_waits_for_who_does_not_read(self):
        written, memory = self.held_up(b"take\n")
        self.assertLess(written, self.SIZE * MIB)
        self.assertLess(memory, 24 << 10)
        self.takes_the_rest()

    def test_a_write_ends_when_all_of_it_was_taken(self):
        self.assertEqual(self.held_up(b"take whole\n")[0], 0)
        self.takes_the_rest()

    def test_who_writes_waits_for_a_reader(self):
        connection = connect(self, self.port, client_context())
        connection.sendall(b"give\n")
        connection.setblocking(False)
        sent, piece = 0, bytes(1 << 16)
        while select.select([], [connection], [], 1)[1]:
            sent += connection.send(piece)
            self.assertLess(sent, self.SIZE * MIB)
        with connect(self, self.port, client_context()) as other:
            other.sendall(b"go on\n")
            other.unwrap()
        held = self.server.stdout.wait_for(r"^memory\t(\d+)\n")
        self.assertLess(int(held[1]), 24 << 10)
        connection.settimeout(LIMIT)
        while sent < self.SIZE * MIB:
            connection.sendall(piece)
            sent += len(piece)
        self.assertEqual(receive(connection, 8), str(self.SIZE * MIB).encode())


class Pump(unittest.TestCase):
    def test_ten_megabytes_there_and_back(self):
        with tempfile.NamedTemporaryFile() as file:
            pathlib.Path(file.name).write_bytes(TEN_MB)
            for version in VERSIONS:
                server = Server(self, "echo_server", "--tls", version)
                client = lua.script(self, "pump.lua", server.port, file.name)
                client.ends()
                self.assertEqual(digest(client.stdout.bytes), digest(TEN_MB))
