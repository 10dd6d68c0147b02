"""tls_proxy and plain services behind it: what its tests share."""

import os
import socket
import tempfile
import threading

from support import LIMIT, Process, certificate, example, identity


class Proxy(Process):
    """tls_proxy on a free port of 127.0.0.1, toward `upstream`, which is HOST:PORT or unix:PATH."""

    def __init__(self, test, upstream, *options, mode="server", credentials=None, listen="127.0.0.1:0", under=()):
        if credentials is None:
            credentials = identity() if mode == "server" else ["--ca", certificate("ca.pem")]
        super().__init__(test, *under, example("tls_proxy"), "--listen", listen, "--upstream", upstream,
                         "--mode", mode, *credentials, *options)
        self.port = int(self.stdout.wait_for(r"^listening on \S+:(\d+)\n")[1])

    def memory(self):
        """Returns the bytes of resident memory, in which is also what malloc keeps for later."""
        with open(f"/proc/{self.pid}/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def given_out(self):
        """Returns the bytes that the malloc of the process has given out and not got back: what it holds of memory, and neither
        what malloc keeps for later nor stacks nor code. Unlike resident memory, it does not depend on what was freed when."""
        bytes_now = self.statistics()["memory"]
        if bytes_now == 0:
            raise AssertionError("this C library's malloc does not say how much it has given out (glibc 2.33 does)")
        return bytes_now

    def counts(self):
        """Returns what the proxy has counted: the statistics without the memory."""
        return {name: value for name, value in self.statistics().items() if name != "memory"}

    def statistics(self):
        """Asks for the statistics, and returns them."""
        before = len(self.stdout.bytes)
        os.kill(self.pid, 10)  # SIGUSR1
        line = self.stdout.wait_for(r"^accepted=.*\n", before)[0].decode()
        return {name: int(value) for name, value in (word.split("=") for word in line.split())}


class PlainServer:
    """A listening socket without TLS, TCP or Unix; the test itself is the service, or has it echo."""

    def __init__(self, test, family=socket.AF_INET):
        self.test = test
        self.listener = socket.socket(family)
        if family == socket.AF_UNIX:
            folder = tempfile.TemporaryDirectory(prefix="tlsmem-proxy-")
            test.addCleanup(folder.cleanup)
            self.listener.bind(os.path.join(folder.name, "service"))
            self.place = "unix:" + self.listener.getsockname()
        else:
            self.listener.bind(("127.0.0.1", 0))
            self.place = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.listener.listen(128)
        self.listener.settimeout(LIMIT)
        test.addCleanup(self.listener.close)

    def accept(self):
        """Accepts one client."""
        connection, _ = self.listener.accept()
        connection.settimeout(LIMIT)
        self.test.addCleanup(connection.close)
        return connection

    def echo(self):
        """Sends every byte back, to all clients, and ends when they do; from now on by itself."""
        def serve(connection):
            with connection:
                try:
                    while piece := connection.recv(1 << 16):
                        connection.sendall(piece)
                    connection.shutdown(socket.SHUT_WR)
                except OSError:
                    pass

        def accept():
            while True:
                try:
                    connection, _ = self.listener.accept()
                except OSError:
                    return
                connection.settimeout(LIMIT)
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return self


def receive_all(connection):
    """Reads to the end of file."""
    received = bytearray()
    while piece := connection.recv(1 << 16):
        received += piece
    return bytes(received)
