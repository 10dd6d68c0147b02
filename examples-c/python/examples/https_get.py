#!/usr/bin/env python3
"""Gets what a URL names, over TLS by libtlsmem, with the streams of asyncio, and writes it to stdout.

    https_get.py [--ca FILE] [--head] [--timeout SECONDS] https://HOST[:PORT][/PATH]
"""

import argparse
import asyncio
import sys
import urllib.parse

import tlsmem


def options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url", type=urllib.parse.urlsplit, help="https://HOST[:PORT][/PATH]")
    parser.add_argument("--ca", help="the authorities that are trusted, a file or a folder; those of the system if not given")
    parser.add_argument("--head", action="store_true", help="write the head of the answer, too, and who has given it")
    parser.add_argument("--timeout", type=float, default=30, help="seconds for all of it (%(default)s)")
    chosen = parser.parse_args()
    if chosen.url.scheme != "https" or not chosen.url.hostname:
        parser.error(f"{chosen.url.geturl()} is not https://HOST/PATH")
    return chosen


async def body(reader, head):
    """Yields the body of an answer, which ends by its length, by chunks, or with the connection. That nobody has cut it, the
    reader sees to: the end of a connection is TruncatedError unless the server has said that it closes."""
    fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
    if fields.get("transfer-encoding") == "chunked":
        while length := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            yield await reader.readexactly(length)
            await reader.readexactly(2)
    elif "content-length" in fields:
        left = int(fields["content-length"])
        while left:
            data = await reader.readexactly(min(left, 1 << 16))
            left -= len(data)
            yield data
    else:
        while data := await reader.read(1 << 16):
            yield data


async def get(url, ca, shows_head, out):
    """Writes the answer to `out`, and returns its status."""
    context = tlsmem.Context.client(ca, alpn=["http/1.1"])
    reader, writer = await tlsmem.open_connection(url.hostname, url.port or 443, context=context)
    target = urllib.parse.urlunsplit(("", "", url.path or "/", url.query, ""))
    writer.write(f"GET {target} HTTP/1.1\r\nHost: {url.netloc.rpartition('@')[2]}\r\nConnection: close\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    if shows_head:
        known = writer.get_extra_info
        print(f"{known('tls_version')}, {known('cipher')[0]}, {known('peercert')['subject']}\n{head}", end="", file=sys.stderr)
    async for data in body(reader, head):
        out.write(data)
    writer.close()
    await writer.wait_closed()
    return int(head.split()[1])


async def main():
    chosen = options()
    try:
        status = await asyncio.wait_for(get(chosen.url, chosen.ca, chosen.head, sys.stdout.buffer), chosen.timeout)
    except (asyncio.TimeoutError, OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
        sys.exit(f"https_get: {chosen.url.geturl()}: {error or 'no answer in time'}")
    sys.exit(0 if status < 400 else 22)  # as curl --fail


if __name__ == "__main__":
    asyncio.run(main())
