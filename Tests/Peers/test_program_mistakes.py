"""Every example program with a bad option, a file that is not there, a place where it cannot be: a sentence, and the right code."""

import errno
import os
import socket
import subprocess
import unittest

from namespace import Network, in_namespace
from programs import TABLE, built, known, with_options
from support import LIMIT, Process, certificate, example, free_port, identity, variants

NOWHERE = "/no/such/folder/file"
USAGE, NETWORK, TLS = 1, 2, 3


def named(options, host="127.0.0.1", port=0):
    return [word.format(host=host, port=port) for word in options]


def trust():
    return ["--ca", certificate("ca.pem")]


class Known(unittest.TestCase):
    def test_every_program_of_the_makefile_is_in_the_table_once(self):
        self.assertGreater(len(built()), 7)
        for name in built():
            with self.subTest(name=name):
                self.assertEqual(len(known(name)), 1, f"Tests/Peers/programs.py does not know {name}" if not known(name) else "")
        self.assertGreater(len(with_options()), 6)
        self.assertTrue(set(TABLE) > {"echo_server", "tls_proxy"})


class Mistakes:
    """`name` is set by the variants."""

    def setUp(self):
        self.program = with_options()[self.name]

    def ends(self, code, *options):
        """It says one thing, prints nothing, and ends with this code. Returns what it said."""
        program = Process(self, example(self.name), *options)
        with self.subTest(options=options):
            self.assertEqual(program.exit_code(), code, program.stderr.text)
            self.assertRegex(program.stderr.text, rf"\A{self.name}: .+\n\Z" if "--no-such-option" not in options else rf"{self.name}: ")
            self.assertEqual(program.stdout.text, "")
        return program.stderr.text

    def begun(self):
        """Returns options with which it would begin; all of them that make a difference."""
        ways = [["--host", "127.0.0.1", "--port", "0", *way] for way in self.program.listens]
        ways += [[*named(way, "localhost", 9), *trust()] for way in self.program.connects]
        return ways or [["--insecure"]]

    def test_options_that_make_no_sense(self):
        for mistake in (["--no-such-option"], ["--port", "-1"], ["--port", ""], ["--port", "1x"], ["--port", "99999999999999999999"],
                        ["--tls", ""], ["--tls", "1.4"], ["--crl-check", "some"], ["--verify-depth", "101"], ["--tickets", "x"]):
            self.ends(USAGE, *mistake)
        program = Process(self, example(self.name), "--port")  # and no number
        self.assertEqual(program.exit_code(), USAGE)

    def test_files_that_cannot_be_read(self):
        pem, key = certificate("server.pem"), certificate("server.key")
        folder, garbage = os.path.dirname(pem), certificate("server.key")
        for way in self.begun():
            for path in (NOWHERE, folder, garbage, "/dev/null"):
                said = self.ends(TLS, *way, "--key", key, "--cert", path)
                self.assertIn(path, said)
            for path in (NOWHERE, folder, pem, "/dev/null", certificate("rsa.key")):
                self.ends(TLS, *way, "--cert", pem, "--key", path)
            trusting = [word for word in way if word != "--insecure"]
            for path in (NOWHERE, folder, garbage, "/dev/null"):
                self.ends(TLS, *trusting, *identity(), "--ca", path)

    def test_outputs_that_cannot_be_written(self):
        for way in self.begun():
            self.assertIn(NOWHERE, self.ends(TLS, *way, *identity(), "--keylog", NOWHERE))

    def test_protocols_that_are_none(self):
        for way in self.begun():
            for protocols in (",", "h2,,http/1.1", "x" * 256):
                self.ends(TLS, *way, *identity(), "--alpn", protocols)

    def test_a_missing_certificate_or_key(self):
        if self.program.identity:
            for options in ([], ["--cert", certificate("server.pem")], ["--key", certificate("server.key")]):
                self.ends(USAGE, *(self.program.listens or ((),))[0], "--port", "0", *options)

    def test_a_full_disk_is_told(self):
        ways = [["--help"]]
        ways += [["--port", "0", *identity(), *way] for way in self.program.listens]
        ways += [[*identity(), *trust()]] if self.program.answers else []
        for way in ways:
            with open("/dev/full", "wb") as full, self.subTest(way=way):
                ended = subprocess.run([example(self.name), *way], stdout=full, stderr=subprocess.PIPE, timeout=LIMIT, check=False,
                                       stdin=subprocess.DEVNULL)
                self.assertEqual(ended.returncode, NETWORK)
                self.assertRegex(ended.stderr.decode(), rf"\A{self.name}: .*{os.strerror(errno.ENOSPC)}\n\Z")


class Places:
    """`name` is set by the variants."""

    setUp, ends = Mistakes.setUp, Mistakes.ends

    def test_a_port_that_is_taken_and_an_address_of_somebody_else(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            for way in self.program.listens:
                said = self.ends(NETWORK, "--host", "127.0.0.1", "--port", taken.getsockname()[1], *identity(), *way)
                self.assertIn(os.strerror(errno.EADDRINUSE), said)
                said = self.ends(NETWORK, "--host", "192.0.2.1", "--port", "0", *identity(), *way)
                self.assertIn(os.strerror(errno.EADDRNOTAVAIL), said)

    def test_a_port_at_which_nobody_listens(self):
        for way in self.program.connects:
            said = self.ends(NETWORK, *named(way, port=free_port()), *trust())
            self.assertIn(os.strerror(errno.ECONNREFUSED), said)

    @in_namespace
    def test_a_host_that_does_not_resolve(self):
        Network(self)
        for way in self.program.listens:
            self.ends(NETWORK, "--host", "nowhere.invalid", "--port", "0", *identity(), *way)
        for way in self.program.connects:
            self.ends(NETWORK, *named(way, host="nowhere.invalid", port=443), *trust())


variants(globals(), Mistakes, name=with_options())
variants(globals(), Places, name=[name for name, program in with_options().items() if program.listens or program.connects])

if __name__ == "__main__":
    unittest.main()
