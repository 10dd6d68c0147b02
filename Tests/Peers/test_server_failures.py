"""What goes wrong between a client and an echo server: a sentence for the one, an alert for the other, and on it goes.

Each failure is provoked by one function, on a server that speaks TLS 1.3 only, requires a client certificate and has
one application protocol. The function asserts what the peer sees. The tests then look at the server.
"""

import socket
import ssl
import unittest

from support import SERVERS, Process, Server, certificate, tool, variants
from tls import Wire, client_context, connect, exchange, plain_socket, refusal

OPTIONS = ("--verbose", "--tls", "1.3", "--alpn", "echo/1")


def good_context(**changes):
    return client_context(**({"version": "1.3", "alpn": ["echo/1"], "identity": "client"} | changes))


def read_to_end(connection):
    """Reads until the server has ended the connection, by FIN or by RST; returns what came."""
    received = b""
    try:
        while chunk := connection.recv(1 << 16):
            received += chunk
    except ConnectionResetError:
        pass
    return received


def plain_text(test, port):
    with plain_socket(test, port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        test.assertNotIn(b"HTTP", read_to_end(connection))


def end_of_file_after_half_a_client_hello(test, port):
    wire = Wire(test, port, good_context())
    hello = wire.first_flight()
    wire.socket.sendall(hello[:len(hello) // 2])
    wire.socket.shutdown(socket.SHUT_WR)
    read_to_end(wire.socket)


def reset_in_the_handshake(test, port):
    wire = Wire(test, port, good_context())
    wire.socket.sendall(wire.first_flight())
    wire.receive()  # the server has answered: it is in the midst of it
    wire.reset()


def client_that_does_not_trust_us(test, port):
    with test.assertRaises(ssl.SSLCertVerificationError):
        connect(test, port, good_context(ca="other-ca.pem"))


def no_client_certificate(test, port):
    test.assertEqual(refusal(test, port, good_context(identity=None)), "TLSV13_ALERT_CERTIFICATE_REQUIRED")


def client_certificate_of_another_authority(test, port):
    test.assertEqual(refusal(test, port, good_context(identity="stranger")), "TLSV1_ALERT_UNKNOWN_CA")


def no_common_version(test, port):
    test.assertEqual(refusal(test, port, good_context(version="1.2")), "TLSV1_ALERT_PROTOCOL_VERSION")


def no_common_application_protocol(test, port):
    # By s_client, since Python has no name for this alert.
    client = Process(test, tool("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{port}", "-alpn", "other")
    test.assertEqual(client.exit_code(), 1)
    test.assertIn("SSL alert number 120", client.stderr.text)


# What the server's sentence must speak of.
PROVOCATIONS = {
    plain_text: "does not speak TLS",
    end_of_file_after_half_a_client_hello: "handshake",
    reset_in_the_handshake: "reset",
    client_that_does_not_trust_us: "does not accept our certificate: alert 48",
    no_client_certificate: "the peer sent no certificate",
    client_certificate_of_another_authority: "the peer's certificate is not trusted",
    no_common_version: "no common protocol version",
    no_common_application_protocol: "no common application protocol",
}


class ServerFailures:
    """`name` is set by the variants."""

    def setUp(self):
        self.server = Server(self, self.name, *OPTIONS, "--client-ca", certificate("ca.pem"))

    def sentence_after(self, provocation):
        """Provokes a failure; returns what the server says of it."""
        start = len(self.server.stderr.bytes)
        provocation(self, self.server.port)
        line = self.server.stderr.wait_for(rf"^{self.name}: (.+)\n", start)
        return line[1].decode()

    def still_serves(self):
        with connect(self, self.server.port, good_context()) as connection:
            self.assertEqual(exchange(connection, b"still there?"), b"still there?")
            connection.unwrap().close()  # in order, for no other sentence is to come
        self.assertTrue(self.server.stays_for(0))

    def check(self, provocation):
        sentence = self.sentence_after(provocation)
        self.assertRegex(sentence, f"(?i){PROVOCATIONS[provocation]}")
        self.still_serves()

    def test_all_in_turn_have_each_a_sentence_of_its_own(self):
        sentences = {}
        for provocation in PROVOCATIONS:
            sentence = self.sentence_after(provocation)
            self.assertNotIn(sentence, sentences, f"{provocation.__name__} and {sentences.get(sentence)}")
            sentences[sentence] = provocation.__name__
            self.still_serves()


for provoke in PROVOCATIONS:
    def check(self, provoke=provoke):
        self.check(provoke)
    setattr(ServerFailures, f"test_{provoke.__name__}_is_reported_and_survived", check)
variants(globals(), ServerFailures, name=SERVERS)

if __name__ == "__main__":
    unittest.main()
