"""What is the same for all fleets of servers, in which a client that was with one comes back to another."""

import contextlib
import socket
import threading

from support import LIMIT, Process, certificate, tool
from tls import client_context, connect, exchange


class Alternating:
    """A port whose clients are sent to the ports of several servers in turn."""

    def __init__(self, test, *ports):
        self.ports = ports
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.clients = 0
        self.before_second = lambda: None  # is called before the second client is sent anywhere
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
                if self.clients == 1:
                    self.before_second()
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

    def gnutls_cli(self, port):
        """gnutls-cli's two visits; returns whether the second was resumed."""
        client = Process(
            self, tool("gnutls-cli", "gnutls-bin"), "--port", port, "--resume", "--x509cafile",
            certificate("ca.pem"), "--verify-hostname", "localhost", "--priority",
            f"NORMAL:-VERS-ALL:+VERS-TLS{self.version}", "127.0.0.1")
        client.stdout.wait_for("(?s)Connecting again.*Simple Client Mode")
        client.write(b"still there?\n")
        client.stdout.wait_for(r"^still there\?$")
        return "This is a resumed session" in client.stdout.text

    def test_gnutls_cli_comes_back_to_another_server(self):
        # It waits for a ticket before it says anything.
        both = Alternating(self, self.start("--ticket-mode", "handshake").port,
                           self.start("--ticket-mode", "handshake").port)
        self.assertTrue(self.gnutls_cli(both.port))
        self.assertEqual(both.clients, 2)
