"""tls_proxy for a long time: Redis and PostgreSQL at once, with their own benchmarks. `make proxy-soak` calls it.

    soak.py [MINUTES]            10

Redis has TLS in front. PostgreSQL's clients go in plain to a proxy that is a TLS client, which goes to one that is a TLS
server. Prints what was done, every error, and each proxy's memory and statistics; the exit code says whether all is well.
"""

import collections
import random
import re
import sys
import threading
import time
import unittest

import support
from proxy import Proxy
from services import PostgreSQL, Redis

MINUTES = float(sys.argv[1]) if len(sys.argv) > 1 else 10
ROUND = min(20, MINUTES * 60)  # seconds
support.LIFETIME += MINUTES * 60


class Work:
    """What has been done by one of the two, in rounds, until the time is over or something fails."""

    def __init__(self, name):
        self.name, self.done, self.rounds, self.errors = name, 0, 0, []

    def run(self, rounds, until):
        try:
            while time.monotonic() < until and not self.errors:
                self.done += rounds(self)
                self.rounds += 1
        except Exception as error:  # whatever it is, it is told
            self.errors.append(repr(error))

    def finished(self, program, text=b""):
        """Waits for a program, and returns what it printed; anything on stderr is an error, too."""
        program.feed(text)
        code = program.exit_code(20 * ROUND)
        said = re.sub(r"(?m)^WARNING: Keepalive disabled.*\n", "", program.stderr.text)
        if code != 0 or said.strip() or "rror" in program.stdout.text:
            self.errors.append(f"{said} {program.stdout.text[-500:]}")
        return program.stdout.text


class Soak(unittest.TestCase):
    def redis(self, work):
        """Benchmarks of several kinds, new connections among them; a large value, to the byte."""
        def run(name, *options, text=b""):
            return work.finished(self.cache.start(name, self.front.port, *options), text)

        done = 0
        for options in (("-n", "30000", "-c", "50"), ("-n", "100000", "-c", "50", "-P", "16"), ("-n", "1000", "-k", "0"),
                        ("-n", "10000", "-c", "20", "-d", "20000")):
            printed = run("redis-benchmark", *options, "-t", "set,get", "--csv")
            done += int(options[1]) * len(re.findall(r'^"[SG]ET', printed, re.MULTILINE))
        value = random.randbytes(4 << 20).hex()
        run("redis-cli", "-x", "set", "large", text=value.encode())
        if run("redis-cli", "get", "large") != value + "\n":
            work.errors.append("a large value came back as another")
        return done + 2

    def postgresql(self, work):
        """Its standard transactions; every other round with a new connection for each."""
        connecting = ("-C",) if work.rounds % 2 else ()
        program = self.base.pgbench(self.outer.port, "-c", "8", "-j", "2", "-n", "-T", round(ROUND), *connecting)
        program.stderr.wait_for_end()
        program.exit_code(20 * ROUND)
        printed, said = program.stdout.text, program.stderr.text
        done = re.search(r"actually processed: (\d+)", printed)
        if done is None or "number of failed transactions: 0 " not in printed or "rror" in said or "abort" in said:
            work.errors.append(f"{said} {printed}")
        return int(done[1]) if done else 0

    def measure(self):
        """The memory of each proxy, in KB."""
        return [proxy.memory() // 1000 for proxy in self.proxies.values()]

    def test_redis_and_postgresql_at_once(self):
        self.cache, self.base = Redis(self), PostgreSQL(self)
        self.front = Proxy(self, self.cache.place, "--threads", "2", "--verbose")
        inner = Proxy(self, self.base.place, "--verbose")
        self.outer = Proxy(self, f"localhost:{inner.port}", "--verbose", mode="client")
        self.proxies = {"before Redis": self.front, "to TLS": self.outer, "before PostgreSQL": inner}
        work = {"Redis": Work("requests"), "PostgreSQL": Work("transactions")}
        made = self.base.pgbench(self.outer.port, "-i", "-q", "-s", "5")
        self.assertEqual(made.exit_code(20 * ROUND), 0, made.stderr.text)

        begin = time.monotonic()
        until, memory = begin + 60 * MINUTES, [self.measure()]
        threads = [threading.Thread(target=work["Redis"].run, args=(self.redis, until), daemon=True),
                   threading.Thread(target=work["PostgreSQL"].run, args=(self.postgresql, until), daemon=True)]
        for thread in threads:
            thread.start()
        time.sleep(30 * MINUTES)
        memory.append(self.measure())
        for thread in threads:
            thread.join()
        memory.append(self.measure())
        lasted = time.monotonic() - begin

        print(f"{lasted:.0f} seconds")
        for name, one in work.items():
            print(f"{name:18} {one.done} {one.name} in {one.rounds} rounds, {len(one.errors)} errors", *one.errors)
        for index, (name, proxy) in enumerate(self.proxies.items()):
            rss = ", ".join(str(moment[index]) for moment in memory)
            counts = " ".join(f"{key}={value}" for key, value in proxy.counts().items())
            print(f"{name:18} memory at begin, middle, end: {rss} KB; {counts}")
        print(f"the cache's own:   {self.errors_of_redis()}")
        # Redis's programs leave without close_notify, some with a reset, or in the handshake: nothing else may be told.
        for sentence, times in collections.Counter(self.front.stderr.text.splitlines()).items():
            print(f"{times} times {sentence}")
            self.assertRegex(sentence, "without close_notify|was reset|during the handshake")
        self.assertEqual(self.outer.stderr.text + inner.stderr.text, "")
        self.assertEqual([proxy.counts()["active"] for proxy in self.proxies.values()], [0, 0, 0])
        self.assertEqual([proxy.counts()["failed"] for proxy in (self.outer, inner)], [0, 0])
        for one in work.values():
            self.assertEqual(one.errors, [])
            self.assertGreater(one.done, 0)

    def errors_of_redis(self):
        """What Redis itself counts as answers that were errors."""
        program = self.cache.start("redis-cli", self.front.port, "info", "stats")
        self.assertEqual(program.exit_code(), 0)
        found = re.search(r"total_error_replies:\d+", program.stdout.text)[0]
        self.assertTrue(found.endswith(":0"), found)
        return found


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
