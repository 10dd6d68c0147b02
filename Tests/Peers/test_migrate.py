"""The clients of tlsmem-migrate(7), before and after: with all servers the ones do what the others do, and end as they end."""

import functools
import os
import subprocess
import unittest

from support import BUILD, HERE, LIMIT, Process, Server, certificate, tool, variants
from tls import PythonServer, server_context


@functools.cache
def programs():
    """Builds them, once for the run, with the library that `make` has laid out; returns their folder."""
    paths = [str(BUILD / "stage/lib/pkgconfig"), *filter(None, [os.environ.get("PKG_CONFIG_PATH")])]
    subprocess.run(["make", "--silent", "-C", HERE.parent / "Migrate", f"BUILD={BUILD / 'migrate'}"], check=True,
                   timeout=2 * LIMIT, env=os.environ | {"PKG_CONFIG_PATH": ":".join(paths)})
    return BUILD / "migrate"


class Migrating:
    """`name` and `when` are set by the variants."""

    def client(self, port, ca="ca.pem"):
        return Process(self, programs() / f"{self.name}_{self.when}", "localhost", port, certificate(ca))

    def ends(self, client, code, said):
        self.assertEqual((client.exit_code(), client.stdout.text), (code, said), client.stderr.text)

    def test_it_is_answered_and_closes_so_that_the_server_sees_it(self):
        server = Server(self, "echo_server", "--stats", "--max", "1")
        self.ends(self.client(server.port), 0, "hello\n")
        self.assertEqual(server.exit_code(), 0)
        self.assertRegex(server.stdout.text, r"in=6 out=6 .*close=TLSMEM_OK\n\Z")

    def test_it_says_which_file_of_authorities_is_not_there(self):
        server = Server(self, "echo_server")
        client = Process(self, programs() / f"{self.name}_{self.when}", "localhost", server.port, "/no/such/authorities.pem")
        self.ends(client, 1, "")
        if self.when == "after":
            self.assertIn("/no/such/authorities.pem", client.stderr.text)

    def test_it_is_answered_by_a_server_of_openssls(self):
        server = Process(self, tool("openssl", "openssl"), "s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-rev",
                         "-cert", certificate("server.pem"), "-key", certificate("server.key"))
        port = int(server.stdout.wait_for(r"^ACCEPT \S+:(\d+)\n")[1])
        self.ends(self.client(port), 0, "olleh\n")

    def test_it_refuses_a_server_of_another_authority(self):
        self.refuses(Server(self, "echo_server", "--max", "1"), "other-ca.pem")

    def test_it_refuses_a_server_of_another_name(self):
        self.refuses(Server(self, "echo_server", "--max", "1", certificate="wronghost"))

    def test_it_refuses_a_server_whose_time_is_over(self):
        self.refuses(Server(self, "echo_server", "--max", "1", certificate="expired"))

    def refuses(self, server, ca="ca.pem"):
        client = self.client(server.port, ca)
        self.ends(client, 1, "")
        self.assertNotEqual(client.stderr.text, "")

    def test_it_does_not_take_an_answer_that_was_cut_off(self):
        server = PythonServer(self, server_context())
        client = self.client(server.port)
        connection = server.establish()
        self.assertEqual(connection.recv(6), b"hello\n")
        connection.sendall(b"half")
        connection.close()  # without close_notify
        self.ends(client, 1, "half")


variants(globals(), Migrating, name=("fd", "bio", "libevent", "libtls"), when=("before", "after"))

if __name__ == "__main__":
    unittest.main()
