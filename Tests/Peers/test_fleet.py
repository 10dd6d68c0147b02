"""Servers of a fleet: a client that was with one comes back to another, by shared keys of tickets or by sessions in Redis."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from services import Redis
from support import LIMIT, VERSIONS, Process, Server, certificate, example, free_port, tool, variants
from tls import client_context, connect, exchange


class Alternating:
    """A port whose clients are sent to the ports of several servers in turn."""

    def __init__(self, test, *ports):
        self.ports = ports
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.clients = 0
        self.sockets = [self.listener]
        test.addCleanup(self.close)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        for each in self.sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.ports[self.clients % len(self.ports)]), LIMIT)
                self.clients += 1
                self.sockets += client, server
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=self._carry, args=(source, target), daemon=True).start()

    def _carry(self, source, target):
        with contextlib.suppress(OSError):
            while chunk := source.recv(1 << 16):
                target.sendall(chunk)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)


def key(byte, begins, ends, forgotten):
    """A line of a file of keys; times are seconds from now on."""
    now = int(time.time())
    return f"{bytes([byte]).hex() * 80} {now + begins} {now + ends} {now + forgotten}\n"


class Fleet:
    """`version` is set by the variants."""

    def visit(self, server, session=None):
        """Python's visit; returns the next session, and whether this one was resumed."""
        with connect(self, server.port, self.context, session=session) as connection:
            self.assertEqual(exchange(connection, b"first"), b"first")
            return connection.session, connection.session_reused

    def test_python_comes_back_to_another_server_and_after_a_restart(self):
        self.context = client_context(self.version)
        one, other = self.start(), self.start()
        session, resumed = self.visit(one)
        self.assertFalse(resumed)
        for server in (other, one, other):
            session, resumed = self.visit(server, session)
            self.assertTrue(resumed)
        one.end()
        other.end()
        _, resumed = self.visit(self.start(), session)
        self.assertTrue(resumed)

    def s_client(self, server, *options):
        client = Process(
            self, tool("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{server.port}", "-nocommands",
            "-servername", "localhost", "-CAfile", certificate("ca.pem"), "-verify_return_error", *options)
        client.write(b"to be echoed\n")
        client.stdout.wait_for("^to be echoed$")
        client.stdin.close()
        self.assertEqual(client.exit_code(), 0, client.stderr.text)
        return client.stdout.text

    def test_s_client_comes_back_to_another_server(self):
        session = certificate(f"{self.id()}.session")
        one, other = self.start(), self.start()
        self.assertRegex(self.s_client(one, "-sess_out", session), rf"(?m)^New, TLSv{self.version}, ")
        self.assertRegex(self.s_client(other, "-sess_in", session), rf"(?m)^Reused, TLSv{self.version}, ")

    def test_gnutls_cli_comes_back_to_another_server(self):
        # It waits for a ticket before it says anything.
        both = Alternating(self, self.start("--ticket-mode", "handshake").port,
                           self.start("--ticket-mode", "handshake").port)
        client = Process(
            self, tool("gnutls-cli", "gnutls-bin"), "--port", both.port, "--resume", "--x509cafile",
            certificate("ca.pem"), "--verify-hostname", "localhost", "--priority",
            f"NORMAL:-VERS-ALL:+VERS-TLS{self.version}", "127.0.0.1")
        client.stdout.wait_for("This is a resumed session")
        client.write(b"still there?\n")
        client.stdout.wait_for(r"^still there\?$")
        self.assertEqual(both.clients, 2)


class Keys(Fleet):
    """They share a file of keys."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tlsmem-fleet-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.file = pathlib.Path(folder.name, "keys")
        self.file.write_text(key(0xa1, -10, 600, 1200))

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
        both = key(0xa1, -10, 600, 1200) + key(0xb2, -5, 900, 1800)
        self.reread(both, one, other)
        self.resumes_until(other, old, True)
        self.reread(key(0xb2, -5, 900, 1800), one)
        self.resumes_until(one, old, False)
        session, resumed = self.visit(one)
        self.assertFalse(resumed)
        self.assertTrue(self.visit(other, session)[1])
        self.reread(key(0xa1, -10, -5, -2) + key(0xb2, -5, 900, 1800), other)  # the first has ended
        self.resumes_until(other, old, False)

    def test_a_bad_file_leaves_the_old_keys_and_says_why(self):
        self.context = client_context(self.version)
        one = self.start()
        session, _ = self.visit(one)
        self.reread(key(0xa1, -10, 600, 1200) + "half a line", one)
        one.stderr.wait_for(r"the old keys stay: \S+keys, line 2: it is not a key and three times in seconds\n")
        session, resumed = self.visit(one, session)
        self.assertTrue(resumed)
        os.kill(one.pid, signal.SIGHUP)
        one.stderr.wait_for(r"(?s)old keys stay.*old keys stay")
        self.assertTrue(self.visit(one, session)[1])

    def test_a_bad_file_at_the_start_is_refused(self):
        self.file.write_text("no key\n")
        server = Process(self, example("echo_server"), "--cert", certificate("server.pem"), "--key",
                         certificate("server.key"), "--port", "0", "--ticket-keys", self.file)
        self.assertEqual(server.exit_code(), 3)
        self.assertIn("line 1: it is not a key", server.stderr.text)

    def web_servers(self):
        pathlib.Path(self.folder, "small").write_bytes(b"a file\n")
        return Alternating(self, *(self.start("--root", self.folder, name="https_server").port for _ in range(2)))

    def test_our_own_client_comes_back_to_another_server(self):
        both = self.web_servers()
        client = Process(self, example("https_get"), "--resume", "--ca", certificate("ca.pem"), "--tls", self.version,
                         f"https://localhost:{both.port}/small")
        self.assertEqual((client.exit_code(), client.stderr.text), (0, f"https_get: resumed: TLSv{self.version}\n"))
        self.assertEqual((client.stdout.text, both.clients), ("a file\n", 2))

    def test_nss_comes_back_to_other_servers(self):
        both = self.web_servers()
        database = self.nss_database()
        said = subprocess.run(
            [tool("strsclnt", "libnss3-tools"), "-4", "-q", "-u", "-o", "-t", "1", "-c", "20", "-d", database, "-p",
             str(both.port), "-V", f"tls{self.version}:tls{self.version}", "-a", "localhost", "localhost"],
            timeout=LIMIT, capture_output=True, text=True, check=False)
        self.assertRegex(said.stdout + said.stderr, r"1[0-9] cache hits; [0-9]+ cache misses, 0 cache not reusable")
        self.assertGreater(both.clients, 15)

    def nss_database(self):
        folder = os.path.join(self.folder, "nss")
        os.mkdir(folder)
        certutil = tool("certutil", "libnss3-tools")
        subprocess.run([certutil, "-N", "-d", folder, "--empty-password"], check=True, timeout=LIMIT, capture_output=True)
        subprocess.run([certutil, "-A", "-d", folder, "-n", "authority", "-t", "CT,C,C", "-i", certificate("ca.pem")],
                       check=True, timeout=LIMIT, capture_output=True)
        return folder


class Store(Fleet):
    """They keep the sessions in Redis."""

    def setUp(self):
        self.redis_port = free_port()
        self.redis = Redis(self, self.redis_port)

    def start(self, *options):
        return Server(self, "fleet_server", "--tls", self.version, "--redis", self.redis_port, *options)

    def test_a_session_of_tls_1_3_is_for_one_visit(self):
        self.context = client_context(self.version)
        one, other = self.start(), self.start()
        session, _ = self.visit(one)
        self.assertTrue(self.visit(other, session)[1])
        self.assertEqual(self.visit(one, session)[1], self.version == "1.2")

    def test_while_redis_is_slow_only_those_wait_who_need_it(self):
        self.context = client_context(self.version)
        one, other = self.start(), self.start()
        session, _ = self.visit(one)
        with connect(self, other.port, self.context) as here:
            self.assertEqual(exchange(here, b"before"), b"before")
            os.kill(self.redis.server.pid, signal.SIGSTOP)
            try:
                found = []
                waiting = threading.Thread(target=lambda: found.append(self.visit(other, session)), daemon=True)
                waiting.start()
                for _ in range(20):
                    self.assertEqual(exchange(here, b"meanwhile"), b"meanwhile")
                self.assertFalse(self.visit(other)[1])
                self.assertEqual(found, [])
            finally:
                os.kill(self.redis.server.pid, signal.SIGCONT)
            waiting.join(LIMIT)
            self.assertTrue(found and found[0][1])

    def test_without_redis_handshakes_are_whole(self):
        self.context = client_context(self.version)
        one = self.start("--verbose")
        session, _ = self.visit(one)
        self.redis.server.end()
        for _ in range(3):
            session, resumed = self.visit(one, session)
            self.assertFalse(resumed)
        one.stderr.wait_for("Redis: ")
        self.redis = Redis(self, self.redis_port)
        end = time.monotonic() + LIMIT
        while not resumed:  # it is asked again after a second
            self.assertLess(time.monotonic(), end)
            session, resumed = self.visit(one, session)


variants(globals(), Keys, version=VERSIONS)
variants(globals(), Store, version=VERSIONS)

if __name__ == "__main__":
    unittest.main()
