"""One TLS connection, without a socket and without a clock: what came in is fed, what is to go out is taken.

The library is asked for everything and given no callback: so there is nothing in C that could call Python, an exception of
Python cannot get lost in C, and nothing has to be kept alive for C's sake but the arguments of a call while it lasts.
"""

import ctypes

from .errors import connection_error, status_error
from .facts import Facts
from .library import Constant, Status, lib, text
from .structs import tlsmem_want_info

SHUTDOWN = 30  # seconds that closing may take, as for asyncio's own TLS
CHUNK = 1 << 18  # bytes of ciphertext that are shown at once
_OK, _AGAIN, _CLOSED = int(Status.TLSMEM_OK), int(Status.TLSMEM_AGAIN), int(Status.TLSMEM_CLOSED)
_REFUSED = (int(Status.TLSMEM_EINVAL), int(Status.TLSMEM_ENOMEM))


class Connection(Facts):
    """It ends by itself, by `tick` at the latest, once `deadline` has passed; and is freed with the last reference."""

    def __init__(self, context, server_hostname=None, *, handshake_timeout=None, shutdown_timeout=SHUTDOWN):
        self.context = context
        self._handle = lib.tlsmem_new(context.handle, None, None)
        if not self._handle:
            raise MemoryError("no memory for a TLS connection")
        self._shown, self._length = ctypes.c_void_p(), ctypes.c_size_t()
        self._place = ctypes.byref(self._shown), ctypes.byref(self._length)
        self.server_hostname = server_hostname
        self.server_side = context.is_server
        self.shutdown_timeout = shutdown_timeout
        if server_hostname and not context.is_server:
            self._must(lib.tlsmem_set_server_name(self._handle, text(server_hostname.encode())))
        for which, seconds in ((Constant.TLSMEM_TIMEOUT_HANDSHAKE, handshake_timeout),
                               (Constant.TLSMEM_TIMEOUT_CLOSE, shutdown_timeout)):
            if seconds is not None:
                if seconds <= 0:
                    raise ValueError(f"a timeout is a positive number of seconds, not {seconds}")
                self._must(lib.tlsmem_set_timeout(self._handle, which, max(1, min(round(seconds * 1000), 0xFFFFFFFF))))

    def __del__(self, free=lib.tlsmem_free):
        free(self.__dict__.pop("_handle", None))

    def _must(self, status):
        if status < 0:
            raise connection_error(self._handle, status)

    # What comes in.

    def handshake(self):
        """Begins: a client has something to send then."""
        lib.tlsmem_handshake(self._handle)

    @property
    def is_established(self):
        return lib.tlsmem_is_established(self._handle) == 1

    def feed(self, data, length):
        """Takes ciphertext, bytes or an array of ctypes. Returns how much of it: less, when plaintext waits to be read. A
        connection that has ended takes all and drops it: `read` says why."""
        taken = lib.tlsmem_feed(self._handle, data, length)
        if taken >= 0:
            return taken
        if taken in _REFUSED:
            raise status_error(taken)
        return 0 if taken == _AGAIN else length

    def feed_eof(self):
        """Takes the end of the transport's file."""
        lib.tlsmem_feed_eof(self._handle)

    def feed_error(self, sys_errno):
        """Takes the end of the transport by an error."""
        lib.tlsmem_feed_error(self._handle, sys_errno)

    def read(self):
        """Returns plaintext; None when none waits; b"" when the peer has closed. Raises what it has failed with, after all
        that came before."""
        status = lib.tlsmem_read_peek(self._handle, *self._place)
        if status == _OK:
            data = ctypes.string_at(self._shown.value, self._length.value)
            lib.tlsmem_read_consume(self._handle, self._length)
            return data
        return self._nothing(status, b"")

    def readable(self):
        """Returns how much `read` would return; None and 0 for nothing, and for the peer's end."""
        status = lib.tlsmem_read_peek(self._handle, *self._place)
        return self._length.value if status == _OK else self._nothing(status, 0)

    def read_into(self, buffer):
        """Takes plaintext into a writable buffer that is not empty. Returns how much; None and 0 as `readable`."""
        array = (ctypes.c_char * len(buffer)).from_buffer(buffer)
        length = lib.tlsmem_read(self._handle, array, len(array))
        return length if length > 0 else self._nothing(length or _CLOSED, 0)

    def _nothing(self, status, end):
        if status == _AGAIN:
            return None
        if status == _CLOSED:
            return end
        raise connection_error(self._handle, status)

    # What goes out.

    def write(self, data):
        """Takes plaintext, as bytes. Returns how much of it: less than all where outgoing_max is
        reached. A connection that has ended takes all and drops it: `read` says why."""
        taken = lib.tlsmem_write(self._handle, data, len(data))
        if taken in _REFUSED:
            raise status_error(taken)
        return taken if taken >= 0 else 0 if taken == _AGAIN else len(data)

    def outgoing(self):
        """Returns ciphertext that is to be sent now, b"" when there is none. There may be more behind it. After a failure,
        too: then it is an alert."""
        if lib.tlsmem_outgoing_peek(self._handle, *self._place) != _OK:
            return b""
        length = min(self._length.value, CHUNK)
        data = ctypes.string_at(self._shown.value, length)
        lib.tlsmem_outgoing_consume(self._handle, length)
        return data

    def waiting(self):
        """Returns how many bytes wait to go out, as `outgoing` or for the end of the handshake."""
        want = tlsmem_want_info()
        lib.tlsmem_want(self._handle, ctypes.byref(want))
        return want.outgoing_bytes + want.deferred_bytes

    # Its pace, its clock, its end.

    def pause(self):
        """Says that nobody reads now, for which the peer is not to blame."""
        lib.tlsmem_pause(self._handle)

    def resume(self):
        lib.tlsmem_resume(self._handle)

    def deadline(self):
        """Returns in how many seconds `tick` is due, None for never."""
        deadline = lib.tlsmem_deadline(self._handle)
        return None if deadline < 0 else max(0, deadline - lib.tlsmem_now()) / 1000

    def tick(self):
        """Looks at the clock. Returns whether it goes on: False after a clean end. Raises what it has failed with."""
        status = lib.tlsmem_tick(self._handle, lib.tlsmem_now())
        if status not in (_OK, _CLOSED):
            raise connection_error(self._handle, status)
        return status == _OK

    def close(self):
        """Has close_notify sent behind what was written, and waits for the peer's; `tick` then says that it is over."""
        lib.tlsmem_close(self._handle)

    def close_write(self):
        """Has close_notify sent, and goes on reading."""
        self._must(lib.tlsmem_close_write(self._handle))

    def abort(self):
        lib.tlsmem_abort(self._handle)
