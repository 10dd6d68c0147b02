"""Connections and servers over TLS in a loop of asyncio: as its functions of these names, with a Context of tlsmem.

Common parameters: `server_hostname`, whom the server's certificate has to be for, the host if it is not given;
`handshake_timeout`, in seconds, that of the context (10) if it is not given; `shutdown_timeout`, what closing may take. All
others go to the functions of asyncio, which are named in each.
"""

import asyncio

from .connection import SHUTDOWN, Connection
from .driver import TLSDriver

LIMIT = 1 << 16  # bytes that a stream's reader keeps, as asyncio's


def _side(context, is_server):
    if context.is_server != is_server:
        raise ValueError(f"this takes the context of a {'server' if is_server else 'client'}")


async def _established(driver, waiter, begin):
    """Begins, and waits for the handshake, or for whatever comes in its way. Returns the transport."""
    transport = driver.transport
    try:
        await begin
        await waiter
    except BaseException:
        waiter.cancel()  # nobody will ask it any more
        transport.abort()
        raise
    return transport


async def create_connection(protocol_factory, host=None, port=None, *, context, server_hostname=None,
                            handshake_timeout=None, shutdown_timeout=SHUTDOWN, **options):
    """Connects (loop.create_connection), does the handshake, and returns transport and protocol."""
    _side(context, False)
    loop = asyncio.get_running_loop()
    connection = Connection(context, server_hostname or host, handshake_timeout=handshake_timeout,
                            shutdown_timeout=shutdown_timeout)
    protocol, waiter = protocol_factory(), loop.create_future()
    driver = TLSDriver(loop, protocol, connection, waiter)
    begin = loop.create_connection(lambda: driver, host, port, **options)
    return await _established(driver, waiter, begin), protocol


async def create_server(protocol_factory, host=None, port=None, *, context, handshake_timeout=None,
                        shutdown_timeout=SHUTDOWN, **options):
    """Listens (loop.create_server) and returns asyncio's server. Protocols hear of clients whose handshake was done."""
    _side(context, True)
    loop = asyncio.get_running_loop()

    def driver():
        connection = Connection(context, handshake_timeout=handshake_timeout, shutdown_timeout=shutdown_timeout)
        return TLSDriver(loop, protocol_factory(), connection)

    return await loop.create_server(driver, host, port, **options)


async def start_tls(transport, protocol, context, *, server_hostname=None, handshake_timeout=None,
                    shutdown_timeout=SHUTDOWN):
    """Changes a connection to TLS, as client or server by its context. Returns the transport that the protocol has from now
    on; there is no second connection_made. What came before in plain, the protocol should be done with: whoever is on the
    way could have put it behind the last answer, to be taken for something that came by TLS."""
    if not context.is_server and server_hostname is None:
        raise ValueError("server_hostname is missing: whom the server's certificate has to be for")
    loop = asyncio.get_running_loop()
    connection = Connection(context, server_hostname, handshake_timeout=handshake_timeout,
                            shutdown_timeout=shutdown_timeout)
    waiter = loop.create_future()
    driver = TLSDriver(loop, protocol, connection, waiter, call_connection_made=False)

    async def begin():
        transport.pause_reading()  # nothing comes before connection_made
        transport.set_protocol(driver)
        loop.call_soon(driver.connection_made, transport)
        loop.call_soon(transport.resume_reading)

    return await _established(driver, waiter, begin())


async def open_connection(host=None, port=None, *, context, limit=LIMIT, **options):
    """As asyncio.open_connection: connects (create_connection) and returns StreamReader and StreamWriter."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=limit, loop=loop)
    protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    transport, _ = await create_connection(lambda: protocol, host, port, context=context, **options)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


async def start_server(client_connected_cb, host=None, port=None, *, context, limit=LIMIT, **options):
    """As asyncio.start_server: listens (create_server), and calls client_connected_cb(reader, writer) for each client."""
    loop = asyncio.get_running_loop()

    def factory():
        reader = asyncio.StreamReader(limit=limit, loop=loop)
        return asyncio.StreamReaderProtocol(reader, client_connected_cb, loop=loop)

    return await create_server(factory, host, port, context=context, **options)
