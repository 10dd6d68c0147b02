"""A client whose program chooses the certificate, a moment after the server has said which it wants: others' servers."""

import os
import subprocess
import tempfile
import unittest

from support import BUILD, HERE, LIMIT, VERSIONS, Process, certificate, free_port, tool, variants
from tls import PythonServer, server_context

CA = "tlsmem test authority"
PAIRS = ("another test authority", certificate("stranger.pem"), certificate("stranger.key"),
         CA, certificate("client.pem"), certificate("client.key"))
PRIORITY = {"1.2": "NORMAL:-VERS-ALL:+VERS-TLS1.2", "1.3": "NORMAL:-VERS-ALL:+VERS-TLS1.3"}


class Choosing:
    """`version` is set by the variants."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="tlsmem-choosing-")
        cls.addClassCleanup(folder.cleanup)
        cls.program = os.path.join(folder.name, "choosing")
        stage = BUILD / "stage" / "lib"
        subprocess.run(
            [tool("cc", "gcc"), "-std=c99", "-Wall", "-Wextra", "-Werror", "-o", cls.program, HERE / "choosing.c",
             "-I", stage.parent / "include", "-L", stage, "-ltlsmem", f"-Wl,-rpath,{stage}"], check=True, timeout=LIMIT)

    def client(self, port, *pairs):
        return Process(self, self.program, certificate("ca.pem"), port, *pairs)

    def check(self, client, authorities=1):
        """The second of two was chosen, and the server took it."""
        self.assertEqual(client.exit_code(), 0, client.stderr.text)
        said = client.stdout.text
        self.assertIn(f"asked: {authorities} authorities, rsa_pss_rsae_sha256 1\nchosen 2\nanswered TLSMEM_OK\n", said)
        self.assertIn("ping\n", said)
        self.assertIn("closed TLSMEM_OK", said)

    def test_with_s_server(self):
        port = free_port()
        server = Process(
            self, tool("openssl", "openssl"), "s_server", "-accept", f"127.0.0.1:{port}", "-cert", certificate("server.pem"), "-key",
            certificate("server.key"), "-Verify", "1", "-verify_return_error", "-CAfile", certificate("ca.pem"),
            "-tls" + self.version.replace(".", "_"), "-rev")
        server.stdout.wait_for("ACCEPT")
        client = self.client(port, *PAIRS)
        self.assertEqual(client.exit_code(), 0, client.stderr.text)
        self.assertIn("chosen 2\n", client.stdout.text)
        self.assertIn("gnip\n", client.stdout.text)  # its echo begins with the end
        server.stderr.wait_for("CN ?= ?test client")

    def test_with_gnutls_serv(self):
        port = free_port()
        server = Process(
            self, "stdbuf", "-oL", tool("gnutls-serv", "gnutls-bin"), "--echo", "--port", port, "--x509certfile",
            certificate("server.pem"), "--x509keyfile", certificate("server.key"), "--x509cafile", certificate("ca.pem"),
            "--require-client-cert", "--verify-client-cert", "--priority", PRIORITY[self.version])
        server.stderr.wait_for(r"listening on IPv4 .*done")
        self.check(self.client(port, *PAIRS))
        self.assertIn("test client", server.stdout.text)

    def test_with_python(self):
        server = PythonServer(self, server_context(self.version, client_ca="ca.pem"))
        client = self.client(server.port, *PAIRS)
        connection = server.establish()
        self.assertEqual(connection.getpeercert()["subject"], ((("commonName", "test client"),),))
        connection.sendall(connection.recv(100))
        self.assertEqual(connection.recv(100), b"")
        connection.unwrap()
        self.check(client, authorities=0)  # Python does not name them

    def test_without_any_python_ends_it(self):
        server = PythonServer(self, server_context(self.version, client_ca="ca.pem"))
        client = self.client(server.port)
        with self.assertRaisesRegex(OSError, "(?i)peer did not return a certificate"):
            server.establish()
        self.assertEqual(client.exit_code(), 0, client.stderr.text)
        self.assertIn("chosen 0\nanswered TLSMEM_OK\n", client.stdout.text)
        self.assertRegex(client.stdout.text, "closed TLSMEM_E(ALERT|REJECTED)")


variants(globals(), Choosing, version=VERSIONS)

if __name__ == "__main__":
    unittest.main()
