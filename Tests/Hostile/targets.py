"""Who is attacked: our target, which lives on through many attacks, and OpenSSL's own programs, one for each."""

import re
import socket
import threading

import support
from attacker import SERVER
from support import LIMIT, Process, certificate, certificates, tool
from tls import client_context, server_context

support.LIFETIME = 3600  # a target serves all attacks of a run

ALERT_OF_OPENSSL = re.compile(rb"^>>> [^\n]*Alert \[length 0002\], fatal [^\n]*\n +02 ([0-9a-f]{2})", re.MULTILINE)


class HonestServer:
    """Greets every client of the target's, hears its own words back, and closes as it should."""

    def __init__(self):
        self.context = server_context()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            plain, _ = self.listener.accept()
            try:
                plain.settimeout(LIMIT)
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self.context.wrap_socket(plain, server_side=True) as connection:
                    connection.recv(6)
                    connection.sendall(b"honest")
                    if connection.recv(6) == b"honest":
                        connection.unwrap()  # else it sees no close_notify, and says so
            except OSError:
                plain.close()


def limit_window(plain, window):
    """To be called before the handshake of TCP: what was promised there cannot be taken back."""
    if window:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)


def connected(port, window=0):
    plain = socket.socket()
    limit_window(plain, window)
    plain.settimeout(LIMIT)
    plain.connect(("127.0.0.1", port))
    return plain


class Target:
    """The target in one role, over one face, with these limits."""

    def __init__(self, test, path, role, face, options, honest):
        self.role, self.honest_server, self.count = role, honest, 0
        self.process = Process(test, path, role, face, certificates(), *options)
        self.port = int(self.process.stdout.wait_for(r"^listening on (\d+)\n")[1])
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.listener.settimeout(LIMIT)
        test.addCleanup(self.listener.close)
        self.context = client_context()
        for _ in range(3):  # what OpenSSL keeps from its first connections is nobody's attack
            self.honest()

    def connection(self, window):
        """Returns a socket to the target, and the name by which it will tell of its end."""
        if self.role == SERVER:
            plain = connected(self.port, window)
            return plain, str(plain.getsockname()[1])
        self.count += 1
        name = f"attack-{self.count}"
        limit_window(self.listener, window)
        self.process.write(f"connect {self.listener.getsockname()[1]} {name}\n".encode())
        plain = self.listener.accept()[0]
        limit_window(self.listener, 1 << 17)
        return plain, name

    def ended(self, name, start):
        """Waits for the end of a connection; returns what the target says of it."""
        line = self.process.stdout.wait_for(rf"^ended name={name} ([^\n]*)\n", start)[1].decode()
        words, _, reason = line.partition(" reason=")
        facts = dict(word.split("=") for word in words.split())
        return {key: value if key == "status" else int(value) for key, value in facts.items()} | {"reason": reason}

    def said(self):
        """How much it has printed so far: where to look for what comes."""
        return len(self.process.stdout.bytes)

    def heap(self):
        """Returns the bytes that it has from malloc, how many connections there are, and its processor time."""
        start = self.said()
        self.process.write(b"heap\n")
        line = self.process.stdout.wait_for(r"^heap bytes=(\d+) sessions=(\d+) cpu=(\d+)\n", start)
        return int(line[1]), int(line[2]), int(line[3]) / 1e6

    def honest(self):
        """Somebody who means well comes, is served, and goes. Returns what went wrong."""
        start = self.said()
        if self.role == SERVER:
            try:
                with connected(self.port) as plain:
                    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    with self.context.wrap_socket(plain, server_hostname="localhost") as connection:
                        connection.sendall(b"honest")
                        if connection.recv(6) != b"honest":
                            return "an honest client had no answer"
                        connection.unwrap()
            except OSError as error:
                return f"an honest client was not served: {error}"
            return None
        self.count += 1
        name = f"honest-{self.count}"
        self.process.write(f"connect {self.honest_server.port} {name}\n".encode())
        end = self.ended(name, start)
        return None if end["status"] == "TLSMEM_OK" else f"with an honest server it ended with {end['status']}"


class OpenSSL:
    """s_server, or s_client, for one connection."""

    def __init__(self, test, role):
        self.role = role
        openssl = tool("openssl", "openssl")
        if role == SERVER:
            self.process = Process(test, openssl, "s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-msg", "-alpn",
                                   "h2,http/1.1", "-cert", certificate("server.pem"), "-key", certificate("server.key"),
                                   "-no_tls1", "-no_tls1_1")
            self.port = int(self.process.stdout.wait_for(r"^ACCEPT \S+:(\d+)$")[1])
        else:
            self.listener = socket.create_server(("127.0.0.1", 0))
            self.listener.settimeout(LIMIT)
            test.addCleanup(self.listener.close)
            self.process = Process(test, openssl, "s_client", "-connect", f"127.0.0.1:{self.listener.getsockname()[1]}",
                                   "-servername", "localhost", "-msg", "-alpn", "h2,http/1.1", "-CAfile",
                                   certificate("ca.pem"), "-verify_return_error", "-no_tls1", "-no_tls1_1")
            self.process.write(b"hello\n")

    def connection(self):
        if self.role == SERVER:
            return connected(self.port)
        return self.listener.accept()[0]

    def alert(self):
        """Ends it, and returns the fatal alert that it has sent, or None."""
        self.process.stdin.close()
        self.process.exit_code()
        sent = ALERT_OF_OPENSSL.search(self.process.stdout.bytes)
        return int(sent[1], 16) if sent else None
