"""CPython's own tests of asyncio over TLS, run with tlsmem in the place of ssl (over_tlsmem.py), and for comparison with ssl.

They come with Python as the package test; Debian has them in one of its own. Most of their time is sleep: so they run beside
each other. Left out is what looks inside of asyncio's SSLProtocol, whose transport is a mock and which is not there then
(test_sslproto.SslProtoHandshakeTests), and what differs in its selector only.
"""

import pathlib
import re
import subprocess
import sys
import unittest

from support import LIMIT, Process
import asyncio_backends  # noqa: F401: says where package and library are

HERE = pathlib.Path(__file__).resolve().parent
# Each with how many tests Python 3.11 to 3.13 have there, at least.
GROUPS = {
    "connections": (15, "test_ssl.TestSSL:start_tls,timeout,handshake,accepted,leak"),
    "servers_and_closing": (7, "test_ssl.TestSSL:create_server,connection_ssl_1,failed,_cleanly,before_shutdown,remote_shut"),
    "loops_and_streams": (29, "test_sslproto.SelectorStartTLSTests", "test_events.EPollEventLoopTests:ssl",
                          "test_sendfile.EPollEventLoopTests:ssl", "test_streams.StreamTests:ssl,tls"),
}


def python():
    """Returns a Python that has its tests."""
    for candidate in (sys.executable, "/usr/bin/python3"):
        asked = subprocess.run([candidate, "-c", "import test.test_asyncio.test_ssl"], capture_output=True, timeout=LIMIT)
        if asked.returncode == 0:
            return candidate
    raise AssertionError("CPython's own tests are missing: apt-get install libpython3.11-testsuite")


class CPython(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.running = {(over, name): Process(cls, python(), HERE / "cpython.py", over, *patterns)
                       for over in ("ssl", "tlsmem") for name, (_, *patterns) in GROUPS.items()}

    @classmethod
    def addCleanup(cls, function, *arguments):
        cls.addClassCleanup(function, *arguments)

    def _passed(self, over, name):
        process = self.running[over, name]
        process.exit_code(3 * LIMIT)
        said = process.stderr.text + process.stdout.text
        summary = re.search(r"^tests (\d+) failed (\d+) skipped (\d+) drivers (\d+) reported (.*)$", process.stdout.text, re.M)
        self.assertIsNotNone(summary, said)
        tests, failed, skipped, drivers = map(int, summary.groups()[:4])
        self.assertEqual(failed, 0, said)
        self.assertGreaterEqual(tests - skipped, GROUPS[name][0], said)
        return drivers, summary[5]


def over(name):
    def test(self):
        standard, reported = self._passed("ssl", name)
        drivers, ours = self._passed("tlsmem", name)
        self.assertEqual(standard, 0)
        self.assertGreater(drivers, 10)
        self.assertEqual(ours, reported)
    return test


for group in GROUPS:
    setattr(CPython, f"test_{group}", over(group))
