"""Real services for tls_proxy to stand in front of: Redis and PostgreSQL, each in a folder and on a socket of its own."""

import glob
import os
import shutil
import signal
import tempfile

from support import LIMIT, Process, certificate, tool


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


class PostgreSQL:
    """PostgreSQL on a Unix socket; its own clients are sent to a proxy, in plain."""

    def __init__(self, test):
        self.test = test
        self.programs = next(iter(sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)), "")
        test.assertTrue(self.programs, "PostgreSQL is missing: apt-get install postgresql")
        # It refuses to be root.
        under = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups") if os.getuid() == 0 else ()
        folder = _folder(test, "tlsmem-postgresql-")
        data = os.path.join(folder, "data")
        if under:
            shutil.chown(folder, "postgres", "postgres")
        made = Process(test, *under, os.path.join(self.programs, "initdb"), "-D", data, "-A", "trust", "-U", "postgres",
                       "-E", "UTF8", "--no-sync")
        test.assertEqual(made.exit_code(2 * LIMIT), 0, made.stderr.text)
        self.server = Process(test, *under, os.path.join(self.programs, "postgres"), "-D", data, "-k", folder,
                              "-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=20")
        self.server.stderr.wait_for("ready to accept connections")
        test.addCleanup(self._stop)
        self.place = f"unix:{folder}/.s.PGSQL.5432"

    def _stop(self):
        os.kill(self.server.pid, signal.SIGINT)
        self.server.exit_code()

    @staticmethod
    def at(port):
        """Returns what its clients want to know of a port."""
        return f"host=127.0.0.1 port={port} user=postgres dbname=postgres sslmode=disable gssencmode=disable"

    def pgbench(self, port, *options):
        """Starts pgbench against a port."""
        return Process(self.test, os.path.join(self.programs, "pgbench"), *options, self.at(port))
