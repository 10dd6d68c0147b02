"""What the example programs have in common (--help, exit codes, IPv6, SIGTERM), and the two that need no server."""

import errno
import os
import re
import signal
import socket
import unittest

from programs import with_options
from support import (
    SERVERS, VERSIONS, WEB_SERVERS, Process, Server, certificate, example, identity, relay_client, tool, variants)
from tls import PythonServer, client_context, connect, receive, server_context

class Programs:
    """`name` is set by the variants."""

    def ends(self, code, *options):
        program = Process(self, example(self.name), *options)
        self.assertEqual(program.exit_code(), code, program.stderr.text)
        return program

    def test_help_is_an_answer_and_no_mistake(self):
        program = self.ends(0, "--help")
        for option in ("--host", "--port", "--cert", "--key", "--ca", "--insecure", "--alpn", "--tls", "--keylog",
                       "--preset", "--ciphers", "--groups", "--pkcs12", "--crl", "--verify-depth", "--pin"):
            self.assertIn(option, program.stdout.text)
        self.assertEqual(program.stderr.text, "")

    def test_a_mistake_in_the_options_ends_it_with_code_1_and_a_sentence(self):
        for mistake in (["--no-such-option"], ["--port", "seventy"], ["--port", "65536"], ["--tls", "1.1"], ["stray"]):
            with self.subTest(mistake=mistake):
                program = self.ends(1, *mistake)
                self.assertRegex(program.stderr.text, rf"(?m)\A\S*{self.name}: .+\n")
                self.assertEqual(program.stdout.text, "")


