"""tls_proxy with many clients: each gets its own bytes, none is lost, nothing is left behind, and what a message costs."""

import contextlib
import os
import random
import re
import signal
import socket
import struct
import tempfile
import threading
import unittest

from proxy import PlainServer, Proxy
from support import LIMIT, tool
from tls import client_context, connect, exchange, plain_socket, receive

class Load(unittest.TestCase):
    def test_many_clients_of_several_threads_each_get_their_own_bytes(self):
        proxy = Proxy(self, PlainServer(self).echo().place, "--threads", "3")
        clients = [connect(self, proxy.port, client_context()) for _ in range(100)]
        for number, client in enumerate(clients):
            client.sendall(bytes([number]) * 50_000)
        for number, client in enumerate(clients):
            self.assertTrue(receive(client, 50_000) == bytes([number]) * 50_000)

    def test_those_for_whom_there_are_no_descriptors_wait_until_others_leave(self):
        # 64 are enough for 22 sessions. Nobody is accepted whose upstream could not be connected to.
        proxy = Proxy(self, PlainServer(self).echo().place, under=("sh", "-c", 'ulimit -n 64; exec "$@"', "sh"))
        plain = [plain_socket(self, proxy.port) for _ in range(60)]
        for client in plain:
            with client_context().wrap_socket(client, server_hostname="localhost", suppress_ragged_eofs=False) as client:
                self.assertEqual(exchange(client, b"served"), b"served")
                client.unwrap().close()
        self.assertEqual(proxy.counts()["failed"], 0)

    def test_an_idle_session_ends_when_that_is_wanted(self):
        proxy = Proxy(self, PlainServer(self).echo().place, "--idle", "1")
        with connect(self, proxy.port, client_context()) as client:
            self.assertEqual(client.recv(1), b"")

    def ends_somehow(self, choice, proxy):
        """One client that does something, and leaves in one of many ways."""
        with contextlib.suppress(OSError), plain_socket(self, proxy.port) as plain:
            if choice.random() < 0.2:
                plain.sendall(choice.randbytes(choice.randrange(1, 600)))  # no TLS at all
                return
            with client_context().wrap_socket(plain, server_hostname="localhost") as client:
                client.settimeout(LIMIT)
                for _ in range(choice.randrange(4)):
                    size = choice.choice([1, 100, 20_000, 300_000])
                    client.sendall(choice.randbytes(size))
                    if choice.random() < 0.7:
                        receive(client, choice.randrange(size))
                way = choice.randrange(4)
                if way == 0:
                    client.unwrap().close()
                elif way == 1:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                elif way == 2:
                    client.shutdown(socket.SHUT_WR)

    def test_sessions_that_end_in_every_way_leave_nothing_behind(self):
        seed = random.randrange(1 << 32)
        print(f"seed {seed}", flush=True)
        proxy = Proxy(self, PlainServer(self).echo().place, "--threads", "2")

        def storm(number):
            choice = random.Random(seed + number)
            for _ in range(25):
                self.ends_somehow(choice, proxy)

        threads = [threading.Thread(target=storm, args=(number,), daemon=True) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(2 * LIMIT)
        os.kill(proxy.pid, signal.SIGTERM)
        self.assertEqual(proxy.exit_code(), 0, proxy.stderr.text)  # the last session has ended, too

    COUNT = re.compile(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", re.MULTILINE)

    def calls(self, work, service):
        """Returns how often the proxy called what, from its start to its end, for the work of one client."""
        report = tempfile.NamedTemporaryFile("r", prefix="tlsmem-strace-")
        self.addCleanup(report.close)
        proxy = Proxy(self, service.place, under=(tool("strace", "strace"), "-f", "-c", "-o", report.name))
        with connect(self, proxy.port, client_context()) as client:
            work(client)
            client.unwrap().close()
        with open(f"/proc/{proxy.pid}/task/{proxy.pid}/children") as children:
            os.kill(int(children.read().split()[0]), signal.SIGTERM)
        self.assertEqual(proxy.exit_code(LIMIT), 0)
        return {name: int(count) for count, name in self.COUNT.findall(report.read())}

    def test_a_message_there_and_back_is_two_recvs_and_two_sends(self):
        def messages(rounds):
            def work(client):
                for _ in range(rounds):
                    client.sendall(b"x" * 64)
                    self.assertEqual(receive(client, 64), b"x" * 64)
            return work

        service = PlainServer(self).echo()
        few, many = self.calls(messages(100), service), self.calls(messages(1100), service)
        each = {name: (many.get(name, 0) - few.get(name, 0)) / 1000 for name in many}
        self.assertAlmostEqual(each["recvfrom"], 2, delta=0.02)
        self.assertAlmostEqual(each["sendto"], 2, delta=0.02)
        self.assertLess(each["total"] - each["epoll_wait"], 4.05, each)  # no epoll_ctl, and nothing else

    def test_many_bytes_go_out_in_large_pieces(self):
        """A record has 16 KiB, and would be 61 sends for each MB."""
        text = b"x" * (32 << 20)
        service = PlainServer(self)

        def stream(writer, reader):
            thread = threading.Thread(target=writer.sendall, args=(text,), daemon=True)
            thread.start()
            receive(reader, len(text))
            thread.join(LIMIT)

        def upload(client):
            with service.accept() as other:
                stream(client, other)

        def download(client):
            with service.accept() as other:
                stream(other, client)

        for work, most in ((upload, 45), (download, 60)):
            with self.subTest(work=work.__name__):
                counts = self.calls(work, service)
                each = {name: round(count * 1e6 / len(text), 1) for name, count in counts.items() if count > 60}
                print(f"system calls for a MB of {work.__name__}: {each}", flush=True)
                self.assertLess(each["total"], most)


if __name__ == "__main__":
    unittest.main()
