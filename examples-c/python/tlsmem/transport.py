"""The transport that a protocol over TLS has: what asyncio.Transport promises, handed on to the driver."""

import asyncio


class TLSTransport(asyncio.transports._FlowControlMixin, asyncio.Transport):
    """As the transport of TCP is, with half-closing and all; over TLS 1.2 without half-closing."""

    # By these, and by the mixin, of which nothing else is used, the loops of asyncio know a transport for start_tls, which is
    # TLS inside of TLS, and for sendfile.
    _start_tls_compatible = True
    _sendfile_compatible = asyncio.constants._SendfileMode.FALLBACK
    _protocol_paused = property(lambda self: self._driver.is_full)

    def __init__(self, loop, driver):
        self._loop = loop
        self._driver = driver

    def get_extra_info(self, name, default=None):
        """As every transport, and: "ssl_object", whose methods are those of ssl.SSLObject; "cipher", "peercert", and
        "peercert_der" by it; "alpn"; "tls_version"; "tls_context". What is below is asked for "socket", "peername" and the
        like. There is no "sslcontext": streams would take it for a sign that nothing can be half closed."""
        return self._driver.extra_info(name, default)

    def set_protocol(self, protocol):
        self._driver.set_protocol(protocol)

    def get_protocol(self):
        return self._driver.protocol

    def is_closing(self):
        return self._driver.is_closing

    def close(self):
        """Sends what was written, then close_notify. Nothing more is delivered; connection_lost(None) comes when the peer
        has closed, too, or with an exception when that takes too long."""
        self._driver.close()

    def abort(self):
        """Ends it at once. What waits to be sent is lost; connection_lost(None) comes."""
        self._driver.abort()

    def write(self, data):
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"data: expecting a bytes-like instance, got {type(data).__name__}")
        self._driver.write(bytes(data))

    def can_write_eof(self):
        """Says whether the peer may go on sending when we have ended: not in TLS 1.2 (RFC 5246, 7.2.1)."""
        return self._driver.can_write_eof

    def write_eof(self):
        """Sends close_notify behind what was written. Reading goes on until the peer closes."""
        if not self.can_write_eof():
            raise NotImplementedError("TLS 1.2 closes both directions at once")
        self._driver.write_eof()

    def is_reading(self):
        return self._driver.is_reading

    def pause_reading(self):
        """Nothing is delivered from now on, and nothing read from below, so that TCP slows the peer down."""
        self._driver.pause_reading()

    def resume_reading(self):
        self._driver.resume_reading()

    def set_write_buffer_limits(self, high=None, low=None):
        """Sets what may wait here, and as much below."""
        if high is None:
            high = 512 * 1024 if low is None else 4 * low
        if low is None:
            low = high // 4
        if not high >= low >= 0:
            raise ValueError(f"high ({high!r}) must be >= low ({low!r}) must be >= 0")
        self._driver.set_write_buffer_limits(high, low)

    def get_write_buffer_limits(self):
        return self._driver.low, self._driver.high

    def get_write_buffer_size(self):
        """Returns what waits here, and below."""
        return self._driver.write_buffer_size()

    def __repr__(self):
        return f"<{type(self).__name__} {self._driver.describe()}>"
