"""tls_proxy when somebody dies in mid-transfer, or it is told to end itself: nothing that was cut looks complete."""

import os
import random
import signal
import socket
import ssl
import struct
import threading
import unittest

from proxy import PlainServer, Proxy, receive_all
from services import Redis
from support import VERSIONS, free_port, variants
from tls import client_context, connect, plain_socket, receive

SIZE = 48 << 20  # more than all buffers on the way together
TEXT = random.Random(9).randbytes(SIZE)
CUT = (ssl.SSLEOFError, ConnectionResetError)


def reset(connection):
    """Closes a socket with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def receive_until_cut(test, connection):
    """Reads until the end, which must not be a clean one; returns what came before."""
    received = bytearray()
    with test.assertRaises(CUT):
        while piece := connection.recv(1 << 16):
            received += piece
    return bytes(received)


class KilledRedis:
    """redis-server, killed while a client reads a value of 48 MiB. `version` and `family` are set by the variants."""

    def setUp(self):
        self.redis = Redis(self, free_port() if self.family == "tcp" else 0)
        self.proxy = Proxy(self, self.redis.place, "--tls", self.version, "--verbose")
        self.client = connect(self, self.proxy.port, client_context())
        self.client.sendall(b"*3\r\n$3\r\nSET\r\n$5\r\nlarge\r\n$%d\r\n%b\r\n" % (SIZE, TEXT))
        self.assertEqual(receive(self.client, 5), b"+OK\r\n")
        self.client.sendall(b"*2\r\n$3\r\nGET\r\n$5\r\nlarge\r\n")
        self.assertTrue(receive(self.client, 11 + (1 << 20)) == b"$%d\r\n" % SIZE + TEXT[:1 << 20])

    def assert_beginning(self, received):
        self.assertLess(len(received), SIZE)
        self.assertTrue(TEXT.startswith(received, 1 << 20))

    def test_with_nothing_unread_it_is_the_end_that_tcp_makes_of_it(self):
        """The kernel says FIN for it, as for a service that has finished: only Redis's own length tells."""
        os.kill(self.redis.server.pid, signal.SIGKILL)
        self.assert_beginning(receive_all(self.client))

    def test_with_a_request_unread_it_is_a_truncation(self):
        os.kill(self.redis.server.pid, signal.SIGSTOP)
        before = self.proxy.counts()["to_plain"]
        self.client.sendall(b"*1\r\n$4\r\nPING\r\n")
        while self.proxy.counts()["to_plain"] == before:
            pass
        os.kill(self.redis.server.pid, signal.SIGKILL)
        self.assert_beginning(receive_until_cut(self, self.client))
        self.proxy.stderr.wait_for(r"^tls_proxy: the plain side is lost: Connection reset by peer\n")
        self.assertEqual(self.proxy.counts()["failed"], 1)


class Deaths(unittest.TestCase):
    def setUp(self):
        self.service = PlainServer(self)
        self.proxy = Proxy(self, self.service.place)

    def test_a_service_that_resets_while_bytes_wait_for_it_is_no_clean_end(self):
        client = connect(self, self.proxy.port, client_context())
        service = self.service.accept()
        client.settimeout(0.5)
        with self.assertRaises(TimeoutError):
            while True:
                client.send(TEXT[:65536])
        reset(service)  # the proxy learns of it by send, and recv then says that all is well
        client.settimeout(10)
        self.assertEqual(receive_until_cut(self, client), b"")

    def test_a_killed_tls_upstream_is_a_reset_for_the_client_in_plain(self):
        outer = Proxy(self, f"localhost:{self.proxy.port}", mode="client")
        client = plain_socket(self, outer.port)
        service = self.service.accept()
        threading.Thread(target=self.send, args=(service,), daemon=True).start()
        self.assertTrue(receive(client, 1 << 20) == TEXT[:1 << 20])
        os.kill(self.proxy.pid, signal.SIGKILL)
        with self.assertRaises(ConnectionResetError):
            while client.recv(1 << 16):
                pass

    @staticmethod
    def send(service):
        try:
            service.sendall(TEXT)
            service.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def test_transfers_that_run_at_sigterm_are_completed(self):
        outer = Proxy(self, f"localhost:{self.proxy.port}", mode="client")
        clients = [plain_socket(self, outer.port), connect(self, self.proxy.port, client_context())]
        services = [self.service.accept() for _ in clients]
        for service in services:
            threading.Thread(target=self.send, args=(service,), daemon=True).start()
        for client in clients:
            receive(client, 1000)
        for proxy in (outer, self.proxy):
            os.kill(proxy.pid, signal.SIGTERM)
        self.assertTrue(self.proxy.stays_for(0.2))
        for client in clients:
            self.assertTrue(receive_all(client) == TEXT[1000:])
        for client in clients:
            client.close()
        for proxy in (outer, self.proxy):
            self.assertEqual(proxy.exit_code(), 0, proxy.stderr.text)


variants(globals(), KilledRedis, version=VERSIONS, family=("tcp", "unix"))

if __name__ == "__main__":
    unittest.main()
