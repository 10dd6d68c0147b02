"""A PostgreSQL server that has tlsmem_fetch, and sessions with it. The server speaks TLS with its clients, by OpenSSL."""

import collections
import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import types
import unittest
import unittest.mock

from postgres import Postgres
from support import BUILD, LIMIT, Process, certificate, free_port, tool
from tls import PythonServer, plain_socket, server_context

SOURCES = pathlib.Path(__file__).resolve().parent.parent.parent / "examples-c" / "postgres"


class Session:
    """psql, which sends a statement and goes on: the test may be the web server meanwhile."""

    def __init__(self, test, port, user="postgres"):
        where = f"host=localhost port={port} user={user} dbname=postgres " \
                f"sslmode=verify-full sslrootcert={certificate('ca.pem')}"
        self.psql = Process(test, "sh", "-c", 'exec "$0" "$@" 2>&1', tool("psql", "postgresql-client"), "-X", "-A", "-t", "-q",
                            "-v", "VERBOSITY=verbose", "-d", where)
        self.asked = self.seen = 0
        self.pid = int(self.ask("select pg_backend_pid()"))

    def send(self, statement):
        self.asked += 1
        self.psql.write(f"{statement};\n\\echo <{self.asked}> :SQLSTATE\n".encode())

    def answer(self):
        """Waits for the end of the statement that was sent; returns its SQLSTATE, and what psql has printed."""
        end = self.psql.stdout.wait_for(rf"^<{self.asked}> (\w{{5}})\n", self.seen)
        text = self.psql.stdout.bytes[self.seen:end.start()].decode()
        self.seen = end.end()
        return end[1].decode(), text.rstrip("\n")

    def ask(self, statement):
        self.send(statement)
        return self.done()

    def done(self):
        """Returns what the statement has printed, which is to have been well."""
        state, text = self.answer()
        if state != "00000":
            raise AssertionError(f"{state}: {text}")
        return text

    def error(self, statement):
        """Returns the SQLSTATE of a statement that is to fail, and the whole message."""
        self.send(statement)
        return self.answer()

    def descriptors(self):
        """Returns how many descriptors the backend has of each kind. Its files come and go as it pleases."""
        kinds = collections.Counter()
        for fd in os.listdir(f"/proc/{self.pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                kinds[os.readlink(f"/proc/{self.pid}/fd/{fd}").partition(":")[0]] += 1
        return {kind: kinds[kind] for kind in ("socket", "anon_inode", "pipe")}

    def memory(self):
        """Returns the bytes that the backend has resident and to itself."""
        pages = pathlib.Path(f"/proc/{self.pid}/statm").read_text().split()
        return (int(pages[1]) - int(pages[2])) * os.sysconf("SC_PAGE_SIZE")


class Host(Postgres):
    """A server with the extension. `ca` is a file with the authority of all that the tests serve, `stranger` another's."""

    def __init__(self, test, *settings):
        folder = tempfile.TemporaryDirectory(prefix="tlsmem-fetch-")
        test.addCleanup(folder.cleanup)
        for name in ("server.pem", "server.key", "ca.pem", "other-ca.pem"):
            self.own(shutil.copy(certificate(name), folder.name))
        # The server's user may not be let in where the library was built.
        for library in (BUILD / "stage" / "lib").glob("libtlsmem.so.?"):
            shutil.copy(library, folder.name)
        os.chmod(folder.name, 0o755)
        self.root, self.ca, self.stranger = (f"{folder.name}/{name}" for name in ("root", "ca.pem", "other-ca.pem"))
        done = subprocess.run(["make", "-C", SOURCES, "install", f"BUILD={BUILD / 'examples'}", f"DESTDIR={self.root}"],
                              capture_output=True, text=True, timeout=LIMIT)
        if done.returncode:
            raise AssertionError(f"the extension is missing: run `make examples`\n{done.stdout}{done.stderr}")
        self.port = free_port()
        with self.library():
            super().__init__(test, folder.name, "listen_addresses=127.0.0.1", f"port={self.port}", "ssl=on",
                             f"ssl_cert_file={folder.name}/server.pem", f"ssl_key_file={folder.name}/server.key",
                             f"extension_destdir={self.root}", *settings)
        first = Session(test, self.port)
        first.ask("create extension tlsmem_fetch")
        first.ask("create role somebody login")

    def library(self):
        """While this lasts, programs that are started find libtlsmem."""
        return unittest.mock.patch.dict(os.environ, LD_LIBRARY_PATH=os.path.dirname(self.ca))

    def session(self, test, user="postgres"):
        """Begins a session; a superuser's trusts `ca`, and waits for longer than any test."""
        session = Session(test, self.port, user)
        if user == "postgres":
            session.ask("select tlsmem_version()")  # which loads it, with its settings
            session.ask(f"set tlsmem_fetch.ca_file = '{self.ca}'; set tlsmem_fetch.timeout = '1h'; "
                        "set tlsmem_fetch.handshake_timeout = '1h'")
        return session


class FetchTest(unittest.TestCase):
    """Tests with one server for the module, which says: setUpModule = FetchTest.start"""

    @staticmethod
    def start():
        FetchTest.host = Host(types.SimpleNamespace(addCleanup=unittest.addModuleCleanup))
        FetchTest.ca, FetchTest.stranger = FetchTest.host.ca, FetchTest.host.stranger

    def session(self, user="postgres"):
        return self.host.session(self, user)

    def serve(self, **parameters):
        """Returns a web server that the test plays."""
        return Playing(self, server_context(**parameters))

    def wait_for(self, other, condition):
        """Waits for what a backend does, of which nothing tells: another session is asked meanwhile."""
        for _ in range(100 * LIMIT):
            if condition():
                return
            other.ask("select pg_sleep(0.01)")
        self.fail("it did not come to pass")


class Deaf:
    """A server that nobody can connect to: whoever asks for more than it has places is not answered (tcp(7), listen(2))."""

    def __init__(self, test):
        listener = socket.socket()
        test.addCleanup(listener.close)
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        self.port = listener.getsockname()[1]
        plain_socket(test, self.port)  # takes the one place

    def url(self):
        return f"https://127.0.0.1:{self.port}/"


class Playing(PythonServer):
    def url(self, target="/"):
        return f"https://localhost:{self.port}{target}"

    def request(self):
        """Takes a connection and its request; returns both."""
        connection, head = self.establish(), b""
        while not head.endswith(b"\r\n\r\n"):
            chunk = connection.recv(1 << 16)
            if not chunk:
                raise AssertionError(f"the client closed after {head}")
            head += chunk
        return connection, head.decode()

    def play(self, answer):
        """Answers one request, and closes properly. Returns the request."""
        connection, head = self.request()
        connection.sendall(answer)
        with contextlib.suppress(OSError):  # of a client that has its answer, and is gone
            connection.unwrap()
        connection.close()
        return head
