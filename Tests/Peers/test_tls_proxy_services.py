"""Real services behind tls_proxy: Redis, which speaks TLS to it, and PostgreSQL, whose own clients do not know of it."""

import os
import random
import tempfile
import unittest

from postgres import Postgres
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
        self.programs = Postgres(self, self.folder, "listen_addresses=").programs
        inner = Proxy(self, f"unix:{self.folder}/.s.PGSQL.5432")
        self.proxy = Proxy(self, f"localhost:{inner.port}", mode="client")
        self.place = f"host=127.0.0.1 port={self.proxy.port} user=postgres dbname=postgres sslmode=disable gssencmode=disable"

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
