"""The half of the driver that receives: ciphertext from the transport below, plaintext to the program's protocol.

Ciphertext is received into a buffer that a connection has while it needs it only: a thousand idle connections have none.
"""

import asyncio
import ctypes

RECEIVE = 1 << 17
_spare = []  # buffers that no connection has; of whichever thread, because append and pop are one step each


def _a_spare_one():
    """Returns a buffer, as ctypes has it and as transports want it."""
    try:
        return _spare.pop()
    except IndexError:
        pass
    array = (ctypes.c_char * RECEIVE)()
    return array, memoryview(array).cast("B")


class Receiving(asyncio.BufferedProtocol):
    """What the driver is made of, besides: `_connection`, `_below`, `_advance` and so on are its."""

    def __init__(self):
        self._buffer = None
        self._unfed = b""
        self._paused = self._eof = False

    # Ciphertext.

    def get_buffer(self, sizehint):
        if self._buffer is None:
            self._buffer = _a_spare_one()
        return self._buffer[1]

    def _give_back(self):
        if self._buffer is not None:
            _spare.append(self._buffer)
            self._buffer = None

    def buffer_updated(self, nbytes):
        array, view = self._buffer
        try:
            if not self._eof and not self._lost:  # what is behind the end is nobody's
                taken = 0 if self._unfed else self._connection.feed(array, nbytes)
                if taken < nbytes:
                    self._unfed += bytes(view[taken:nbytes])
        finally:
            self._give_back()
        self._advance()

    def _feed_rest(self):
        """Feeds what was received when plaintext filled the connection. Returns whether any was taken."""
        taken = self._connection.feed(self._unfed, len(self._unfed)) if self._unfed else 0
        self._unfed = self._unfed[taken:]
        return taken > 0

    def eof_received(self):
        if self._lingering:
            return False
        self._connection.feed_eof()
        self._advance()
        return not self._lost  # it is closed by us, when all is sent

    # Plaintext.

    def set_protocol(self, protocol):
        self.protocol = protocol
        self._buffered = isinstance(protocol, asyncio.BufferedProtocol)

    @property
    def is_reading(self):
        return not self._paused and not self._closing

    def pause_reading(self):
        if not self._paused and not self._closing:
            self._paused = True
            self._connection.pause()
            self._below.pause_reading()

    def resume_reading(self):
        if self._paused and not self._closing:
            self._paused = False
            self._connection.resume()
            self._below.resume_reading()
            self._loop.call_soon(self._advance)

    def _deliver(self):
        """Hands over what waits, up to the peer's close_notify, for as long as the program takes it."""
        while not self._eof and not self._lost:
            if self._closing:
                data = self._connection.read()  # nobody wants it any more
            elif self._paused:
                return
            else:
                data = self._hand_over_into() if self._buffered else self._hand_over()
            if data is None:
                if not self._feed_rest():
                    return
            elif not data:
                self._on_eof()

    def _hand_over(self):
        data = self._connection.read()
        if data:
            self._call("data_received", self.protocol.data_received, data)
        return data

    def _hand_over_into(self):
        length = self._connection.readable()
        if length:
            buffer = self._call("get_buffer", self._a_buffer, length)
            if buffer is None:
                return None  # that was the end
            length = self._connection.read_into(buffer)
            self._call("buffer_updated", self.protocol.buffer_updated, length)
        return length

    def _a_buffer(self, length):
        buffer = memoryview(self.protocol.get_buffer(length)).cast("B")
        if not len(buffer) or buffer.readonly:
            raise RuntimeError("get_buffer() returned an empty buffer, or one that cannot be written")
        return buffer

    def _on_eof(self):
        self._eof, self._unfed = True, b""
        if not self._closing:
            keeps = self._call("eof_received", self.protocol.eof_received)
            # TLS 1.2 does not know of a connection that is half closed (RFC 5246, 7.2.1).
            if not keeps or not self.can_write_eof:
                self.close()
