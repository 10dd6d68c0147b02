"""What the tests of https_server and h2_server share: a root to serve, curl, and HTTP/1.1 byte by byte."""

import atexit
import functools
import os
import pathlib
import random
import re
import subprocess
import tempfile

from support import LIMIT, Server, certificate, tool
from tls import client_context, connect

SECRET = b"nobody may read this\n"


@functools.cache
def root():
    """Makes a folder of files to serve, beside a secret that is not in it; returns its path."""
    folder = tempfile.TemporaryDirectory(prefix="tlsmem-web-")
    atexit.register(folder.cleanup)
    base = pathlib.Path(folder.name)
    (base / "secret").write_bytes(SECRET)
    files = base / "root"
    (files / "sub" / "deep").mkdir(parents=True)
    (files / "bare").mkdir()
    (files / "index.html").write_bytes(b'<a href="sub/">sub</a> <a href="data.bin">data</a> <a href="text.txt">text</a>\n')
    (files / "sub" / "index.html").write_bytes(b'<a href="deep/a%20name%20%23.txt">deep</a> <img src="dot.png">\n')
    (files / "sub" / "deep" / "a name #.txt").write_bytes(b"deep\n")
    (files / "sub" / "dot.png").write_bytes(random.Random(1).randbytes(3000))
    (files / "data.bin").write_bytes(random.Random(2).randbytes(3_000_000))
    (files / "text.txt").write_bytes(bytes(range(97, 107)) * 10)
    (files / "empty.css").write_bytes(b"")
    (files / "inside").symlink_to("sub/dot.png")
    (files / "outside").symlink_to("../secret")
    (files / "absolute").symlink_to(base / "secret")
    (files / "up").symlink_to("..")
    (files / "bare" / "index.html").symlink_to("../../secret")
    (files / "loop").symlink_to("loop")
    os.mkfifo(files / "pipe")
    with open(files / "huge", "wb") as huge:
        huge.truncate(1 << 30)  # takes no room
    return files


class Web(Server):
    """An example server of files; its access log goes to stdout, behind the heading."""

    def __init__(self, test, name, *options, files=None):
        super().__init__(test, name, "--root", files or root(), "--log", "-", *options)

    def logged(self, count):
        """Waits for so many lines of the access log, and returns them all, as (request, status, bytes)."""
        line = r'^127\.0\.0\.1 - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "(.*)" (\d{3}) (\d+|-)\n'
        self.stdout.wait_for(rf"(?:{line}){{{count}}}", self.heading)
        return re.findall(line, self.stdout.text[self.heading:], re.MULTILINE)

    def descriptors(self):
        """Returns how many descriptors the process has: each client is one, each file that is sent another."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def memory(self):
        """Returns the most bytes of memory that the process had at once."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


def curl(port, target, *options, http="1.1", check=True):
    """Returns (status, fields, body), or curl's exit code when that is not 0 and not to be checked."""
    command = [tool("curl", "curl"), "--silent", "--show-error", "--include", "--path-as-is", "--globoff", "--noproxy", "*",
               "--http2" if http == "2" else "--http1.1", "--max-time", str(LIMIT), "--cacert", certificate("ca.pem"),
               "--resolve", f"localhost:{port}:127.0.0.1", *options, f"https://localhost:{port}{target}"]
    done = subprocess.run(command, capture_output=True, timeout=2 * LIMIT)
    if done.returncode and not check:
        return done.returncode
    if done.returncode:
        raise AssertionError(f"curl: {done.returncode} {done.stderr.decode()} {done.stdout[:500]}")
    rest, status = done.stdout, 100
    while status < 200:
        head, _, rest = rest.partition(b"\r\n\r\n")
        version, status = head.split()[0].decode(), int(head.split()[1])
    if not version.startswith(f"HTTP/{http}"):
        raise AssertionError(f"{version} instead of {http}")
    return status, fields_of(head), rest


def fields_of(head):
    lines = (line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
    return {name.decode().lower(): value.decode() for name, value in lines}


class Raw:
    """A connection on which the test writes HTTP/1 itself."""

    def __init__(self, test, port):
        self.socket = connect(test, port, client_context())
        self.stream = self.socket.makefile("rb")
        test.addCleanup(self.stream.close)

    def send(self, *lines, body=b""):
        """Sends lines, the empty one after them, and a body."""
        self.socket.sendall("".join(line + "\r\n" for line in (*lines, "")).encode("latin-1") + body)

    def answer(self, silent=False):
        """Reads one answer: (status, fields, body)."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.stream.readline()
            if not line:
                raise AssertionError(f"the server closed after {head}")
            head += line
        status, fields, body = int(head.split()[1]), fields_of(head), b""
        if status >= 200 and status != 304 and not silent:
            if fields.get("transfer-encoding") == "chunked":
                while size := int(self.stream.readline(), 16):
                    body += self.stream.read(size)
                    assert self.stream.readline() == b"\r\n"
                assert self.stream.readline() == b"\r\n"
            else:
                body = self.stream.read(int(fields["content-length"]))
        return status, fields, body

    def rest(self):
        """Reads until the server closes properly."""
        return self.stream.read()
