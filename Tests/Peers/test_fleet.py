"""Servers of a fleet that share the keys of their tickets: a client that was with one comes back to another."""

import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import unittest

from fleets import Alternating, Fleet
from support import LIMIT, VERSIONS, Process, Server, certificate, example, tool, variants
from tls import client_context


def key(byte, begins, ends, forgotten):
    """A line of a file of keys; times are seconds from now on."""
    now = int(time.time())
    return f"{bytes([byte]).hex() * 80} {now + begins} {now + ends} {now + forgotten}\n"


class Keys(Fleet):
    """They share a file of keys."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tlsmem-fleet-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.file = pathlib.Path(folder.name, "keys")
        self.old, self.new, self.ended = key(0xa1, -10, 600, 1200), key(0xb2, -5, 900, 1800), key(0xa1, -10, -5, -2)
        self.file.write_text(self.old)

    def start(self, *options, name="echo_server"):
        return Server(self, name, "--tls", self.version, "--ticket-keys", self.file, *options)

    def reread(self, text, *servers):
        fresh = self.file.with_suffix(".new")
        fresh.write_text(text)
        fresh.rename(self.file)
        for server in servers:
            os.kill(server.pid, signal.SIGHUP)

    def resumes_until(self, server, session, wanted):
        """Comes back with the same session again and again, until it is resumed, or not any more."""
        end = time.monotonic() + LIMIT
        while self.visit(server, session)[1] != wanted:
            self.assertLess(time.monotonic(), end)

    def test_a_key_follows_another_while_both_serve(self):
        self.context = client_context(self.version)
        one, other = self.start("--threads", "2"), self.start()
        old, _ = self.visit(one)
        self.reread(self.old + self.new, one, other)
        self.resumes_until(other, old, True)
        self.reread(self.new, one)
        self.resumes_until(one, old, False)
        session, resumed = self.visit(one)
        self.assertFalse(resumed)
        self.assertTrue(self.visit(other, session)[1])
        self.reread(self.ended + self.new, other)
        self.resumes_until(other, old, False)

    def test_a_bad_file_leaves_the_old_keys_and_says_why(self):
        self.context = client_context(self.version)
        one = self.start()
        session, _ = self.visit(one)
        self.reread(self.old + "half a line", one)
        one.stderr.wait_for(r"\S+keys, line 2: it is not a key and three times in seconds\n.*all stays as it was\n")
        session, resumed = self.visit(one, session)
        self.assertTrue(resumed)
        os.kill(one.pid, signal.SIGHUP)
        one.stderr.wait_for(r"(?s)all stays.*all stays")
        self.assertTrue(self.visit(one, session)[1])

    def test_a_bad_file_at_the_start_is_refused(self):
        self.file.write_text("no key\n")
        server = Process(self, example("echo_server"), "--cert", certificate("server.pem"), "--key",
                         certificate("server.key"), "--port", "0", "--ticket-keys", self.file)
        self.assertEqual(server.exit_code(), 3)
        self.assertIn("line 1: it is not a key", server.stderr.text)

    def root(self):
        pathlib.Path(self.folder, "small").write_bytes(b"a file\n")
        return self.folder

    def web_servers(self):
        return Alternating(self, *(self.start("--root", self.root(), name="https_server").port for _ in range(2)))

    def https_get(self, port):
        """Our own client's two visits; returns its exit code and what it said."""
        client = Process(self, example("https_get"), "--resume", "--ca", certificate("ca.pem"), "--tls", self.version,
                         f"https://localhost:{port}/small")
        code = client.exit_code()
        self.assertEqual(client.stdout.text, "a file\n")
        return code, client.stderr.text

    def test_our_own_client_comes_back_to_another_server(self):
        both = self.web_servers()
        self.assertEqual(self.https_get(both.port), (0, f"https_get: resumed: TLSv{self.version}\n"))
        self.assertEqual(both.clients, 2)

    def strsclnt(self, port, visits):
        """NSS's visits; returns how many were resumed."""
        said = subprocess.run(
            [tool("strsclnt", "libnss3-tools"), "-4", "-q", "-u", "-o", "-t", "1", "-c", str(visits), "-d",
             self.nss_database(), "-p", str(port), "-V", f"tls{self.version}:tls{self.version}", "-a", "localhost",
             "localhost"], timeout=LIMIT, capture_output=True, text=True, check=False)
        said = said.stdout + said.stderr
        hits = re.search(r"([0-9]+) cache hits; [0-9]+ cache misses, 0 cache not reusable", said)
        self.assertIsNotNone(hits, said)
        return int(hits[1])

    def test_nss_comes_back_to_other_servers(self):
        both = self.web_servers()
        self.assertGreaterEqual(self.strsclnt(both.port, 20), 10)
        self.assertGreater(both.clients, 15)

    def rotating(self, is_kept, *options, name="echo_server"):
        """A server that ends after its first client; for the second another one stands there, with a new key beside the
        old one, or with the new one alone."""
        self.file.write_text(self.old)
        first = self.start(*options, name=name)
        place = Alternating(self, first.port)

        def rotate():
            first.end()
            self.file.write_text(self.new + (self.old if is_kept else self.ended))
            place.ports = [self.start(*options, name=name).port]
        place.before_second = rotate
        return place

    def test_s_client_comes_back_after_a_new_key_and_a_restart_until_the_old_one_ends(self):
        session, fresh = (certificate(f"{self.id()}.{name}") for name in ("session", "fresh"))
        new, resumed = rf"(?m)^New, TLSv{self.version}, ", rf"(?m)^Reused, TLSv{self.version}, "
        one, other = self.start(), self.start()
        self.assertRegex(self.s_client(one, "-sess_out", session), new)
        self.reread(self.new + self.old, one, other)
        self.assertRegex(self.s_client(other, "-sess_in", session), resumed)
        one.end()
        other.end()
        again = self.start()
        self.assertRegex(self.s_client(again, "-sess_in", session), resumed)
        self.assertRegex(self.s_client(again, "-sess_out", fresh), new)
        again.end()
        self.file.write_text(self.new + self.ended)
        last = self.start()
        self.assertRegex(self.s_client(last, "-sess_in", session), new)
        self.assertRegex(self.s_client(last, "-sess_in", fresh), resumed)

    def test_gnutls_cli_comes_back_after_a_new_key_and_a_restart_until_the_old_one_ends(self):
        for is_kept in (True, False):
            with self.subTest(is_kept=is_kept):
                self.assertEqual(self.gnutls_cli(self.rotating(is_kept, "--ticket-mode", "handshake").port), is_kept)

    def test_our_own_client_comes_back_after_a_new_key_and_a_restart_until_the_old_one_ends(self):
        for is_kept, code, said in ((True, 0, "resumed: "), (False, 3, "not resumed: the server wanted a full handshake, ")):
            with self.subTest(is_kept=is_kept):
                place = self.rotating(is_kept, "--root", self.root(), name="https_server")
                self.assertEqual(self.https_get(place.port), (code, f"https_get: {said}TLSv{self.version}\n"))

    def test_nss_comes_back_after_a_new_key_and_a_restart_until_the_old_one_ends(self):
        for is_kept in (True, False):
            with self.subTest(is_kept=is_kept):
                place = self.rotating(is_kept, "--root", self.root(), name="https_server")
                self.assertEqual(self.strsclnt(place.port, 2), int(is_kept))

    def nss_database(self):
        folder = tempfile.mkdtemp(dir=self.folder)
        certutil = tool("certutil", "libnss3-tools")
        subprocess.run([certutil, "-N", "-d", folder, "--empty-password"], check=True, timeout=LIMIT, capture_output=True)
        subprocess.run([certutil, "-A", "-d", folder, "-n", "authority", "-t", "CT,C,C", "-i", certificate("ca.pem")],
                       check=True, timeout=LIMIT, capture_output=True)
        return folder


variants(globals(), Keys, version=VERSIONS)

if __name__ == "__main__":
    unittest.main()
