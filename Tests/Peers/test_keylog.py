"""--keylog writes the secrets that the peer knows too, one connection's lines being the same on both sides."""

import os
import stat
import unittest

from support import VERSIONS, Server, certificate, relay_client, variants
from tls import PythonServer, client_context, connect, exchange, receive, server_context


def secrets(path):
    """Returns the lines of a key log, without comments, in no order."""
    with open(path, encoding="ascii") as lines:
        return sorted(line for line in lines if not line.startswith("#"))


class Keylog:
    """`version` is set by the variants."""

    def setUp(self):
        self.ours = certificate(f"{self.id()}.ours")
        self.theirs = certificate(f"{self.id()}.theirs")

    def check(self, connections):
        self.assertEqual(secrets(self.ours), secrets(self.theirs))
        lines = {"1.2": 1, "1.3": 5}[self.version]  # CLIENT_RANDOM, or the five secrets of TLS 1.3
        self.assertEqual(len(secrets(self.ours)), connections * lines)
        self.assertEqual(stat.S_IMODE(os.stat(self.ours).st_mode), 0o600)

    def test_of_a_server_has_the_secrets_of_both_clients_and_mode_0600(self):
        self.addCleanup(os.umask, os.umask(0))  # the mode is not left to the user's habits
        server = Server(self, "echo_server", "--keylog", self.ours)
        context = client_context(self.version)
        context.keylog_filename = self.theirs
        for _ in range(2):
            with connect(self, server.port, context) as connection:
                self.assertEqual(exchange(connection, b"secret"), b"secret")
        self.check(connections=2)

    def test_of_a_client_has_the_secrets_of_its_server_and_mode_0600(self):
        self.addCleanup(os.umask, os.umask(0))
        context = server_context(self.version)
        context.keylog_filename = self.theirs
        server = PythonServer(self, context)
        client = relay_client(self, server.port, "--keylog", self.ours)
        with server.establish() as connection:
            client.write(b"secret")
            self.assertEqual(receive(connection, 6), b"secret")
        self.check(connections=1)


variants(globals(), Keylog, version=VERSIONS)

if __name__ == "__main__":
    unittest.main()
