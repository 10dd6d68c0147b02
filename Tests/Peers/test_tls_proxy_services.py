"""Real services behind tls_proxy: Redis, which speaks TLS to it, and PostgreSQL, whose own clients do not know of it."""

import glob
import os
import random
import shutil
import signal
import tempfile
import unittest

from proxy import Proxy
from support import LIMIT, Process, certificate, tool


class Service(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tlsmem-service-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def run_tool(self, package, name, *options, text=b""):
        """Runs one of the service's own programs, and returns what it printed."""
        program = Process(self, tool(name, package), *options)
        program.feed(text)
        self.assertEqual(program.exit_code(2 * LIMIT), 0, program.stderr.text + program.stdout.text)
        return program.stdout.bytes


class Redis(Service):
    def setUp(self):
        super().setUp()
        path = os.path.join(self.folder, "redis")
        server = Process(self, tool("redis-server", "redis-server"), "--port", "0", "--unixsocket", path, "--save", "",
                         "--dir", self.folder)
        server.stdout.wait_for("(?i)ready to accept connections")
        self.proxy = Proxy(self, f"unix:{path}", "--threads", "2")

    def redis(self, name, *options, text=b""):
        return self.run_tool("redis-tools", name, "-h", "localhost", "-p", self.proxy.port, "--tls", "--cacert",
                             certificate("ca.pem"), *options, text=text)

    def test_a_value_of_2_mib_goes_in_and_out(self):
        value = random.Random(8).randbytes(1 << 20).hex().encode()
        self.assertEqual(self.redis("redis-cli", "-x", "set", "large", text=value), b"OK\n")
        self.assertTrue(self.redis("redis-cli", "get", "large") == value + b"\n")

    def test_redis_benchmark_has_all_its_answers(self):
        printed = self.redis("redis-benchmark", "-n", "3000", "-c", "20", "-P", "8", "-t", "set,get,lrange_300", "--csv")
        tests = [line.split(b'"')[1] for line in printed.splitlines() if line.startswith(b'"')]
        self.assertEqual([name for name in tests if name in (b"SET", b"GET")], [b"SET", b"GET"])
        self.assertTrue(any(name.startswith(b"LRANGE_300") for name in tests), tests)
        self.assertEqual(self.redis("redis-cli", "llen", "mylist"), b"3000\n")


class PostgreSQL(Service):
    """psql in plain, tls_proxy as a client, TLS, tls_proxy as a server, the Unix socket of PostgreSQL."""

    def setUp(self):
        super().setUp()
        self.programs = next(iter(sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)), "")
        self.assertTrue(self.programs, "PostgreSQL is missing: apt-get install postgresql")
        # It refuses to be root.
        self.under = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups") if os.getuid() == 0 else ()
        data = os.path.join(self.folder, "data")
        if self.under:
            shutil.chown(self.folder, "postgres", "postgres")
        made = Process(self, *self.under, os.path.join(self.programs, "initdb"), "-D", data, "-A", "trust", "-U", "postgres",
                       "-E", "UTF8", "--no-sync")
        self.assertEqual(made.exit_code(2 * LIMIT), 0, made.stderr.text)
        self.server = Process(self, *self.under, os.path.join(self.programs, "postgres"), "-D", data, "-k", self.folder,
                              "-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=20")
        self.server.stderr.wait_for("ready to accept connections")
        self.addCleanup(self.stop)
        inner = Proxy(self, f"unix:{self.folder}/.s.PGSQL.5432")
        self.proxy = Proxy(self, f"localhost:{inner.port}", mode="client")
        self.place = f"host=127.0.0.1 port={self.proxy.port} user=postgres dbname=postgres sslmode=disable gssencmode=disable"

    def stop(self):
        os.kill(self.server.pid, signal.SIGINT)
        self.server.exit_code()

    def psql(self, command, text=b""):
        return self.run_tool("postgresql-client", "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", self.place,
                             "-c", command, text=text)

    def test_a_table_of_3_mib_is_copied_in_and_out(self):
        rows = b"".join(b"%d\t%s\n" % (number, random.Random(number).randbytes(70).hex().encode()) for number in range(20_000))
        self.psql("create table t (n int, word text)")
        self.psql("copy t from stdin", rows)
        self.assertEqual(self.psql("select count(*) from t"), b"20000\n")
        self.assertTrue(self.psql("copy (select * from t order by n) to stdout") == rows)

    def test_pgbench_has_all_its_transactions(self):
        pgbench = os.path.join(self.programs, "pgbench")
        self.run_tool("postgresql", pgbench, "-i", "-q", self.place)
        printed = self.run_tool("postgresql", pgbench, "-c", "4", "-t", "100", "-n", self.place)
        self.assertIn(b"number of transactions actually processed: 400/400", printed)


if __name__ == "__main__":
    unittest.main()
