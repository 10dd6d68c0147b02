"""starttls_postgres against a PostgreSQL server with TLS, and against those who answer in its place."""

import pathlib
import shutil
import subprocess
import tempfile
import threading
import time
import types
import unittest

from postgres import Postgres
from support import LIMIT, VERSIONS, Process, certificate, example, free_port, tool
from tls import PythonServer, server_context


class Asking(unittest.TestCase):
    def ask(self, port, *options, ca="ca.pem", host="localhost"):
        """Runs starttls_postgres to its end; `code` is its exit code."""
        program = Process(self, example("starttls_postgres"), "--host", host, "--port", port, "--ca", certificate(ca),
                          "--wait", "10", *options)
        program.code = program.exit_code()
        return program

    def refused(self, asked, code, sentence):
        self.assertEqual(asked.code, code, asked.stderr.text)
        self.assertRegex(asked.stderr.text, rf"\Astarttls_postgres: {sentence}.*\n\Z")


class RealServer(Asking):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="tlsmem-postgres-")
        cls.addClassCleanup(folder.cleanup)
        for name in ("server.pem", "server.key"):  # the key has to be the server's own
            path = shutil.copy(certificate(name), folder.name)
            Postgres.own(path)
        cls.port = free_port()
        cls.server = Postgres(
            types.SimpleNamespace(addCleanup=cls.addClassCleanup), folder.name, "listen_addresses=127.0.0.1", f"port={cls.port}",
            f"ssl_cert_file={folder.name}/server.pem", f"ssl_key_file={folder.name}/server.key")
        rules = pathlib.Path(cls.server.data, "pg_hba.conf")
        rules.write_text("local all all trust\nhostssl all secret all scram-sha-256\nhostssl all all all trust\n"
                         "hostnossl all nobody all reject\nhostnossl all all all trust\n")
        cls.query("create role secret login password 'x'")
        cls.query("create role nobody login")
        cls.turn_tls("on")

    @classmethod
    def query(cls, text):
        done = subprocess.run(
            [tool("psql", "postgresql-client"), "-X", "-A", "-t", "-h", cls.server.folder, "-p", str(cls.port), "-U", "postgres",
             "-c", text], capture_output=True, text=True, timeout=LIMIT, check=True)
        return done.stdout.strip()

    @classmethod
    def turn_tls(cls, what):
        cls.query(f"alter system set ssl = {what}")
        cls.query("select pg_reload_conf()")
        end = time.monotonic() + LIMIT
        while cls.query("show ssl") != what:
            if time.monotonic() > end:
                raise AssertionError(f"ssl is not {what}: {cls.server.server.stderr.text}")

    def test_it_is_let_in_by_tls_and_told_the_servers_version(self):
        for version in VERSIONS:
            with self.subTest(version=version):
                asked = self.ask(self.port, "--tls", version)
                self.assertEqual((asked.code, asked.stderr.text), (0, ""))
                printed = asked.stdout.text.splitlines()
                self.assertEqual(printed[:2], [f"connection: TLSv{version}", "authentication: none is asked for"])
                self.assertIn(f"server_version: {self.query('show server_version')}", printed)

    def test_a_user_with_a_password_is_asked_for_it_bound_to_the_channel(self):
        asked = self.ask(self.port, "--user", "secret", "--database", "postgres")
        self.assertEqual((asked.code, asked.stderr.text), (0, ""))
        self.assertEqual(asked.stdout.text, "connection: TLSv1.3\nauthentication by: SCRAM-SHA-256-PLUS\n"
                                            "authentication by: SCRAM-SHA-256\n")

    def test_a_user_who_is_not_there_is_refused_in_the_servers_words(self):
        asked = self.ask(self.port, "--user", "who")
        self.refused(asked, 2, "the server refuses the session")
        self.assertIn('error: FATAL\nerror code: 28000\nerror message: role "who" does not exist\n', asked.stdout.text)

    def test_a_stranger_is_told_nothing(self):
        self.refused(self.ask(self.port, ca="other-ca.pem"), 3, "the peer's certificate is not trusted")
        self.refused(self.ask(self.port, "--tls", "1.2", ca="other-ca.pem"), 3, "the peer's certificate is not trusted")

    def test_without_tls_it_goes_on_only_when_that_is_allowed(self):
        self.turn_tls("off")
        self.addCleanup(self.turn_tls, "on")
        asked = self.ask(self.port)
        self.refused(asked, 3, "the server has no TLS")
        self.assertEqual(asked.stdout.text, "")
        asked = self.ask(self.port, "--prefer")
        self.assertEqual(asked.code, 0, asked.stderr.text)
        self.assertTrue(asked.stdout.text.startswith("connection: in plain\nauthentication: none is asked for\n"))
        self.refused(self.ask(self.port, "--prefer", "--user", "nobody"), 2, "the server refuses the session")


class InTheMiddle(Asking):
    def answered(self, answer, *options):
        server = PythonServer(self, server_context())

        def play():
            connection = server.accept()
            connection.recv(1 << 16)
            connection.sendall(answer)
            connection.recv(1 << 16)
        thread = threading.Thread(target=play, daemon=True)
        thread.start()
        self.addCleanup(thread.join, LIMIT)
        return self.ask(server.port, *options)

    def test_what_comes_behind_the_yes_is_refused(self):
        self.refused(self.answered(b"SR\0\0\0\x08\0\0\0\0"), 3, "9 bytes in plain came before TLS")

    def test_an_error_in_plain_is_not_shown(self):
        asked = self.answered(b"EFATAL: send your password to evil.example\0")
        self.refused(asked, 3, "the server answers neither yes nor no")
        self.assertNotIn("evil", asked.stderr.text + asked.stdout.text)

    def test_a_message_of_a_senseless_length_is_refused(self):
        for message in (b"R\0\0\0\x03", b"R\xff\xff\xff\xff", b"S\0\x01\0\0"):
            self.refused(self.answered(b"N" + message, "--prefer"), 2, "the server's message has no sensible length")

    def test_texts_without_an_end_are_no_harm(self):
        self.refused(self.answered(b"N" + b"S\0\0\0\x07abcE\0\0\0\x06SX", "--prefer"), 2, "the server refuses the session")


if __name__ == "__main__":
    unittest.main()
