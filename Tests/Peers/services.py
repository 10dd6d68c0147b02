"""Real services for tls_proxy to stand in front of: Redis and PostgreSQL, each in a folder and on a socket of its own."""

import os
import tempfile

from postgres import Postgres
from support import Process, certificate, tool


def _folder(test, prefix):
    folder = tempfile.TemporaryDirectory(prefix=prefix)
    test.addCleanup(folder.cleanup)
    return folder.name


class Redis:
    """redis-server on a Unix socket, or on a port; its own clients, which speak TLS, are sent to a proxy."""

    def __init__(self, test, port=0):
        self.test = test
        folder = _folder(test, "tlsmem-redis-")
        path = os.path.join(folder, "redis")
        self.server = Process(test, tool("redis-server", "redis-server"), "--port", port, "--unixsocket", path, "--save", "",
                              "--bind", "127.0.0.1", "--dir", folder)
        self.server.stdout.wait_for("(?i)ready to accept connections")
        self.place = f"127.0.0.1:{port}" if port else f"unix:{path}"

    def start(self, name, port, *options):
        """Starts one of Redis's own programs, which is to speak TLS to a port."""
        return Process(self.test, tool(name, "redis-tools"), "-h", "localhost", "-p", port, "--tls", "--cacert",
                       certificate("ca.pem"), *options)


class PostgreSQL(Postgres):
    """PostgreSQL on a Unix socket; its own clients are sent to a proxy, in plain."""

    def __init__(self, test):
        super().__init__(test, _folder(test, "tlsmem-postgresql-"), "listen_addresses=")
        self.test = test
        self.place = f"unix:{self.folder}/.s.PGSQL.5432"

    @staticmethod
    def at(port):
        """Returns what its clients want to know of a port."""
        return f"host=127.0.0.1 port={port} user=postgres dbname=postgres sslmode=disable gssencmode=disable"

    def pgbench(self, port, *options):
        """Starts pgbench against a port."""
        return Process(self.test, os.path.join(self.programs, "pgbench"), *options, self.at(port))
