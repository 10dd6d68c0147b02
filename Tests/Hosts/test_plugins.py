"""plugin_host and its plugins, which load the library by themselves: with each other, with openssl, and a thousand times."""

import errno
import os
import re
import signal
import socket
import subprocess
import tempfile
import unittest

from plugin_support import ECHO, FETCH, both, host, listening, made, parted, served, watched
from support import LIMIT, VERSIONS, Process, certificate, example, free_port, identity, tool
from tls import client_context, connect, plain_socket, receive

ROUNDS = 1000
WATCHED = int(os.environ.get("PLUGIN_ROUNDS", "20"))  # under valgrind; Tests/checks/valgrind.sh has a thousand


class Talking(unittest.TestCase):
    def test_none_of_them_is_linked_with_the_library(self):
        for path in (example("plugin_host"), ECHO, FETCH):
            needed = subprocess.run([tool("readelf", "binutils"), "-dW", path], check=True, timeout=LIMIT, capture_output=True,
                                    text=True).stdout
            self.assertIn("(NEEDED)", needed)
            self.assertNotRegex(needed, r"NEEDED.*(tlsmem|ssl|crypto)")

    def test_a_client_and_a_server_in_one_host(self):
        text = "".join(f"line {number}\n" for number in range(9000))  # many records each way
        program = host(self, *both(), "--text", text, ECHO, FETCH)
        self.assertEqual(program.exit_code(), 0, program.stderr.text)
        self.assertEqual(re.sub(r"\Alistening on localhost:\d+\n", "", program.stdout.text), text)
        self.assertEqual(program.stderr.text, "")

    def test_the_server_and_openssl_s_client(self):
        for version in VERSIONS:
            with self.subTest(version=version):
                program, port = served(self, "--max", "1", "--verbose")
                client = Process(
                    self, tool("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost",
                    "-CAfile", certificate("ca.pem"), "-verify_hostname", "localhost", "-verify_return_error",
                    "-quiet", "-no_ign_eof", "-tls" + version.replace(".", "_"))
                client.write(b"there and back\n")
                client.stdout.wait_for(r"\Athere and back\n\Z")
                client.stdin.close()
                self.assertEqual(client.exit_code(), 0, client.stderr.text)
                self.assertEqual((program.exit_code(), program.stderr.text), (0, ""))

    def test_the_client_and_openssl_s_server(self):
        for version in VERSIONS:
            with self.subTest(version=version):
                server = Process(
                    self, tool("openssl", "openssl"), "s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-rev", "-cert",
                    certificate("server.pem"), "-key", certificate("server.key"), "-tls" + version.replace(".", "_"))
                port = server.stdout.wait_for(r"^ACCEPT 127\.0\.0\.1:(\d+)\n")[1].decode()
                program = host(self, "--host", "127.0.0.1", "--port", port, "--ca", certificate("ca.pem"),
                               "--text", "forward\n", FETCH)
                self.assertEqual(program.exit_code(), 0, program.stderr.text)
                self.assertEqual(program.stdout.text, "drawrof\n")

    def test_the_server_serves_several_at_once(self):
        program, port = served(self, "--max", "10")
        clients = [connect(self, port, client_context()) for _ in range(10)]
        for number, client in enumerate(clients):
            client.sendall(b"client %d" % number)
        for number, client in reversed(list(enumerate(clients))):
            self.assertEqual(receive(client, 8), b"client %d" % number)
        for client in clients:
            client.unwrap()
        self.assertEqual(program.exit_code(), 0, program.stderr.text)

    def test_strangers_are_told_apart(self):
        program = host(self, *both()[:-4], "--ca", certificate("other-ca.pem"), ECHO, FETCH)
        self.assertEqual(program.exit_code(), 3)
        self.assertRegex(program.stderr.text, r"\Aplugin_host: fetch: .*not trusted.*\n\Z")
        program, port = served(self, "--max", "2", "--verbose")
        with plain_socket(self, port) as stranger:
            stranger.sendall(b"GET / HTTP/1.0\r\n\r\n")
            program.stderr.wait_for(r"\Aplugin_host: echo: .*does not speak TLS.*\n")
        plain_socket(self, port).close()
        self.assertEqual(program.exit_code(), 0)

    def test_sigterm_unloads_plugins_with_live_connections(self):
        program, port = served(self)
        with plain_socket(self, port), connect(self, port, client_context()) as connection:
            connection.sendall(b"x")
            self.assertEqual(receive(connection, 1), b"x")
            os.kill(program.pid, signal.SIGTERM)
            self.assertEqual(program.exit_code(), 0, program.stderr.text)
            self.assertEqual(program.stderr.text, "")


class Mistakes(unittest.TestCase):
    def ends(self, code, sentence, *words):
        program = host(self, *words)
        self.assertEqual(program.exit_code(), code, program.stderr.text)
        self.assertRegex(program.stderr.text, rf"\A(?s:.*)plugin_host: .*{sentence}.*\n\Z")
        self.assertEqual(program.stdout.text, "")

    def test_options_that_make_no_sense(self):
        for words in ([], ["--no-such-option", FETCH], ["--rounds", "0", FETCH], ["--port"]):
            self.ends(1, "--help lists the options", *words)

    def test_help_is_an_answer(self):
        program = host(self, "--help")
        self.assertEqual((program.exit_code(), program.stderr.text), (0, ""))
        for option in ("host", "port", "cert", "key", "ca", "text", "max", "library", "rounds", "verbose"):
            self.assertRegex(program.stdout.text, rf"(?m)^  --{option} ")

    def test_a_full_disk_is_told(self):
        with open("/dev/full", "wb") as full:
            ended = subprocess.run([example("plugin_host"), "--help"], stdout=full, stderr=subprocess.PIPE, timeout=LIMIT,
                                   check=False)
        self.assertEqual(ended.returncode, 2)
        self.assertIn(os.strerror(errno.ENOSPC), ended.stderr.decode())

    def test_what_is_no_plugin(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (("none", "int something;"), ("other", "const int plugin = 2;")):
                subprocess.run(["gcc", "-shared", "-fPIC", "-x", "c", "-o", f"{folder}/{name}.so", "-"], check=True,
                               timeout=LIMIT, input=text, text=True)
            self.ends(1, r"none\.so: no plugin", f"{folder}/none.so")
            self.ends(1, r"other\.so: a plugin for another host", f"{folder}/other.so")
            self.ends(1, r"missing\.so: cannot open", f"{folder}/missing.so")

    def test_files_and_places(self):
        trust = ("--ca", certificate("ca.pem"))
        self.ends(1, "needs --cert and --key", "--port", "0", ECHO)
        self.ends(3, "/no/such", "--port", "0", "--cert", "/no/such", "--key", certificate("server.key"), ECHO)
        self.ends(3, "/no/such", "--ca", "/no/such", FETCH)
        self.ends(3, "no name of a server", *trust, "--host", "", FETCH)
        self.ends(2, os.strerror(errno.ECONNREFUSED), *trust, "--port", free_port(), FETCH)
        self.ends(2, os.strerror(errno.EADDRNOTAVAIL), "--host", "192.0.2.1", "--port", "0", *identity(), ECHO)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.ends(2, os.strerror(errno.EADDRINUSE), "--host", "127.0.0.1", "--port", taken.getsockname()[1], *identity(),
                      ECHO)

    def test_a_loop_that_cannot_wait(self):
        program = Process(self, tool("strace", "strace"), "-f", "-o", os.devnull, "-e", "inject=poll:error=EINVAL",
                          example("plugin_host"), "--host", "127.0.0.1", "--port", "0", *identity(), ECHO)
        self.assertEqual(program.exit_code(), 2)
        self.assertEqual(program.stderr.text, f"plugin_host: poll: {os.strerror(errno.EINVAL)}\n")

    def test_a_library_that_is_none_ends_the_plugin_with_its_sentence(self):
        for plugin in (ECHO, FETCH):
            self.ends(3, r"/no/such: cannot open shared object file: No such file", *both(), "--library", "/no/such", plugin)
            self.ends(3, r"libssl\.so\.3 is no libtlsmem: it has no tlsmem_version", *both(), "--library", "libssl.so.3",
                      plugin)


class Again(unittest.TestCase):
    """Each round loads both plugins, each of which loads the library; a handshake, a text both ways, a close; unloads them."""

    def figures(self, rounds, **environment):
        """Returns what measure.so prints before each round, and after the last."""
        command = [example("plugin_host"), *both(), "--rounds", rounds + 1, made() / "measure.so", ECHO, FETCH]
        ended = subprocess.run([str(word) for word in command], check=False, timeout=4 * LIMIT, capture_output=True, text=True,
                               env=os.environ | environment)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        self.assertEqual(ended.stdout.count("hello\n"), rounds + 1)
        lines = re.findall(r"^measured descriptors=(\d+) threads=(\d+) heap=(\d+) resident=(\d+)(.*)$", ended.stdout, re.M)
        self.assertEqual(len(lines), rounds + 1)
        return [(*map(int, line[:4]), line[4]) for line in lines]

    def test_a_thousand_times_and_nothing_grows(self):
        # What malloc keeps for the next time counts as in use, so it keeps nothing here. A byte a round would be 16000.
        figures = self.figures(ROUNDS, GLIBC_TUNABLES="glibc.malloc.tcache_count=0:glibc.malloc.mxfast=0")
        descriptors, threads, heap, resident, mapped = zip(*figures)
        self.assertEqual(set(descriptors), {descriptors[0]})
        self.assertEqual(set(threads), {1})
        self.assertLessEqual(max(heap[10:]) - min(heap[10:]), 256, f"heap went from {heap[10]} to {heap[-1]}")
        self.assertLessEqual(max(resident[10:]) - resident[10], 256 << 10, f"it went from {resident[10]} to {resident[-1]}")
        # The plugins were unmapped each time; the library stays, and was not there before.
        self.assertEqual(mapped[0], "")
        self.assertEqual(set(mapped[1:]), {" mapped=libtlsmem.so"})

    def test_beside_a_plugin_that_speaks_openssl_itself(self):
        # Loaded before the library is, and after it; RTLD_LOCAL, as everything here. See also Tests/Conformance/hosts.c.
        other = made() / "openssl_user.so"
        for order in ([other, ECHO, FETCH], [ECHO, FETCH, other], [ECHO, other, FETCH]):
            with self.subTest(order=[path.name for path in order]):
                program = host(self, *both(), "--rounds", 10, *order)
                self.assertEqual(program.exit_code(), 0, program.stderr.text)
                self.assertEqual(program.stdout.text.count("hello\n"), 10)
                self.assertEqual(program.stdout.text.count("openssl_user: its own handshake is done\n"), 10)


class Leaving(unittest.TestCase):
    """What a plugin leaves alive when it is unmapped goes on; see also Tests/Conformance/hosts.c and dlopen.c."""

    def runs(self, sentence, name, plugin):
        program = Process(self, *parted(name, plugin, 20))
        self.assertEqual(program.exit_code(), 0, program.stderr.text)
        self.assertEqual(program.stdout.text, sentence)

    def test_connections_go_on_when_their_plugin_is_unmapped(self):
        self.runs("all of them went on\n", "leaving", "leaver.so")

    def test_threads_end_before_the_plugin_is_unmapped_and_after(self):
        self.runs("all threads ended well\n", "threads", "talker.so")


class Watched(unittest.TestCase):
    """The same under valgrind: no error, nothing lost, no descriptor open."""

    SECONDS = LIMIT + 2 * WATCHED  # some ten times what it takes

    def test_both_plugins_loaded_used_and_unloaded(self):
        said = watched(self, [example("plugin_host"), *both(), "--rounds", WATCHED, ECHO, FETCH], self.SECONDS)
        self.assertEqual(said.count("hello\n"), WATCHED)

    def test_a_plugin_unmapped_with_live_connections(self):
        self.assertEqual(watched(self, parted("leaving", "leaver.so", 3), self.SECONDS), "all of them went on\n")

    def test_threads_that_end_before_and_after(self):
        self.assertEqual(watched(self, parted("threads", "talker.so", 3), self.SECONDS), "all threads ended well\n")


if __name__ == "__main__":
    unittest.main()
