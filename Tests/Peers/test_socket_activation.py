"""Sockets that a service manager passes: by systemd-socket-activate, and by a plain fork and exec."""

import shutil
import socket
import unittest

from support import Process, example, free_port, identity
from tls import client_context, connect, receive

ECHO_SERVER = (example("echo_server"), *identity(), "--inherited")


class SocketActivation(unittest.TestCase):
    def check(self, port, clients):
        context = client_context()
        for number in range(clients):
            text = b"hello %d" % number
            with connect(self, port, context) as connection:
                connection.sendall(text)
                self.assertEqual(receive(connection, len(text)), text)

    def start(self, listener, *options):
        """Starts the server with the socket as descriptor 3, and with its own number in LISTEN_PID."""
        script = f'exec 3<&{listener.fileno()}; LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"'
        return Process(self, "bash", "-c", script, "bash", *ECHO_SERVER, *options, keep=[listener.fileno()])

    def test_a_socket_of_the_parent_is_served(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            server = self.start(listener)
            server.stdout.wait_for(rf"^listening on \S+:{port}\n")
            self.check(port, 3)

    def test_one_loop_accepts_for_four_threads(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            self.start(listener, "--threads", "4", "--max", "8")
            self.check(port, 8)

    def test_without_a_socket_it_says_so(self):
        server = Process(self, *ECHO_SERVER)
        self.assertEqual(server.exit_code(), 1)
        self.assertIn("nobody has passed a socket", server.stderr.text)

    @unittest.skipUnless(shutil.which("systemd-socket-activate"), "systemd is not here")
    def test_systemd_starts_it_for_the_first_client(self):
        port = free_port()
        server = Process(self, "systemd-socket-activate", "-l", f"127.0.0.1:{port}", *ECHO_SERVER)
        server.stderr.wait_for("Listening on")
        self.check(port, 3)
        server.stdout.wait_for(rf"^listening on \S+:{port}\n")


if __name__ == "__main__":
    unittest.main()
