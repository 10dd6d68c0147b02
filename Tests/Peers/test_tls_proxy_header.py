"""tls_proxy and the PROXY protocol: what it says of the client, and what it understands."""

import contextlib
import errno
import socket
import struct
import time
import unittest

from proxy import PlainServer, Proxy
from support import LIMIT, certificate
from tls import client_context, plain_socket, receive

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"


def header(source, target):
    """Returns the header, version 2, of a TCP connection over IPv4."""
    addresses = socket.inet_aton(source[0]) + socket.inet_aton(target[0]) + struct.pack("!HH", source[1], target[1])
    return SIGNATURE + b"\x21\x11" + struct.pack("!H", len(addresses)) + addresses


class Headers(unittest.TestCase):
    def setUp(self):
        self.service = PlainServer(self)

    def wrap(self, plain):
        connection = client_context().wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False)
        self.addCleanup(connection.close)
        return connection

    def assert_arrives(self, client, expected):
        """What the client says comes to the service, behind this."""
        client.sendall(b"and now the rest")
        service = self.service.accept()
        self.assertEqual(receive(service, len(expected) + 16), expected + b"and now the rest")
        service.sendall(b"answer")
        self.assertEqual(receive(client, 6), b"answer")

    def test_the_service_is_told_who_the_client_is(self):
        proxy = Proxy(self, self.service.place, "--send-proxy")
        client = self.wrap(plain_socket(self, proxy.port))
        self.assert_arrives(client, header(client.getsockname(), ("127.0.0.1", proxy.port)))

    def test_the_service_is_told_of_a_client_in_ipv6_too(self):
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError:
            self.skipTest("there is no IPv6 here")
        proxy = Proxy(self, self.service.place, "--send-proxy", listen="[::1]:0")
        plain = socket.create_connection(("::1", proxy.port), LIMIT)
        client = self.wrap(plain)
        address = socket.inet_pton(socket.AF_INET6, "::1")
        self.assert_arrives(client, SIGNATURE + b"\x21\x21" + struct.pack("!H", 36) + 2 * address
                            + struct.pack("!HH", client.getsockname()[1], proxy.port))

    def test_a_header_from_another_proxy_is_taken_however_it_comes(self):
        proxy = Proxy(self, self.service.place, "--accept-proxy")
        said = header(("192.0.2.1", 1234), ("192.0.2.2", 443))
        for cuts in ([28], [1] * 28, [15, 13], [16, 12]):
            with self.subTest(cuts=cuts):
                plain, rest = plain_socket(self, proxy.port), said
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for cut in cuts:
                    plain.sendall(rest[:cut])
                    rest = rest[cut:]
                self.assert_arrives(self.wrap(plain), b"")

    def test_it_goes_on_as_it_came_with_all_that_it_says(self):
        proxy = Proxy(self, self.service.place, "--accept-proxy", "--send-proxy")
        more = b"\x02" + struct.pack("!H", 500) + b"x" * 500  # a TLV, which is not looked at
        said = header(("192.0.2.1", 1234), ("192.0.2.2", 443))
        said = said[:14] + struct.pack("!H", 12 + len(more)) + said[16:] + more
        plain = plain_socket(self, proxy.port)
        plain.sendall(said)
        self.assert_arrives(self.wrap(plain), said)

    def test_the_header_for_nobody_is_understood_whatever_it_says_of_addresses(self):
        proxy = Proxy(self, self.service.place, "--accept-proxy", "--send-proxy")
        for rest in (b"\x00\x00\x00", b"\x11\x00\x00", b"\xff\x00\x05hello"):
            with self.subTest(rest=rest):
                plain = plain_socket(self, proxy.port)
                plain.sendall(SIGNATURE + b"\x20" + rest)
                self.assert_arrives(self.wrap(plain), SIGNATURE + b"\x20" + rest)

    def test_a_client_of_another_family_is_taken(self):
        proxy = Proxy(self, self.service.place, "--accept-proxy", "--send-proxy")
        for family, size in ((0x00, 0), (0x21, 36), (0x31, 216)):
            with self.subTest(family=family):
                plain = plain_socket(self, proxy.port)
                said = SIGNATURE + bytes([0x21, family]) + struct.pack("!H", size) + b"a" * size
                plain.sendall(said)
                self.assert_arrives(self.wrap(plain), said)

    def test_a_header_that_comes_too_slowly_is_reset_after_five_seconds(self):
        proxy = Proxy(self, self.service.place, "--accept-proxy", "--verbose")
        plain = plain_socket(self, proxy.port)
        plain.settimeout(0.4)
        begun = time.monotonic()
        with self.assertRaises(OSError) as caught:
            for byte in SIGNATURE * LIMIT:
                plain.sendall(bytes([byte]))
                with contextlib.suppress(TimeoutError):
                    self.assertEqual(plain.recv(1), "nothing")
        self.assertIn(caught.exception.errno, (errno.ECONNRESET, errno.EPIPE))
        self.assertAlmostEqual(time.monotonic() - begun, 5, delta=1.5)
        proxy.stderr.wait_for("^tls_proxy: no PROXY header has come\n")

    def test_anything_else_is_reset(self):
        proxy = Proxy(self, self.service.place, "--accept-proxy", "--verbose")
        good = header(("192.0.2.1", 1234), ("192.0.2.2", 443))
        for bad in (b"\x16\x03\x01\x02\x00", b"PROXY TCP4 1.2.3.4 ", good[:11] + b"x", good[:12] + b"\x31" + good[13:],
                    good[:12] + b"\x22" + good[13:], good[:14] + b"\xff\xff",
                    # No such family, no such transport; fewer bytes than its addresses need.
                    good[:13] + b"\x41" + good[14:], good[:13] + b"\x13" + good[14:], good[:14] + b"\x00\x0b" + good[16:],
                    good[:13] + b"\x21" + good[14:], good[:13] + b"\x31" + good[14:]):
            with self.subTest(bad=bad):
                plain = plain_socket(self, proxy.port)
                plain.sendall(bad)
                with self.assertRaises(ConnectionResetError):
                    plain.recv(1)
        self.assertEqual(proxy.counts()["active"], 0)

    def test_through_two_of_them_the_service_learns_of_the_first_client(self):
        inner = Proxy(self, self.service.place, "--accept-proxy", "--send-proxy")
        outer = Proxy(self, f"localhost:{inner.port}", "--send-proxy", mode="client",
                      credentials=["--ca", certificate("ca.pem")])
        client = plain_socket(self, outer.port)
        self.assert_arrives(client, header(client.getsockname(), ("127.0.0.1", outer.port)))


if __name__ == "__main__":
    unittest.main()