class Listening:
    """`name` is set by the variants."""

    def test_a_server_listens_on_ipv6_or_says_that_it_cannot(self):
        program = Process(self, example(self.name), "--host", "::1", "--port", "0", *identity())
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError:
            self.assertEqual(program.exit_code(), 2)
            self.assertRegex(program.stderr.text, r"\A\S+: .+\n\Z")
        else:
            program.stdout.wait_for(r"\Alistening on \[::1\]:\d+\n\Z")

    def test_a_port_that_is_taken_ends_it_with_code_2_and_a_sentence(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            program = Process(
                self, example(self.name), "--host", "127.0.0.1", "--port", taken.getsockname()[1], *identity())
            self.assertEqual(program.exit_code(), 2)
            self.assertIn(os.strerror(errno.EADDRINUSE), program.stderr.text)

    def test_sigterm_ends_it_with_code_0_in_the_midst_of_a_connection(self):
        server = Server(self, self.name)
        with connect(self, server.port, client_context()) as connection:
            connection.sendall(b"x")
            os.kill(server.pid, signal.SIGTERM)
            self.assertEqual(server.exit_code(), 0, server.stderr.text)


class OtherPrograms(unittest.TestCase):
    def test_memory_pair_moves_its_bytes_in_both_versions(self):
        for version in VERSIONS:
            with self.subTest(version=version):
                program = Process(
                    self, example("memory_pair"), *identity(), "--ca", certificate("ca.pem"), "--tls", version,
                    "--alpn", "echo/1", "--bytes", "100000")
                self.assertEqual(program.exit_code(), 0, program.stderr.text)
                self.assertRegex(program.stdout.text, rf"(?m)^TLSv{version} \S+, ALPN echo/1$")
                self.assertRegex(program.stdout.text, r"(?m)^client: 100000 bytes .* 100000 received$")
                self.assertRegex(program.stdout.text, r"(?m)^server: 100000 bytes .* 100000 received$")

    def test_memory_pair_does_not_trust_another_authority(self):
        program = Process(self, example("memory_pair"), *identity(), "--ca", certificate("other-ca.pem"))
        self.assertEqual(program.exit_code(), 3)
        self.assertRegex(program.stderr.text, r"\Amemory_pair: .*not trusted.*\n")

    def test_protocol_test_finds_what_a_calm_test_does_not(self):
        trust = (*identity(), "--ca", certificate("ca.pem"))
        program = Process(self, example("protocol_test"), *trust, "--seeds", "300")
        self.assertEqual(program.exit_code(), 0, program.stderr.text)
        self.assertEqual(program.stdout.text, "300 seeds passed\n")
        calm = Process(self, example("protocol_test"), *trust, "--wrong", "--calm", "--seeds", "100")
        self.assertEqual(calm.exit_code(), 0, calm.stderr.text)
        wrong = Process(self, example("protocol_test"), *trust, "--wrong")
        self.assertEqual(wrong.exit_code(), 3)
        said = re.fullmatch(r"(protocol_test: seed (\d+): .*\n)protocol_test: again: --first (\d+) --seeds 1 --wrong\n", wrong.stderr.text)
        self.assertTrue(said and said[2] == said[3], wrong.stderr.text)
        again = Process(self, example("protocol_test"), *trust, "--first", said[3], "--seeds", "1", "--wrong")
        self.assertEqual(again.exit_code(), 3)
        self.assertEqual(again.stderr.text, wrong.stderr.text)

    def test_hello_prints_the_answer(self):
        server = Server(self, "echo_server")
        program = Process(self, example("hello"), "127.0.0.1", server.port, certificate("ca.pem"))
        self.assertEqual(program.exit_code(), 0, program.stderr.text)
        self.assertEqual(program.stdout.text, "hello\n")

    def test_own_loop_io_uring_says_that_there_is_no_io_uring(self):
        program = Process(
            self, tool("strace", "strace"), "-f", "-o", os.devnull, "-e", "inject=io_uring_setup:error=EPERM",
            example("own_loop_io_uring"), "--port", "0", *identity())
        self.assertEqual(program.exit_code(), 2)
        self.assertRegex(program.stderr.text, r"\Aown_loop_io_uring: io_uring is not to be had: Operation not permitted.*\n\Z")

    def test_hello_wants_three_arguments_and_an_authority(self):
        for arguments in ([], ["localhost", "1"], ["localhost", "1", "/no/such/file"], ["localhost", "1", certificate("ca.pem"), "stray"]):
            with self.subTest(arguments=arguments):
                program = Process(self, example("hello"), *arguments)
                self.assertEqual(program.exit_code(), 1)
                self.assertEqual(program.stderr.text, "usage: hello HOST PORT CA-FILE\n")

    def test_hello_says_why_it_does_not_talk_to_a_stranger(self):
        server = Server(self, "echo_server", "--verbose")
        program = Process(self, example("hello"), "127.0.0.1", server.port, certificate("other-ca.pem"))
        self.assertEqual(program.exit_code(), 3)
        self.assertRegex(program.stderr.text, r"\A.+\n\Z")
        server.stderr.wait_for(r"(?i)^echo_server: .*alert.*\n")

    def test_an_answer_that_relay_client_cannot_write_ends_it_with_code_2(self):
        server = Server(self, "echo_server", "--greeting", "hello")
        client = Process(self, "sh", "-c", 'exec "$@" > /dev/full', "sh", example("relay_client"), "--host", "127.0.0.1", "--port",
                         server.port, "--ca", certificate("ca.pem"))
        self.assertEqual(client.exit_code(), 2)
        self.assertRegex(client.stderr.text, r"\Arelay_client: cannot write .*: No space left on device\n\Z")

    def test_relay_client_tries_every_address_of_a_name(self):
        # localhost is ::1 first on most machines, and there nobody listens.
        server = PythonServer(self, server_context())
        client = relay_client(self, server.port, host="localhost")
        client.write(b"kept for the address that answers\n")
        with server.establish() as connection:
            self.assertEqual(receive(connection, 34), b"kept for the address that answers\n")


variants(globals(), Programs, name=with_options())
variants(globals(), Listening, name=(*SERVERS, *WEB_SERVERS, "relay_server"))

if __name__ == "__main__":
    unittest.main()
