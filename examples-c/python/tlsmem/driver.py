"""Between two transports: the protocol of the one that carries ciphertext, and what drives the one that a program has.

Each event ends in `_advance`: facts first, then plaintext, then what is to be sent, then the clock. What a program's protocol
does in between (it may write, close, pause, abort) is remembered, and done by the `_advance` that called it.
"""

import errno
import logging

from .errors import TLSError
from .library import Status
from .receiving import Receiving
from .transport import TLSTransport

logger = logging.getLogger("asyncio")


class TLSDriver(Receiving):
    """Made for one connection, which it has begun when it is given a transport (connection_made)."""

    transport_class = TLSTransport
    linger = 5  # seconds that a peer has to take an alert before the transport is cut

    def __init__(self, loop, protocol, connection, waiter=None, call_connection_made=True):
        self._loop = loop
        self._connection = connection
        self._waiter = waiter
        self._made = not call_connection_made
        self._below = self._cause = None
        self.transport = self.transport_class(loop, self)
        self._timer = self._due = None
        self._advancing = self._established = False
        self._closing = self._write_closed = self._fin = self._ended = self._lost = self._lingering = False
        self._below_full = self._app_full = False
        self._ignored = 0
        self.high, self.low = 512 * 1024, 128 * 1024
        self.set_protocol(protocol)
        super().__init__()

    # What the transport below reports.

    def connection_made(self, transport):
        self._below = transport
        if self._lost:
            transport.abort()  # nobody wanted to wait for it
            return
        self._below_full = transport.get_write_buffer_size() > transport.get_write_buffer_limits()[1]
        transport.set_write_buffer_limits(self.high, self.low)
        self._connection.handshake()
        self._advance()

    def connection_lost(self, exc):
        self._stop_timer()
        self._give_back()
        if self._lost:
            return
        if not self._closing or exc is not None:
            # Somebody else has ended the transport: what TLS makes of that counts, a clean end or none.
            self._cause, self._below_full = exc, True
            if exc is None:
                self._connection.feed_eof()
            else:
                self._connection.feed_error(getattr(exc, "errno", None) or errno.EIO)
            self._advance()
            try:
                if not self._connection.tick():
                    exc = None
            except TLSError as error:
                exc = self._better(error)
        self._tell_lost(exc)
        self._stop_timer()

    def _better(self, error):
        """What the transport below has to say of a system call is more than what TLS knows of it."""
        of_system = getattr(error, "status", None) == Status.TLSMEM_ESYSTEM
        return self._cause if of_system and self._cause is not None else error

    def pause_writing(self):
        self._below_full = True
        self._control_writing()

    def resume_writing(self):
        self._below_full = False
        self._advance()

    # What the program asks for.

    @property
    def is_closing(self):
        return self._closing

    @property
    def is_full(self):
        return self._app_full

    @property
    def can_write_eof(self):
        return self._connection.version() == "TLSv1.3"

    def write(self, data):
        if self._write_closed:
            raise RuntimeError("Cannot call write() after write_eof()")
        if self._closing:
            self._ignored += 1
            if self._ignored >= 5:
                logger.warning("TLS connection is closed")
        elif data:
            if self._connection.write(data) < len(data):
                self.abort(BufferError("outgoing_max was reached: the protocol has written on after pause_writing()"))
            self._advance(reads=False)

    def write_eof(self):
        if not self._closing and not self._write_closed:
            self._write_closed = True
            self._connection.close_write()
            self._advance(reads=False)

    def close(self):
        if self._closing:
            return
        if not self._established:
            self.abort()
            return
        self._closing = True
        self._connection.close()
        self._below.resume_reading()  # for the peer's close_notify
        self._advance()

    def abort(self, exc=None):
        self._connection.abort()
        self._tell_lost(exc)
        if self._below is not None:
            self._below.abort()

    def set_write_buffer_limits(self, high, low):
        self.high, self.low = high, low
        if self._below is not None and not self._lost:
            self._below.set_write_buffer_limits(high, low)
            self._control_writing()

    def write_buffer_size(self):
        return self._connection.waiting() + (0 if self._below is None else self._below.get_write_buffer_size())

    def extra_info(self, name, default=None):
        connection = self._connection
        if name == "ssl_object":
            return connection
        if name == "tls_context":
            return connection.context
        asked = {"cipher": connection.cipher, "peercert": connection.getpeercert, "alpn": connection.selected_alpn_protocol,
                 "peercert_der": lambda: connection.getpeercert(True), "tls_version": connection.version}.get(name)
        if asked is not None:
            found = asked()
            return default if found is None else found
        return default if self._below is None else self._below.get_extra_info(name, default)

    def describe(self):
        state = "lost" if self._lost else "closing" if self._closing else "open" if self._established else "handshake"
        return f"{state} {self._connection.version()} over {self._below!r}"

    # What follows from each event.

    def _advance(self, reads=True):
        if self._advancing or self._below is None or self._lost:
            return
        self._advancing = True
        try:
            if not self._established and self._connection.is_established:
                self._on_established()
            if reads:
                self._deliver()
            self._send()
            if self._closing or self._eof or self._write_closed:
                self._look_for_the_end()
        except TLSError as error:
            self._fail(error)
        finally:
            self._advancing = False
        self._control_writing()
        self._set_timer()

    def _on_established(self):
        self._established = True
        if not self._made:
            self._made = True
            self._call("connection_made", self.protocol.connection_made, self.transport)
        self._wake(None)

    def _send(self):
        while not self._below_full and not self._fin:
            data = self._connection.outgoing()
            if not data:
                return
            self._below.write(data)

    def _look_for_the_end(self):
        if self._ended:
            return
        if not self._connection.tick():
            self._closing = self._ended = True
            self._stop_timer()
            self._timer = self._loop.call_later(self._connection.shutdown_timeout, self._cut)
            self._below.close()
        elif self._closing and not self._below_full:
            self._end_below()

    def _cut(self):
        """TLS is over, but the transport below still has bytes that the peer does not take."""
        self._tell_lost(TimeoutError("the peer has not taken what was left to send"))
        self._below.abort()

    def _end_below(self):
        """Sends FIN, once."""
        if not self._fin and self._below.can_write_eof():
            self._fin = True
            try:
                self._below.write_eof()
            except OSError:
                pass  # the peer has reset it, of which we will hear

    def _set_timer(self):
        if self._lost or self._ended or self._below is None:
            return  # what is set then stays
        delay = self._connection.deadline()
        if delay is None:
            self._stop_timer()
            return
        due = self._loop.time() + delay
        if self._timer is None or due < self._due:
            self._stop_timer()
            self._due = due
            self._timer = self._loop.call_later(delay, self._on_time)

    def _stop_timer(self):
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_time(self):
        self._timer = None
        try:
            self._connection.tick()
        except TLSError as error:
            self._advance()  # what came before that
            self._fail(error)
        else:
            self._advance()

    def _control_writing(self):
        """A program should stop when the transport below is full, or the handshake lasts."""
        if not self._made or self._lost:
            return
        waiting = self._connection.waiting() if self._below_full or not self._established else 0
        full = self._below_full or waiting > (self.low if self._app_full else self.high)
        if full != self._app_full:
            self._app_full = full
            name = "pause_writing" if full else "resume_writing"
            try:
                getattr(self.protocol, name)()
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:
                self._report(f"protocol.{name}() failed", error)

    # Ends.

    def _fail(self, error):
        """TLS has failed. Its alert goes out, and the peer gets some time to read it: a socket that is closed with bytes
        unread sends a reset, which would destroy the alert."""
        if self._lost:
            return
        if self._loop.get_debug():
            logger.debug("%r: %s", self.transport, error)
        alert = False
        while not self._fin and (data := self._connection.outgoing()):
            alert = True
            self._below.write(data)
        self._tell_lost(self._better(error))
        if alert and self._below.can_write_eof():
            self._lingering = True
            self._end_below()
            self._below.resume_reading()
            self._timer = self._loop.call_later(self.linger, self._below.abort)
        else:
            self._below.close()

    def _call(self, name, function, *arguments):
        """Calls the program's protocol. An exception of its ends the connection."""
        try:
            return function(*arguments)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            self._report(f"Fatal error: protocol.{name}() call failed.", error)
            self._connection.abort()
            self._tell_lost(error)
            self._below.abort()

    def _report(self, message, error):
        self._loop.call_exception_handler(
            {"message": message, "exception": error, "transport": self.transport, "protocol": self.protocol})

    def _tell_lost(self, exc):
        if self._lost:
            return
        self._closing = self._lost = True
        self._stop_timer()
        self._wake(exc or ConnectionAbortedError("the connection was closed before the TLS handshake was done"))
        if self._made:
            self._loop.call_soon(self.protocol.connection_lost, exc)
        self.transport = self.protocol = None  # each holds the other: so the last reference frees all of it

    def _wake(self, exc):
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            if exc is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(exc)
