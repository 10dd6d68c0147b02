"""A configuration file of OpenSSL's that allows what nobody should: the library's floors hold all the same. The peers have the
same file, so that they offer as much."""

import os
import subprocess
import tempfile
import unittest
import unittest.mock

from support import LIMIT, Process, Server, certificate, example, free_port, identity, relay_client, tool

WEAK = """openssl_conf = library
[library]
ssl_conf = ssl
[ssl]
system_default = weak
[weak]
MinProtocol = TLSv1
CipherString = ALL:@SECLEVEL=0
Options = UnsafeLegacyRenegotiation,UnsafeLegacyServerConnect,Compression,AllowNoDHEKEX
"""


class WeakConfiguration(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tlsmem-weak-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        path = os.path.join(folder.name, "openssl.cnf")
        with open(path, "w", encoding="ascii") as file:
            file.write(WEAK)
        patch = unittest.mock.patch.dict(os.environ, OPENSSL_CONF=path)
        patch.start()
        self.addCleanup(patch.stop)

    def s_client(self, server, *options):
        client = Process(self, tool("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{server.port}", *options)
        self.assertNotEqual(client.exit_code(), 0)
        return client.stderr.text

    def test_a_server_speaks_no_older_version(self):
        server = Server(self, "echo_server")
        for version in ("-tls1", "-tls1_1"):
            self.assertIn("alert number 70", self.s_client(server, version))

    def test_a_server_has_no_weaker_ciphers(self):
        server = Server(self, "echo_server", certificate="rsa")
        for cipher in ("AES128-SHA256", "ECDHE-RSA-AES128-SHA", "ADH-AES128-SHA256", "NULL-SHA256"):
            said = self.s_client(server, "-tls1_2", "-cipher", cipher + ":@SECLEVEL=0")
            self.assertIn("alert number 40", said)

    def test_a_server_takes_no_weaker_key(self):
        key, path = os.path.join(self.folder, "key"), os.path.join(self.folder, "pem")
        subprocess.run([tool("openssl", "openssl"), "req", "-x509", "-newkey", "rsa:1024", "-nodes", "-subj", "/CN=weak", "-config",
                        "/dev/null", "-keyout", key, "-out", path], check=True, timeout=LIMIT, capture_output=True)
        server = Process(self, example("echo_server"), "--port", "0", "--cert", path, "--key", key)
        self.assertEqual(server.exit_code(), 3)
        self.assertIn("key too small", server.stderr.text)

    def test_a_client_speaks_no_older_version(self):
        server = Process(self, tool("openssl", "openssl"), "s_server", "-accept", "127.0.0.1:0", "-tls1_1", *(
            word.replace("--", "-") for word in identity()))
        client = relay_client(self, int(server.stdout.wait_for(r"^ACCEPT \S+:(\d+)$")[1]))
        self.assertEqual(client.exit_code(), 3)
        self.assertRegex(client.stderr.text, "version")

    def test_a_client_leaves_a_server_without_rfc_5746(self):
        port = free_port()
        server = Process(
            self, "stdbuf", "-oL", tool("gnutls-serv", "gnutls-bin"), "--echo", "--port", port, "--disable-client-cert",
            "--x509certfile", certificate("server.pem"), "--x509keyfile", certificate("server.key"),
            "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2:%DISABLE_SAFE_RENEGOTIATION")
        server.stderr.wait_for("IPv4 .*done")
        client = relay_client(self, port)
        self.assertEqual(client.exit_code(), 3)
        self.assertIn("unsafe legacy renegotiation disabled", client.stderr.text)

    def test_a_server_does_not_renegotiate_with_a_client_without_rfc_5746(self):
        server = Server(self, "echo_server", "--verbose", "--renegotiation", "always")
        client = Process(
            self, tool("gnutls-cli", "gnutls-bin"), "--port", server.port, "--x509cafile", certificate("ca.pem"),
            "--inline-commands", "--logfile", "/dev/null", "--verify-hostname", "localhost",
            "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2:%DISABLE_SAFE_RENEGOTIATION", "127.0.0.1")
        client.write(b"line\n")
        client.stdout.wait_for_length(5)
        client.write(b"^renegotiate^\n")
        client.stderr.wait_for("A TLS warning alert has been received")

    def test_a_key_in_common_needs_a_key_exchange(self):
        key = "00112233445566778899aabbccddeeff"
        server = Server(self, "echo_server", "--psk", "peer:" + key)
        for exchange, said in (("PSK", b""), ("ECDHE-PSK", b"line\n")):
            client = Process(
                self, tool("gnutls-cli", "gnutls-bin"), "--port", server.port, "--pskusername", "peer", "--pskkey", key,
                "--logfile", "/dev/null", "--priority", f"NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:+{exchange}", "127.0.0.1")
            client.feed(b"line\n")
            self.assertEqual(client.exit_code() == 0, said != b"", client.stderr.text)
            self.assertEqual(client.stdout.bytes, said)


if __name__ == "__main__":
    unittest.main()
