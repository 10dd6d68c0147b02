"""TLS for asyncio by libtlsmem: its buffers face, by ctypes. OpenSSL speaks TLS, asyncio moves the bytes."""

from .connection import Connection
from .context import Context
from .driver import TLSDriver
from .endpoints import create_connection, create_server, open_connection, start_server, start_tls
from .errors import (CertificateError, TLSAbortedError, TLSError, TLSResetError, TLSTimeoutError, TruncatedError)
from .transport import TLSTransport

__all__ = ["CertificateError", "Connection", "Context", "TLSAbortedError", "TLSDriver", "TLSError", "TLSResetError",
           "TLSTimeoutError", "TLSTransport", "TruncatedError", "create_connection", "create_server", "open_connection",
           "start_server", "start_tls"]
