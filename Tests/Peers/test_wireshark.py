"""Wireshark reads what was captured of our connections with the file that --keylog writes, and nothing without it."""

import subprocess
import unittest

from capture import Capture
from support import LIMIT, VERSIONS, Process, Server, certificate, identity, relay_client, tool, variants
from web import WebTest

CLIENT_HELLO, CERTIFICATE, KEY_UPDATE = 1, 11, 24  # RFC 8446, B.3
UP, DOWN = b"what the client keeps secret: %d\n", b"what the server keeps secret: %d\n"


def said(times):
    """What both sides have said after so many turns of `talk`."""
    return b"".join(UP % turn for turn in range(times)), b"".join(DOWN % turn for turn in range(times))


class Talk:
    """Two programs of which each sends what it reads. Those of them that are ours keep key logs."""

    def setUp(self):
        self.logs, self.turns = [], 0

    def begin(self, who, version, *options):
        """Starts both, of which the "server", the "client" or "both" are ours, and the capture in between."""
        if who == "client":
            self.server = Process(
                self, tool("openssl", "openssl"), "s_server", "-accept", "127.0.0.1:0", "-naccept", "1",
                *(word.replace("--", "-") for word in identity()))
            port = int(self.server.stdout.wait_for(r"^ACCEPT \S+:(\d+)$")[1])
        else:
            self.server = Server(self, "relay_server", *self.of_ours("server", version), *options)
            port = self.server.port
        self.capture = Capture(self, port)
        if who == "server":
            self.client = Process(
                self, tool("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{port}", "-quiet", "-no_ign_eof",
                "-CAfile", certificate("ca.pem"), "-verify_return_error")
        else:
            self.client = relay_client(self, port, *self.of_ours("client", version), *options)

    def of_ours(self, side, version):
        self.logs.append(certificate(f"{self.id()}.{side}"))
        return "--tls", version, "--keylog", self.logs[-1]

    def talk(self):
        """Has the client say something, and the server something else."""
        up, down = UP % self.turns, DOWN % self.turns
        self.turns += 1
        self.client.write(up)
        self.server.stdout.wait_for(up)
        self.server.write(down)
        self.client.stdout.wait_for(down)

    def check(self):
        """Ends the capture, has it read with each key log and with none, and returns the connection."""
        self.capture.end()
        closed, = self.capture.read()
        self.assertEqual((closed.up, closed.down), (b"", b""))
        for keylog in self.logs:
            opened, = self.capture.read(keylog)
            self.assertEqual((opened.up, opened.down), said(self.turns))
        return opened


class Session(Talk):
    """`version` and `who`, which of both are ours, are set by the variants."""

    def test_is_read_with_the_key_log_only(self):
        self.begin(self.who, self.version)
        self.talk()
        self.check()


class NewKeys(Talk, unittest.TestCase):
    """Of one connection, in its middle: what follows from the first secrets, and what does not."""

    def updates(self, connection):
        return [messages.count(KEY_UPDATE) for messages in (connection.messages_up, connection.messages_down)]

    def test_of_updates_that_both_of_ours_make(self):
        self.begin("both", "1.3", "--key-update", "1")
        for _ in range(4):
            self.talk()
        for updates in self.updates(self.check()):
            self.assertGreaterEqual(updates, 3)

    def test_of_updates_that_s_client_makes_and_asks_for(self):
        self.begin("server", "1.3")
        self.talk()
        for number in range(3):
            self.client.write(b"K\n")
            self.client.stderr.wait_for(rf"(?s)\A(.*KEYUPDATE\n){{{number + 1}}}")
            self.talk()
        self.assertEqual(self.updates(self.check()), [3, 3])

    def test_of_a_renegotiation_that_s_client_begins(self):
        self.begin("server", "1.2", "--renegotiation", "once")
        self.talk()
        self.client.write(b"R\n")
        self.client.stderr.wait_for("(?s)RENEGOTIATING.*verify return:1.*verify return:1")
        self.talk()
        self.assertEqual(self.check().messages_up.count(CLIENT_HELLO), 2)

    def test_of_a_renegotiation_that_s_server_asks_for(self):
        self.begin("client", "1.2", "--renegotiation", "once")
        self.talk()
        self.server.write(b"r\n")
        self.server.stdout.wait_for("SSL_do_handshake -> 1")
        self.talk()
        self.assertEqual(self.check().messages_up.count(CLIENT_HELLO), 2)


class Embedded(Talk, unittest.TestCase):
    """As the manual has it: the secrets go into the capture itself, for whoever is given it."""

    def follow(self, file):
        return self.capture.tshark("-q", "-z", "follow,tls,ascii,0", file=file)

    def test_a_capture_with_its_secrets_is_read_without_a_key_log(self):
        self.begin("both", "1.3")
        self.talk()
        self.check()
        opened = self.capture.folder / "opened.pcapng"
        subprocess.run([tool("editcap", "tshark"), "--inject-secrets", f"tls,{self.logs[0]}", self.capture.file, opened],
                       check=True, timeout=LIMIT, capture_output=True)
        before, followed = self.follow(self.capture.file), self.follow(opened)
        for text in said(self.turns):
            self.assertIn(text.decode(), followed)
            self.assertNotIn(text.decode(), before)


class TwoVisits(WebTest):
    """https_get comes a second time with the session of the first."""

    def visit(self, *options, server=()):
        """Checks what both key logs show of both visits, and returns what https_get tells of them."""
        self.logs = [self.folder / f"{self.id()}.{side}" for side in ("server", "client")]
        (self.root / "secret").write_bytes(DOWN % 0)
        serving = Server(self, "https_server", "--root", self.root, "--keylog", self.logs[0], *server)
        self.capture = Capture(self, serving.port)
        got = self.https_get("--keylog", self.logs[1], *options, f"https://localhost:{serving.port}/secret")
        self.assertEqual((got.code, got.stdout.bytes), (0, DOWN % 0), got.stderr.text)
        self.capture.end()
        self.assertEqual([(visit.up, visit.down) for visit in self.capture.read()], [(b"", b"")] * 2)
        for log in self.logs:
            visits = self.capture.read(log)
            for visit in visits:
                self.assertTrue(visit.up.startswith(b"GET /secret HTTP/1.1\r\n"), visit.up)
                self.assertTrue(visit.down.endswith(DOWN % 0), visit.down)
            self.assertEqual([CERTIFICATE in visit.messages_down for visit in visits], [True, False])
        return got.stderr.text

    def test_a_resumed_session_of_tls_1_2_is_read(self):
        self.assertEqual(self.visit("--resume", "--tls", "1.2"), "https_get: resumed: TLSv1.2\n")

    def test_a_resumed_session_of_tls_1_3_is_read(self):
        self.assertEqual(self.visit("--resume", "--tls", "1.3"), "https_get: resumed: TLSv1.3\n")

    def test_early_data_is_read_with_a_secret_of_its_own(self):
        self.assertIn("early data: taken\n", self.visit("--early", server=("--early-data", "16384")))
        for log in self.logs:
            rest = self.folder / f"{log.name}.rest"
            lines = log.read_text().splitlines(keepends=True)
            rest.write_text("".join(line for line in lines if not line.startswith("CLIENT_EARLY_TRAFFIC_SECRET ")))
            first, second = self.capture.read(rest)
            self.assertTrue(first.up.startswith(b"GET /secret HTTP/1.1\r\n"), first.up)
            self.assertEqual(second.up, b"")
            self.assertTrue(second.down.endswith(DOWN % 0), second.down)


del WebTest  # it has no tests of its own
variants(globals(), Session, version=VERSIONS, who=("server", "client", "both"))

if __name__ == "__main__":
    unittest.main()
