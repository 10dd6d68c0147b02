"""tls_proxy is given fifty certificates one after the other, while clients come without a break: none of them is refused."""

import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

from proxy import PlainServer, Proxy
from support import LIMIT, certificate, tool
from tls import client_context, receive

CHANGES = 50


def issue(folder, number):
    """Makes a certificate for localhost, of the authority that tests trust; returns its serial number."""
    pem, key = (os.path.join(folder, f"{number}.{kind}") for kind in ("pem", "key"))
    subprocess.run(
        [tool("openssl", "openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2", "-set_serial", str(1000 + number),
         "-CA", certificate("ca.pem"), "-CAkey", certificate("ca.key"), "-keyout", key, "-out", pem],
        check=True, timeout=LIMIT, capture_output=True)
    return 1000 + number


class Clients:
    """Threads that connect, exchange a byte, and close, again and again; what they saw, and what failed."""

    def __init__(self, test, port, count=3):
        self.port, self.stopped, self.failures = port, False, []
        self.seen, self.done, self.changed = [], 0, threading.Condition()
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(count)]
        for thread in self.threads:
            thread.start()
        test.addCleanup(self.stop)

    def run(self):
        context = client_context()
        while not self.stopped:
            with self.changed:
                begun = self.done
            try:
                with context.wrap_socket(socket.create_connection(("127.0.0.1", self.port), LIMIT),
                                         server_hostname="localhost", suppress_ragged_eofs=False) as connection:
                    connection.sendall(b"x")
                    receive(connection, 1)
                    serial = int(connection.getpeercert()["serialNumber"], 16)
                    connection.unwrap()
            except (OSError, AssertionError) as failure:
                self.failures.append(repr(failure))
                return
            with self.changed:
                self.seen.append((begun, serial))
                self.done += 1
                self.changed.notify_all()

    def next(self, count):
        """Waits for so many clients that begin from now on; returns the serial numbers that they saw."""
        with self.changed:
            now = self.done
            self.changed.wait_for(lambda: self.failures or sum(begun > now for begun, _ in self.seen) >= count, LIMIT)
            return [serial for begun, serial in self.seen if begun > now]

    def stop(self):
        self.stopped = True
        for thread in self.threads:
            thread.join(LIMIT)


class Renewal(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tlsmem-renewal-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def use(self, number):
        """Puts a certificate and its key where the proxy reads them."""
        for kind in ("pem", "key"):
            os.replace(os.path.join(self.folder, f"{number}.{kind}"), os.path.join(self.folder, f"used.{kind}"))

    def hang_up(self, proxy, answer):
        """Has the proxy read them, and waits for what it says."""
        before = len(proxy.stderr.bytes)
        os.kill(proxy.pid, signal.SIGHUP)
        proxy.stderr.wait_for(answer, before)

    def test_fifty_renewals_and_no_handshake_fails(self):
        serials = [issue(self.folder, number) for number in range(CHANGES + 1)]
        self.use(0)
        proxy = Proxy(self, PlainServer(self).echo().place, "--verbose", "--threads", "2", credentials=[
            "--cert", os.path.join(self.folder, "used.pem"), "--key", os.path.join(self.folder, "used.key")])
        clients = Clients(self, proxy.port)
        for number in range(CHANGES):
            self.assertEqual(set(clients.next(2)), {serials[number]}, clients.failures)
            if number % 10 == 5:  # a bad one: it keeps what it has
                used = os.path.join(self.folder, "used.pem")
                os.rename(used, used + ".good")
                for bad in (None, b"", b"no certificate at all\n", pathlib.Path(certificate("other-ca.pem")).read_bytes()):
                    if bad is not None:
                        with open(used, "wb") as file:
                            file.write(bad)
                    self.hang_up(proxy, r"^tls_proxy: .*used\.(pem|key).*\n")
                    self.assertEqual(set(clients.next(2)), {serials[number]}, clients.failures)
                os.rename(used + ".good", used)
            self.use(number + 1)
            self.hang_up(proxy, "^tls_proxy: certificates and keys are read anew\n")
        self.assertEqual(set(clients.next(2)), {serials[CHANGES]}, clients.failures)
        clients.stop()
        print(f"{clients.done} handshakes over {CHANGES} renewals, {len(clients.failures)} failed", flush=True)
        self.assertEqual(clients.failures, [])
        self.assertEqual({serial for _, serial in clients.seen}, set(serials))
        self.assertEqual(proxy.counts()["failed"], 0)


if __name__ == "__main__":
    unittest.main()
