"""tls_proxy: every byte arrives, both ways and through two of them, and each direction ends by itself."""

import os
import random
import signal
import socket
import ssl
import struct
import unittest

from proxy import PlainServer, Proxy, receive_all
from support import LIMIT, VERSIONS, variants
from tls import client_context, connect, exchange, plain_socket, receive

SIZE = 5 << 20
TEXT = random.Random(6).randbytes(SIZE)
FAMILIES = {"tcp": socket.AF_INET, "unix": socket.AF_UNIX}


class Bytes:
    """`version` and `family` are set by the variants."""

    def setUp(self):
        self.service = PlainServer(self, FAMILIES[self.family])
        self.proxy = Proxy(self, self.service.place, "--tls", self.version)

    def pair(self):
        """Returns a TLS client and the service's end of it."""
        client = connect(self, self.proxy.port, client_context())
        return client, self.service.accept()

    def test_5_mib_both_ways_at_once(self):
        self.service.echo()
        with connect(self, self.proxy.port, client_context()) as client:
            self.assertTrue(exchange(client, TEXT) == TEXT)

    def test_5_mib_both_ways_through_client_and_server_mode(self):
        self.service.echo()
        outer = Proxy(self, f"localhost:{self.proxy.port}", mode="client")
        with plain_socket(self, outer.port) as client:
            self.assertTrue(exchange(Plain(client), TEXT) == TEXT)
            client.shutdown(socket.SHUT_WR)
            self.assertEqual(client.recv(1), b"")  # the end goes all the way round

    def test_a_client_that_closes_its_direction_still_hears_the_answer(self):
        outer = Proxy(self, f"localhost:{self.proxy.port}", mode="client")
        client = plain_socket(self, outer.port)
        client.sendall(b"a question")
        client.shutdown(socket.SHUT_WR)
        service = self.service.accept()
        self.assertEqual(receive_all(service), b"a question")
        service.sendall(TEXT)
        service.close()
        self.assertTrue(receive_all(client) == TEXT)

    def test_a_service_that_closes_its_direction_still_hears_the_client(self):
        outer = Proxy(self, f"localhost:{self.proxy.port}", mode="client")
        client = plain_socket(self, outer.port)
        service = self.service.accept()
        service.sendall(b"that is all from me")
        service.shutdown(socket.SHUT_WR)
        self.assertEqual(receive_all(client), b"that is all from me")
        client.sendall(TEXT)
        client.close()
        self.assertTrue(receive_all(service) == TEXT)

    def test_the_end_of_the_service_is_a_close_notify(self):
        client, service = self.pair()
        service.sendall(b"good-bye")
        service.close()
        self.assertEqual(receive_all(client), b"good-bye")  # an SSLEOFError if close_notify were missing


class Resets:
    """An end that is no clean one does not become one. A Unix socket knows no reset. `version` is set by the variants."""

    def setUp(self):
        service = PlainServer(self)
        self.proxy = Proxy(self, service.place, "--tls", self.version)
        self.client = connect(self, self.proxy.port, client_context())
        self.service = service.accept()

    def test_a_client_that_vanishes_without_close_notify_is_a_reset_for_the_service(self):
        client, service = self.client, self.service
        client.sendall(b"half of it")
        self.assertEqual(receive(service, 10), b"half of it")
        socket.socket(fileno=client.detach()).close()
        with self.assertRaises(ConnectionResetError):
            service.recv(1)

    def test_a_service_that_resets_is_no_clean_end_for_the_client(self):
        client, service = self.client, self.service
        service.sendall(b"half of it")
        self.assertEqual(receive(client, 10), b"half of it")
        service.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        service.close()
        with self.assertRaises((ssl.SSLEOFError, ConnectionResetError)):
            client.recv(1)

    def test_what_a_service_says_before_it_resets_is_heard(self):
        client, service = self.client, self.service
        client.sendall(b"never read")
        service.recv(1, socket.MSG_PEEK)
        os.kill(self.proxy.pid, signal.SIGSTOP)  # so that it finds the answer and the reset together
        service.sendall(TEXT[:65536])
        service.close()
        os.kill(self.proxy.pid, signal.SIGCONT)
        self.assertTrue(receive(client, 65536) == TEXT[:65536])


class Plain:
    """A plain socket under the words of a TLS one, for `exchange`."""

    def __init__(self, connection):
        self._connection = connection
        self.fileno, self.setblocking = connection.fileno, connection.setblocking
        self.settimeout = connection.settimeout

    def _now(self, call, *arguments):
        try:
            return call(*arguments)
        except BlockingIOError:
            raise ssl.SSLWantReadError from None

    def send(self, piece):
        return self._now(self._connection.send, piece)

    def recv(self, length):
        return self._now(self._connection.recv, length)


class SlowReaders(unittest.TestCase):
    """What nobody reads is not kept: whoever writes it waits."""

    TEXT = random.Random(7).randbytes(48 << 20)

    def setUp(self):
        self.service = PlainServer(self)
        self.proxy = Proxy(self, self.service.place)
        self.client = connect(self, self.proxy.port, client_context())
        self.upstream = self.service.accept()

    def flood(self, writer, reader):
        """Writes until nobody takes more; then reads all of it."""
        before = self.proxy.memory()
        writer.settimeout(1)
        sent = 0
        with self.assertRaises(TimeoutError):
            while sent < len(self.TEXT):
                sent += writer.send(self.TEXT[sent:sent + 65536])
        self.assertLess(sent, len(self.TEXT))
        grown = self.proxy.memory() - before
        self.assertLess(grown, 4 << 20, f"bytes of memory for {sent} bytes that wait")
        # Nothing spins meanwhile.
        cpu = self.proxy.cpu_seconds()
        self.assertTrue(self.proxy.stays_for(1))
        self.assertLess(self.proxy.cpu_seconds() - cpu, 0.05, "processor seconds in one idle second")
        writer.settimeout(LIMIT)
        self.assertTrue(receive(reader, sent) == self.TEXT[:sent])

    def test_a_service_that_does_not_read_stops_the_client(self):
        self.flood(self.client, self.upstream)

    def test_a_client_that_does_not_read_stops_the_service(self):
        self.flood(self.upstream, self.client)


variants(globals(), Bytes, version=VERSIONS, family=FAMILIES)
variants(globals(), Resets, version=VERSIONS)

if __name__ == "__main__":
    unittest.main()
