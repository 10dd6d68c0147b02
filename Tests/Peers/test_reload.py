"""The servers of the examples read everything anew at SIGHUP; who is there keeps what he has."""

import os
import pathlib
import shutil
import signal
import socket
import ssl
import tempfile
import unittest

from support import LIMIT, Process, certificate, example
from tls import client_context, receive


class Reload(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tlsmem-reload-")
        self.addCleanup(folder.cleanup)
        self.files = [pathlib.Path(folder.name, name) for name in ("pem", "key")]

    def install(self, name):
        for file in self.files:
            shutil.copy(certificate(f"{name}.{file.name}"), file)

    def start(self, name):
        self.install("server")
        server = Process(self, example(name), "--cert", self.files[0], "--key", self.files[1], "--port", "0", "--threads", "2")
        self.port = int(server.stdout.wait_for(r"listening on \S+:(\d+)\n")[1])
        return server

    def connect(self):
        raw = socket.create_connection(("127.0.0.1", self.port), LIMIT)
        connection = client_context().wrap_socket(raw, server_hostname="localhost")
        self.addCleanup(connection.close)
        return connection

    def shown(self):
        return self.connect().getpeercert(binary_form=True)

    def der(self, name):
        return ssl.PEM_cert_to_DER_cert(pathlib.Path(certificate(name + ".pem")).read_text().split("-----END")[0]
                                        + "-----END CERTIFICATE-----")

    def test_a_new_certificate_is_shown_and_who_is_there_goes_on(self):
        for name in ("echo_server", "https_server", "h2_server"):
            with self.subTest(name):
                server = self.start(name)
                old = self.connect()
                self.assertEqual(old.getpeercert(binary_form=True), self.der("server"))
                self.install("rsa")
                os.kill(server.pid, signal.SIGHUP)
                server.stderr.wait_for("all is read anew")
                self.assertEqual([self.shown() for _ in range(8)], [self.der("rsa")] * 8)
                if name == "echo_server":
                    old.sendall(b"still here")
                    self.assertEqual(receive(old, 10), b"still here")

    def test_a_bad_certificate_changes_nothing_and_the_next_good_one_does(self):
        server = self.start("echo_server")
        self.files[0].write_text("no certificate\n")
        os.kill(server.pid, signal.SIGHUP)
        server.stderr.wait_for(r"pem: there is no certificate in it\n.*all stays as it was\n")
        self.assertEqual(self.shown(), self.der("server"))
        self.install("rsa")
        os.kill(server.pid, signal.SIGHUP)
        server.stderr.wait_for("all is read anew")
        self.assertEqual(self.shown(), self.der("rsa"))


if __name__ == "__main__":
    unittest.main()
