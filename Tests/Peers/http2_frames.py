"""HTTP/2 frame by frame, for what no well-behaved client does."""

import struct

from tls import client_context, connect, receive

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM = ACK = 1
END_HEADERS = 4
ENHANCE_YOUR_CALM, CANCEL, NO_ERROR = 11, 8, 0


def literal(text):
    """A string of a header block (RFC 7541, 5.2), not compressed."""
    length = bytes([len(text)]) if len(text) < 127 else b"\x7f" + bytes(
        [(len(text) - 127) & 127 | 128, (len(text) - 127) >> 7 & 127 | 128, (len(text) - 127) >> 14])
    return length + text.encode("latin-1")


def block(method, path, *fields):
    """The header block of a request; fields are pairs."""
    pairs = [(":method", method), (":scheme", "https"), (":path", path), (":authority", "localhost"), *fields]
    return b"".join(b"\x00" + literal(name) + literal(value) for name, value in pairs)


class Session:
    """A connection on which the test writes frames; settings are sent, and those of the server read."""

    def __init__(self, test, port, settings=()):
        self.socket = connect(test, port, client_context(alpn=["h2"]))
        assert self.socket.selected_alpn_protocol() == "h2"
        self.next = 1
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        self.send(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in settings))
        kind, _, _, payload = self.frame()
        assert kind == SETTINGS
        self.send(SETTINGS, ACK, 0)
        self.settings = dict(struct.unpack(">HI", payload[at:at + 6]) for at in range(0, len(payload), 6))

    @staticmethod
    def wire(kind, flags, stream, payload=b""):
        return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload

    def send(self, *frame):
        self.socket.sendall(self.wire(*frame))

    def request(self, path, *fields, method="GET", end=True):
        """Sends the head of a request; returns its stream."""
        stream, self.next = self.next, self.next + 2
        self.send(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, block(method, path, *fields))
        return stream

    def frame(self):
        """Reads the next frame: (kind, flags, stream, payload)."""
        head = receive(self.socket, 9)
        kind, flags, stream = struct.unpack(">BBI", head[3:])
        return kind, flags, stream, receive(self.socket, int.from_bytes(head[:3], "big"))

    def wait_for(self, *kinds):
        """Reads frames until one of these kinds comes."""
        while True:
            frame = self.frame()
            if frame[0] in kinds:
                return frame
