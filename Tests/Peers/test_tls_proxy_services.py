"""Real services behind tls_proxy: Redis, which speaks TLS to it, and PostgreSQL, whose own clients do not know of it."""

import random
import unittest

from proxy import Proxy
from services import PostgreSQL, Redis
from support import LIMIT, Process, tool


class Service(unittest.TestCase):
    def printed(self, program, text=b""):
        """Waits for one of the service's own programs, and returns what it printed."""
        program.feed(text)
        self.assertEqual(program.exit_code(2 * LIMIT), 0, program.stderr.text + program.stdout.text)
        return program.stdout.bytes


class BehindServerMode(Service):
    def setUp(self):
        self.service = Redis(self)
        self.proxy = Proxy(self, self.service.place, "--threads", "2")

    def redis(self, name, *options, text=b""):
        return self.printed(self.service.start(name, self.proxy.port, *options), text)

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


class BehindClientAndServerMode(Service):
    """psql in plain, tls_proxy as a client, TLS, tls_proxy as a server, the Unix socket of PostgreSQL."""

    def setUp(self):
        self.service = PostgreSQL(self)
        inner = Proxy(self, self.service.place)
        self.proxy = Proxy(self, f"localhost:{inner.port}", mode="client")

    def psql(self, command, text=b""):
        return self.printed(Process(
            self, tool("psql", "postgresql-client"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d",
            self.service.at(self.proxy.port), "-c", command), text)

    def test_a_table_of_3_mib_is_copied_in_and_out(self):
        rows = b"".join(b"%d\t%s\n" % (number, random.Random(number).randbytes(70).hex().encode()) for number in range(20_000))
        self.psql("create table t (n int, word text)")
        self.psql("copy t from stdin", rows)
        self.assertEqual(self.psql("select count(*) from t"), b"20000\n")
        self.assertTrue(self.psql("copy (select * from t order by n) to stdout") == rows)

    def test_pgbench_has_all_its_transactions(self):
        self.printed(self.service.pgbench(self.proxy.port, "-i", "-q"))
        printed = self.printed(self.service.pgbench(self.proxy.port, "-c", "4", "-t", "100", "-n"))
        self.assertIn(b"number of transactions actually processed: 400/400", printed)


if __name__ == "__main__":
    unittest.main()
