"""slowhttptest against https_server: as long as it lasts, an honest client is served, and the server stays available.

Slow heads (slowloris), slow bodies, slow reading, and ranges without end. `make slow-http` has more and longer of it:
SLOW_CONNECTIONS of each kind, SLOW_SECONDS long. It prints a table.
"""

import http.client
import os
import re
import resource
import threading
import time
import types
import unittest

from support import LIMIT, Process, tool
from tls import client_context
from web_servers import Web, root

CONNECTIONS = int(os.environ.get("SLOW_CONNECTIONS", "100"))
SECONDS = int(os.environ.get("SLOW_SECONDS", "5"))
DATA, TEXT = "/data.bin", "/text.txt"
KINDS = {  # what it asks for, and how
    "slow heads": (DATA, "-H", "-x", "24"),
    "slow bodies": ("/echo", "-B", "-s", "8192", "-t", "POST"),
    "slow reading": (DATA, "-X", "-w", "512", "-y", "1024", "-n", "1", "-z", "32", "-k", "3"),
    "ranges": (DATA, "-R", "-t", "HEAD", "-a", "10", "-b", "3000"),
}


class Honest(threading.Thread):
    """A client that comes again and again, with a new connection, until the event is set; `errors` are what went wrong."""

    def __init__(self, port, over):
        super().__init__(daemon=True)
        self.port, self.over = port, over
        self.served, self.longest, self.errors = 0, 0.0, []
        self.content = {target: (root() / target[1:]).read_bytes() for target in (DATA, TEXT)}

    def ask(self, connection, *request):
        connection.request(*request)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def visit(self):
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=LIMIT, context=client_context())
        try:
            wrong = [target for target, content in self.content.items() if self.ask(connection, "GET", target) != (200, content)]
            if self.ask(connection, "POST", "/echo", b"honest") != (200, b"honest"):
                wrong.append("/echo")
            self.errors += [f"{target} came as something else" for target in wrong]
        except (OSError, http.client.HTTPException) as error:
            self.errors.append(repr(error))
        finally:
            connection.close()

    def run(self):
        while not self.over.is_set() and len(self.errors) < 10:
            began = time.monotonic()
            self.visit()
            self.served += 1
            self.longest = max(self.longest, time.monotonic() - began)
            self.over.wait(0.05)


class Attack:
    """One kind of slowness against a server of its own, from its beginning to its end."""

    def __init__(self, test, kind):
        target, *options = KINDS[kind]
        self.server = Web(test, "https_server")
        self.over = threading.Event()
        self.honest = Honest(self.server.port, self.over)
        self.honest.start()
        # -p: so long a probe may take, which is not what is tested; the honest client has the same.
        self.program = Process(test, tool("slowhttptest", "slowhttptest"), "-u", f"https://127.0.0.1:{self.server.port}{target}",
                               *options, "-c", CONNECTIONS,
                               "-r", max(50, CONNECTIONS // 4), "-i", "2", "-l", SECONDS, "-p", LIMIT)

    def wait(self):
        self.program.exit_code(SECONDS + 2 * LIMIT)
        self.over.set()
        self.honest.join(3 * LIMIT)
        text = re.sub(r"\x1b\[[0-9;]*m", "", self.program.stdout.text + self.program.stderr.text)
        self.available = re.findall(r"service available:\s+(\w+)", text)
        self.most = {state: max(map(int, re.findall(rf"{state}:\s+(\d+)", text)), default=0)
                     for state in ("connected", "closed", "error")}
        return self

    def row(self, kind):
        honest = self.honest
        return (f"{kind:13} {CONNECTIONS:6d} {self.most['connected']:10d} {self.most['closed']:7d} {self.most['error']:6d} "
                f"{' '.join(sorted(set(self.available))):>10} {honest.served:7d} {len(honest.errors):7d} "
                f"{honest.longest:10.2f} s {self.server.memory() / 1e6:8.1f} MB")


class SlowHTTP(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """All kinds at once: what they do most is to wait."""
        files = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (files[1], files[1]))  # slowhttptest takes what there is
        cls.addClassCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, files)
        once = types.SimpleNamespace(addCleanup=cls.addClassCleanup)
        attacks = {kind: Attack(once, kind) for kind in KINDS}
        cls.attacks = {kind: attack.wait() for kind, attack in attacks.items()}
        print("slow client    count  connected  closed  error  available  honest  errors      longest   server's most")
        for kind, attack in cls.attacks.items():
            print(attack.row(kind), flush=True)

    def check(self, kind):
        attack = self.attacks[kind]
        self.assertEqual(set(attack.available), {"YES"}, attack.program.stdout.text[-2000:] + attack.program.stderr.text[-2000:])
        self.assertEqual(attack.honest.errors, [])
        self.assertGreater(attack.honest.served, 0)
        self.assertFalse(attack.honest.is_alive(), "the honest client waits still")
        self.assertTrue(attack.server.stays_for(0), "the server has ended")

    def test_slow_heads(self):
        self.check("slow heads")
        self.assertGreater(self.attacks["slow heads"].most["connected"], 0)

    def test_slow_bodies(self):
        self.check("slow bodies")
        self.assertGreater(self.attacks["slow bodies"].most["connected"], 0)

    def test_slow_reading(self):
        self.check("slow reading")
        self.assertGreater(self.attacks["slow reading"].most["connected"], 0)

    def test_ranges_without_end(self):
        self.check("ranges")


if __name__ == "__main__":
    unittest.main()
