"""The options whose setters take a function of the program: sites by name, verdicts, secrets and traces that are told."""

import pathlib
import re
import shutil
import subprocess
import unittest

from support import LIMIT, Process, Server, certificate, example, free_port, identity, relay_client, tool
from test_options import Talking, s_client
from web_servers import Web


class Sites(unittest.TestCase):
    """--sites: another context for each name."""

    def setUp(self):
        self.folder = pathlib.Path(certificate("sites." + self.id()))
        self.folder.mkdir()
        self.add("localhost", "server")
        self.add("other.example", "wronghost")

    def add(self, name, files):
        for suffix in (".pem", ".key"):
            shutil.copy(certificate(files + suffix), self.folder / (name + suffix))

    def subject(self, server, *options):
        """Returns the common name that s_client is shown, or the alert."""
        told = subprocess.run([tool("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{server.port}", *options], check=False,
                              timeout=LIMIT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL).stdout
        found = re.search(rb"(?m)^subject=CN ?= ?(.*)$|SSL alert number (\d+)", told)
        return (found[1] or found[2]).decode()

    def test_the_name_decides_and_others_are_refused(self):
        server = Server(self, "echo_server", "--sites", self.folder, "--verbose", certificate="rsa")
        for name, expected in (("localhost", "localhost"), ("other.example", "other.example"), ("OTHER.Example", "other.example"),
                               ("none.example", "112"), ("x.other.example", "112")):
            for version in ("-tls1_2", "-tls1_3"):
                with self.subTest(name=name, version=version):
                    self.assertEqual(self.subject(server, "-servername", name, version), expected)
        server.stderr.wait_for(r"^echo_server: the program refused the peer$")
        self.assertEqual(self.subject(server, "-noservername", "-sigalgs", "rsa_pss_rsae_sha256"), "localhost")  # that of --cert

    def test_without_a_certificate_of_no_name_a_name_is_needed(self):
        server = Process(self, example("echo_server"), "--port", "0", "--sites", self.folder)
        server.port = int(server.stdout.wait_for(r"^listening on \S+:(\d+)\n")[1])
        self.assertEqual(self.subject(server, "-servername", "localhost"), "localhost")
        self.assertIn(self.subject(server, "-noservername"), ("80", "112"))

    def test_files_count_as_soon_as_they_are_there(self):
        server = Server(self, "https_server", "--sites", self.folder)
        self.assertEqual(self.subject(server, "-servername", "new.example"), "112")
        self.add("new.example", "wronghost")
        self.assertEqual(self.subject(server, "-servername", "new.example"), "other.example")
        (self.folder / "new.example.pem").write_text("nothing\n")
        self.assertEqual(self.subject(server, "-servername", "new.example"), "112")
        server.stderr.wait_for(rf"https_server: .*{self.folder}/new.example.pem")

    def test_a_site_has_everything_else_of_the_command_line(self):
        server = Web(self, "h2_server", "--sites", self.folder, "--tls", "1.2", "--client-ca", certificate("ca.pem"))
        curl = [tool("curl", "curl"), "--silent", "--http2", "--output", "/dev/null", "--write-out", "%{http_version} %{ssl_verify_result}",
                "--cacert", certificate("ca.pem"), "--noproxy", "*", "--connect-to", f"other.example:443:127.0.0.1:{server.port}"]
        client = Process(self, *curl, *identity("client"), "https://other.example/text.txt")
        self.assertEqual((client.exit_code(), client.stdout.text), (0, "2 0"))
        self.assertNotEqual(Process(self, *curl, *identity("stranger"), "https://other.example/text.txt").exit_code(), 0)
        self.assertNotEqual(Process(self, *curl, *identity("client"), "--tlsv1.3", "https://other.example/text.txt").exit_code(), 0)

    def test_the_proxy_reads_them_too(self):
        server = Server(self, "tls_proxy", "--upstream", "127.0.0.1:9", "--sites", self.folder)
        self.assertEqual(self.subject(server, "-servername", "other.example"), "other.example")
        self.assertEqual(self.subject(server, "-servername", "none.example"), "112")


class Verdicts(Talking):
    def shown(self, *options, files="server", code=3):
        """Has a client with a word about verdicts visit s_server. Returns what it printed."""
        port = free_port()
        server = Process(self, tool("openssl", "openssl"), "s_server", "-accept", f"127.0.0.1:{port}", "-naccept", "1", *(
            word.replace("--", "-") for word in identity(files)))
        server.stdout.wait_for("ACCEPT")
        client = relay_client(self, port, *options, host="localhost")
        client.stdin.close()
        self.assertEqual(client.exit_code(), code, client.stderr.text)
        return client.stderr.text

    def test_show_verdict_prints_what_was_found_and_the_certificates(self):
        good = self.shown("--show-verdict", code=0)
        self.assertRegex(good, r"(?m)\Averdict: 0 at -1\nverification: 0, ok\nsubject: CN=localhost\nissuer: CN=tlsmem test authority\n")
        self.assertIn(pathlib.Path(certificate("server.pem")).read_text(encoding="ascii").strip(), good)
        bad = self.shown("--show-verdict", files="expired")
        self.assertRegex(bad, r"(?ms)\Averdict: 10 at 0\nverification: 10, certificate has expired\n.*END CERTIFICATE.*^relay_client: .*expired")

    def test_insecure_accept_takes_what_was_found_and_nothing_else(self):
        self.assertRegex(self.shown("--insecure-accept", "10", files="expired", code=0), r"\Averdict: 10 at 0\n")
        self.assertRegex(self.shown("--insecure-accept", "62", files="wronghost", code=0), r"\Averdict: 62 at 0\n")
        self.assertRegex(self.shown("--insecure-accept", "10", files="wronghost"), r"\Averdict: 62 at 0\n")
        self.assertRegex(self.shown("--show-verdict", "--insecure-accept", "18", files="selfsigned", code=0), r"\Averdict: 18 at 0\n")
        self.assertRegex(self.shown("--insecure-accept", "10", code=0), r"\Averdict: 0 at -1\n")

    def test_a_server_has_them_too(self):
        trusts = ["--client-ca", certificate("ca.pem")]
        server = Server(self, "echo_server", *trusts, "--show-verdict")
        s_client(server.port, *(word.replace("--", "-") for word in identity("client")))
        server.stderr.wait_for(r"\Averdict: 0 at -1\nverification: 0, ok\nsubject: CN=test client\n")
        self.refused("expired", [*trusts], identity("expired-client"))
        code, said = self.talk([*trusts, "--insecure-accept", "10"], identity("expired-client"))
        self.assertEqual(code, 0, said)

    def test_a_pin_without_verification_is_a_verdict_too(self):
        self.assertRegex(self.shown("--show-verdict", "--insecure", "--pin", "0" * 64), r"\Averdict: 65 at 0\nverification: off\nsubject: ")


class Told(Talking):
    def test_keylog_stderr_has_the_lines_of_the_file(self):
        for version, count in (("1.2", 1), ("1.3", 5)):
            server = Server(self, "echo_server", "--tls", version)
            file = certificate(f"{self.id()}.{version}")
            client = relay_client(self, server.port, "--keylog", file, "--keylog-stderr")
            client.stdin.close()
            self.assertEqual(client.exit_code(), 0)
            lines = client.stderr.text.splitlines()
            self.assertEqual(lines, pathlib.Path(file).read_text(encoding="ascii").splitlines())
            self.assertEqual(len(lines), count)

    def test_trace_is_for_every_program(self):
        for name, *options in (["relay_server"], ["own_loop_libuv"], ["tls_proxy", "--upstream", "127.0.0.1:9"]):
            server = Server(self, name, "--trace", *options)
            s_client(server.port)
            for message in ("<   ClientHello", ">   ServerHello", ">   Finished"):
                server.stderr.wait_for(rf"^{name}: {message}, \d+ bytes$")


if __name__ == "__main__":
    unittest.main()
