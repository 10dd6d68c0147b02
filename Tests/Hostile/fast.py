"""OpenSSL's own TLS, by way of Python, as the attacker: for attacks that are all in what becomes of its ciphertext."""

import ssl

from attacker import CLIENT, SERVER
from tls import client_context, server_context


class Connection:
    """TLS in memory, over the attacker's socket, in its role."""

    def __init__(self, a):
        self.plain, self.target = a.plain, a.target
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = client_context(a.tls) if a.target == SERVER else server_context(a.tls)
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=a.target == CLIENT,
                                    server_hostname="localhost" if a.target == SERVER else None)

    def send(self):
        data = self.outgoing.read()
        if data:
            self.plain.sendall(data)

    def receive(self):
        data = self.plain.recv(1 << 16)
        if not data:
            raise ConnectionResetError("the target has gone")
        self.incoming.write(data)

    def handshake(self):
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.send()
                self.receive()
        self.send()

    def seal(self, data):
        """Returns the records that these bytes become."""
        self.tls.write(data)
        return self.outgoing.read()

    def read(self, count):
        """Waits for so many bytes of plaintext."""
        heard = b""
        while len(heard) < count:
            try:
                heard += self.tls.read(count - len(heard))
            except ssl.SSLWantReadError:
                self.send()
                self.receive()
        return heard
