"""--trace shows the records and messages that the peer shows with -msg, and nothing of the application."""

import json
import re
import unittest

from support import VERSIONS, Process, Server, certificate, example, free_port, identity, tool, variants
from tls import client_context, connect, receive

SECRET = b"this is for the peer alone"
# The names that s_client and s_server have for what is a handshake's message to us.
THEIRS = re.compile(r"^(<<<|>>>) [^,]+, (\w+) \[length ([0-9a-f]{4})\](?:, (.*))?$", re.MULTILINE)
OURS = re.compile(r"^\w+: ([<>]) (?:record 0x\w{4}, (\d+) bytes of (\w+)|  it holds (\w+)|  ([^,\n]+), (\d+) bytes)$", re.MULTILINE)

CLOSE = {("RecordHeader", 5), ("InnerContent", 1), ("Alert", 2)}


def theirs(text):
    """What a peer with -msg has sent and received, as (it was sent, what, bytes)."""
    found = []
    for way, kind, length, name in THEIRS.findall(text):
        found.append((way == ">>>", name if kind == "Handshake" else kind, int(length, 16)))
    return found


def ours(text):
    """The same of --trace."""
    found = []
    for way, length, content, inner, name, size in OURS.findall(text):
        if content:
            found.append((way == ">", "RecordHeader", 5))
        elif inner:
            found.append((way == ">", "InnerContent", 1))
        else:
            kind = {"close notify": "Alert", "change_cipher_spec": "ChangeCipherSpec"}.get(name, name)
            found.append((way == ">", kind, int(size)))
    return found


def objects(text):
    """The same of --trace-json, from its objects."""
    found = []
    for piece in map(json.loads, text.splitlines()):
        way, name = piece["sent"], piece["name"]
        if piece["kind"] == "record":
            found.append((way, "RecordHeader", 5))
        elif piece["kind"] == "content":
            found.append((way, "InnerContent", 1))
        else:
            kind = {"close notify": "Alert", "change_cipher_spec": "ChangeCipherSpec"}.get(name, name)
            found.append((way, kind, piece["length"]))
    return found


class Trace:
    """`version` is set by the variants."""

    def check(self, own, peers):
        """Both have the same, but for who has sent it; a change_cipher_spec is told by its sender alone."""
        def flow(pieces, sent):
            return [piece[1:] for piece in pieces if piece[0] == sent and piece[1] != "ChangeCipherSpec"]

        self.maxDiff = None
        self.assertEqual(flow(own, False), flow(peers, True))
        sent, received = flow(own, True), flow(peers, False)
        self.assertEqual(sent[:len(received)], received)
        self.assertLessEqual(set(sent[len(received):]), CLOSE)  # s_client goes without waiting for it
        messages = [kind for _, kind, _ in own]
        for kind in ("ClientHello", "ServerHello", "Certificate", "Finished", "Alert", "RecordHeader"):
            self.assertIn(kind, messages)
        self.assertIn({"1.2": "ServerKeyExchange", "1.3": "EncryptedExtensions"}[self.version], messages)

    def test_of_a_client_is_that_of_s_server(self):
        port = free_port()
        server = Process(self, tool("openssl", "openssl"), "s_server", "-accept", f"127.0.0.1:{port}", *(
            word.replace("--", "-") for word in identity()), "-www", "-msg", "-naccept", "1")
        server.stdout.wait_for("ACCEPT")
        got = Process(self, example("https_get"), "--trace", "--tls", self.version, "--ca", certificate("ca.pem"),
                      "--output", "/dev/null", f"https://localhost:{port}/")
        self.assertEqual(got.exit_code(), 0, got.stderr.text)
        server.exit_code()
        self.check(ours(got.stderr.text), theirs(server.stdout.text))

    def test_of_a_server_is_that_of_s_client(self):
        server = Server(self, "echo_server", "--trace", "--tls", self.version, "--max", "1", "--client-ca", certificate("ca.pem"))
        client = Process(
            self, tool("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{server.port}", "-servername", "localhost", "-msg",
            "-nocommands", "-cert", certificate("client.pem"), "-key", certificate("client.key"))
        client.write(SECRET + b"\n")
        client.stdout.wait_for(b"^" + SECRET + b"$")
        client.stdin.close()
        self.assertEqual(client.exit_code(), 0)
        self.assertEqual(server.exit_code(), 0)
        self.assertNotIn(SECRET, server.stderr.bytes)
        own = ours(server.stderr.text)
        self.assertIn("CertificateRequest", [kind for _, kind, _ in own])
        self.assertEqual(len(own), len(server.stderr.text.splitlines()))  # each line is one of these
        self.check(own, theirs(client.stdout.text))

    def traced(self, option):
        """What a server says of a client that says something and closes; with RSA, whose signatures are of one length."""
        server = Server(self, "echo_server", option, "--tls", self.version, "--max", "1", certificate="rsa")
        client = connect(self, server.port, client_context(self.version))
        client.sendall(SECRET)
        self.assertEqual(receive(client, len(SECRET)), SECRET)
        client.unwrap()
        self.assertEqual(server.exit_code(), 0)
        return server.stderr.text

    def test_as_json_it_is_the_same(self):
        text, lines = self.traced("--trace"), self.traced("--trace-json")
        self.assertNotIn(SECRET.decode(), lines)
        self.assertEqual(objects(lines), ours(text))
        pieces = [json.loads(line) for line in lines.splitlines()]
        records = [piece for piece in pieces if piece["kind"] == "record"]
        self.assertEqual([f"{piece['record_length']} {piece['name']}" for piece in records],
                         [f"{length} {name}" for _, length, name, *_ in OURS.findall(text) if name])
        keys = {"ms", "connection", "role", "kind", "sent", "version", "content_type", "handshake_type", "name", "length",
                "record_length", "lost"}
        for piece in pieces:
            self.assertEqual(set(piece), keys)
            self.assertEqual((piece["role"], piece["lost"], piece["connection"]), ("server", 0, pieces[0]["connection"]))
        times = [piece["ms"] for piece in pieces]
        self.assertEqual(times, sorted(times))
        hello = next(piece for piece in pieces if piece["name"] == "ClientHello")
        self.assertEqual((hello["sent"], hello["content_type"], hello["handshake_type"]), (False, 22, 1))

    def test_two_connections_are_told_apart(self):
        server = Server(self, "echo_server", "--trace-json", "--tls", self.version, "--max", "2")
        clients = [connect(self, server.port, client_context(self.version)) for _ in range(2)]  # both there at once
        for client in clients:
            client.unwrap()
        self.assertEqual(server.exit_code(), 0)
        pieces = [json.loads(line) for line in server.stderr.text.splitlines()]
        flows = {name: [(piece["sent"], piece["name"]) for piece in pieces if piece["connection"] == name]
                 for name in {piece["connection"] for piece in pieces}}
        self.assertEqual(len(flows), 2)
        for flow in flows.values():
            self.assertIn((False, "ClientHello"), flow)
            self.assertIn((False, "Finished"), flow)


variants(globals(), Trace, version=VERSIONS)

if __name__ == "__main__":
    unittest.main()
