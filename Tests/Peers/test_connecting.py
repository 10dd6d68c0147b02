"""Connecting by name, with the system's own resolver, in a network where the test says who answers what and when."""

import os
import re
import subprocess
import tempfile
import unittest

from namespace import A, AAAA, NameServer, Network, Silent, in_namespace, listen
from support import BUILD, HERE, LIMIT, certificate, tool
from tls import server_context

PORT = 4433


class Connecting(unittest.TestCase):

    def connect(self, host, connect_ms=10_000):
        """Runs connecting.c; returns the addresses that it told of, and its last words about each thing."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        flags = subprocess.run(
            [tool("pkg-config", "pkg-config"), "--cflags", "--libs", "tlsmem"], check=True, capture_output=True,
            text=True, env=os.environ | {"PKG_CONFIG_PATH": str(BUILD / "stage/lib/pkgconfig")}).stdout.split()
        program = os.path.join(folder.name, "connecting")
        subprocess.run(
            [tool("cc", "gcc"), "-std=c99", "-Wall", "-Wextra", "-Werror", "-o", program, HERE / "connecting.c",
             *flags, f"-Wl,-rpath,{BUILD / 'stage/lib'}"], check=True, timeout=LIMIT)
        run = subprocess.run(
            [program, certificate("ca.pem"), host, str(PORT), str(connect_ms)], capture_output=True, text=True,
            timeout=LIMIT, env=os.environ | {"LC_ALL": "C"})
        self.assertEqual(run.returncode, 0, run.stderr)
        print(f"connecting: {self.id().rpartition('.')[2]}:", "; ".join(run.stdout.splitlines()), flush=True)
        self.attempts = re.findall(r"^attempt (\S+) (.*) \d+ ms$", run.stdout, re.MULTILINE)
        self.milliseconds = [int(n) for n in re.findall(r"^established (\d+) ms$", run.stdout, re.MULTILINE)]
        self.closed = re.search(r"^closed (\S+) \d+ ms: (.*)$", run.stdout, re.MULTILINE).groups()
        self.ticks, self.longest_gap = (int(n) for n in re.search(
            r"^turning (\d+) ticks of 10 ms, the longest after (\d+) ms$", run.stdout, re.MULTILINE).groups())

    def assert_established(self, *addresses):
        self.assertEqual(self.closed[0], "TLSMEM_OK", self.closed)
        self.assertEqual(len(self.milliseconds), 1)
        *failed, (last, outcome) = self.attempts
        self.assertEqual([*(address for address, _ in failed), last], list(addresses))
        self.assertEqual(outcome, "connected")

    @in_namespace
    def test_a_host_that_has_nothing_but_its_loopback_finds_its_own_localhost(self):
        Network(self, hosts="127.0.0.1 localhost\n::1 localhost\n")
        listen(self, "::1", PORT, server_context())
        self.connect("localhost")
        self.assert_established("::1")

    @in_namespace
    def test_ipv6_that_never_answers_costs_a_quarter_of_a_second(self):
        Network(self, hosts="fd00::dead dual.example\n127.0.0.2 dual.example\n", addresses=["fd00::dead/128"])
        Silent(self, "fd00::dead", PORT)
        listen(self, "127.0.0.2", PORT, server_context())
        self.connect("dual.example")
        self.assert_established("127.0.0.2")

    @in_namespace
    def test_ipv6_that_never_answers_and_ipv4_that_is_slow(self):
        Network(self, hosts="fd00::dead dual.example\n127.0.0.2 dual.example\n", addresses=["fd00::dead/128"])
        Silent(self, "fd00::dead", PORT)
        Silent(self, "127.0.0.2", PORT).listen_after(0.5, server_context())
        self.connect("dual.example")
        self.assert_established("127.0.0.2")

    @in_namespace
    def test_ipv6_that_is_not_routed_costs_nothing(self):
        Network(self, hosts="2001:db8::1 dual.example\n127.0.0.2 dual.example\n")
        listen(self, "127.0.0.2", PORT, server_context())
        self.connect("dual.example")
        self.assert_established("2001:db8::1", "127.0.0.2")
        self.assertEqual(self.attempts[0][1], "Network is unreachable")

    @in_namespace
    def test_a_name_that_nobody_knows(self):
        Network(self)
        NameServer({})
        self.connect("no.such.example")
        self.assertEqual(self.attempts, [])
        self.assertEqual(self.closed[0], "TLSMEM_ERESOLVE")
        self.assertIn("no.such.example: Name or service not known", self.closed[1])

    @in_namespace
    def test_a_name_server_that_is_not_there(self):
        Network(self)
        self.connect("some.example")
        self.assertEqual(self.closed[0], "TLSMEM_ERESOLVE")
        self.assertIn("some.example: Temporary failure in name resolution", self.closed[1])

    @in_namespace
    def test_ten_addresses_of_which_the_last_works(self):
        addresses = [f"127.0.1.{number}" for number in range(1, 11)]
        Network(self)
        NameServer({("ten.example", A): (0, addresses)})
        for address in addresses:
            listen(self, address, PORT + 1, server_context())  # another port: this one is refused
        self.connect("ten.example")
        self.assertEqual(self.closed[0], "TLSMEM_ECONNECT")
        for address in addresses:
            self.assertIn(f"{address}:{PORT}", self.closed[1])
        self.assertEqual({outcome for _, outcome in self.attempts}, {"Connection refused"})
        order = [address for address, _ in self.attempts]
        self.assertEqual(sorted(order), sorted(addresses))
        for address in order[:5]:
            Silent(self, address, PORT)
        listen(self, order[-1], PORT, server_context())
        self.connect("ten.example")
        self.assert_established(*order[5:])

    @in_namespace
    def test_ipv6_that_is_found_a_little_later_is_waited_for(self):
        Network(self, addresses=["fd00::1/128"])
        NameServer({("dual.example", A): (0, ["127.0.0.2"]), ("dual.example", AAAA): (0.02, ["fd00::1"])})
        for address in ("127.0.0.2", "fd00::1"):
            listen(self, address, PORT, server_context())
        self.connect("dual.example")
        self.assert_established("fd00::1")

    @in_namespace
    def test_ipv6_that_is_found_much_later_is_not_waited_for(self):
        Network(self, addresses=["fd00::1/128"])
        NameServer({
            ("late.example", A): (0, ["127.0.0.2"]), ("late.example", AAAA): (1, ["fd00::1"]),
            ("never.example", A): (0, ["127.0.0.2"]), ("never.example", AAAA): (None, [])})
        for address in ("127.0.0.2", "fd00::1"):
            listen(self, address, PORT, server_context())
        for name in ("late.example", "never.example"):
            with self.subTest(name=name):
                self.connect(name)
                self.assert_established("127.0.0.2")
                self.assertLess(self.milliseconds[0], 900)

    @in_namespace
    def test_the_loop_turns_while_the_resolver_hangs(self):
        Network(self)
        NameServer({("slow.example", A): (2, ["127.0.0.2"]), ("slow.example", AAAA): (2, [])})
        listen(self, "127.0.0.2", PORT, server_context())
        self.connect("slow.example")
        self.assert_established("127.0.0.2")
        self.assertGreaterEqual(self.milliseconds[0], 2000)
        self.assertGreater(self.ticks, 100)
        self.assertLess(self.longest_gap, 500)

    @in_namespace
    def test_a_resolver_that_does_not_answer_in_time(self):
        Network(self)
        NameServer({("slow.example", A): (None, []), ("slow.example", AAAA): (None, [])})
        self.connect("slow.example", connect_ms=300)
        self.assertEqual(self.closed[0], "TLSMEM_ETIMEOUT")
        self.assertIn("slow.example: the resolver has not answered", self.closed[1])


if __name__ == "__main__":
    unittest.main()
