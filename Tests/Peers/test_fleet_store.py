"""Servers of a fleet that keep their sessions in Redis: a client that was with one comes back to another."""

import os
import signal
import threading
import time
import unittest

from fleets import Fleet
from services import Redis
from support import LIMIT, VERSIONS, Server, free_port, variants
from tls import client_context, connect, exchange


class Store(Fleet):
    """They keep the sessions in Redis."""

    def setUp(self):
        self.redis_port = free_port()
        self.redis = Redis(self, self.redis_port)

    def start(self, *options):
        return Server(self, "fleet_server", "--tls", self.version, "--redis", self.redis_port, *options)

    def test_a_session_of_tls_1_3_is_for_one_visit(self):
        self.context = client_context(self.version)
        one, other = self.start(), self.start()
        session, _ = self.visit(one)
        self.assertTrue(self.visit(other, session)[1])
        self.assertEqual(self.visit(one, session)[1], self.version == "1.2")

    def test_while_redis_is_slow_only_those_wait_who_need_it(self):
        self.context = client_context(self.version)
        one, other = self.start(), self.start()
        session, _ = self.visit(one)
        with connect(self, other.port, self.context) as here:
            self.assertEqual(exchange(here, b"before"), b"before")
            os.kill(self.redis.server.pid, signal.SIGSTOP)
            try:
                found = []
                waiting = threading.Thread(target=lambda: found.append(self.visit(other, session)), daemon=True)
                waiting.start()
                for _ in range(20):
                    self.assertEqual(exchange(here, b"meanwhile"), b"meanwhile")
                self.assertFalse(self.visit(other)[1])
                self.assertEqual(found, [])
            finally:
                os.kill(self.redis.server.pid, signal.SIGCONT)
            waiting.join(LIMIT)
            self.assertTrue(found and found[0][1])

    def test_without_redis_handshakes_are_whole(self):
        self.context = client_context(self.version)
        one = self.start("--verbose")
        session, _ = self.visit(one)
        self.redis.server.end()
        for _ in range(3):
            session, resumed = self.visit(one, session)
            self.assertFalse(resumed)
        one.stderr.wait_for("Redis: ")
        self.redis = Redis(self, self.redis_port)
        end = time.monotonic() + LIMIT
        while not resumed:  # it is asked again after a second
            self.assertLess(time.monotonic(), end)
            session, resumed = self.visit(one, session)


variants(globals(), Store, version=VERSIONS)

if __name__ == "__main__":
    unittest.main()
