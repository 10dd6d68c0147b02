"""What the programs tell of their connections when asked (--stats, --state), and when they have had enough (--max)."""

import unittest

from support import BUFFERS, SERVERS, VERSIONS, Server, relay_client, variants
from tls import PythonServer, client_context, connect, exchange, server_context


class Reports:
    """`name` and `version` are set by the variants."""

    def visit(self, server, context):
        with connect(self, server.port, context) as connection:
            self.assertEqual(exchange(connection, b"x" * 20_000), b"x" * 20_000)
            connection.unwrap().close()

    def test_stats_are_a_line_for_each_connection_and_max_ends_the_server(self):
        server = Server(
            self, self.name, "--stats", "--max", "2", "--alpn", "echo/1", "--tls", self.version)
        self.visit(server, client_context(alpn=["echo/1"]))
        self.assertTrue(server.stays_for(0))
        self.visit(server, client_context())
        self.assertEqual(server.exit_code(), 0, server.stderr.text)
        lines = server.stdout.text.splitlines()[1:]
        calls = "0" if self.name in BUFFERS else r"[1-9]\d*"  # that the library made
        self.assertEqual(len(lines), 2)
        for line, protocol in zip(lines, ("echo/1", "-")):
            self.assertRegex(line, rf"\Aprotocol=TLSv{self.version} cipher=\S+ alpn={protocol} in=20000 out=20000 "
                                   rf"recv={calls} send={calls} close=TLSMEM_OK\Z")


class States:
    """`version` is set by the variants."""

    EXPECTED = r"(?s): open TLSv{version} \S+\n.*: closed TLSv{version} \S+\n\Z"

    def test_of_relay_client(self):
        server = PythonServer(self, server_context(self.version))
        client = relay_client(self, server.port, "--state")
        with server.establish() as connection:
            client.stdin.close()
            self.assertEqual(connection.recv(1), b"")
            connection.unwrap().close()
        self.assertEqual(client.exit_code(), 0, client.stderr.text)
        self.assertRegex(client.stderr.text, self.EXPECTED.format(version=self.version))

    def test_of_relay_server(self):
        server = Server(self, "relay_server", "--state")
        with connect(self, server.port, client_context(self.version)) as connection:
            connection.unwrap().close()
        server.stderr.wait_for(r"closed .*\n")
        self.assertRegex(server.stderr.text, self.EXPECTED.format(version=self.version))


variants(globals(), Reports, name=SERVERS, version=VERSIONS)
variants(globals(), States, version=VERSIONS)

if __name__ == "__main__":
    unittest.main()
