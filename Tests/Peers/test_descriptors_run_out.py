"""Two hundred clients for a server that may have 64 descriptors: none is lost, and the server does not spin."""

import socket
import ssl
import time
import unittest

from support import LIMIT, Process, example, identity
from tls import Wire, client_context

DESCRIPTORS, CLIENTS, SURE = 64, 200, 40  # so many are certain to find a place at once
WATCHED_SECONDS, CPU_MOST = 4, 0.05


class LimitedServer(Process):
    """echo_server with few descriptors; `options` are the server's."""

    def __init__(self, test, *options):
        super().__init__(test, "sh", "-c", f'ulimit -n {DESCRIPTORS}; exec "$@"', "sh", example("echo_server"),
                         "--host", "127.0.0.1", "--port", "0", *identity(), *options)
        self.port = int(self.stdout.wait_for(r"^listening on \S+:(\d+)\n")[1])


def is_answered(client):
    """Returns whether the server has sent anything to a client that has not read yet."""
    client.socket.setblocking(False)
    try:
        return len(client.socket.recv(1, socket.MSG_PEEK)) == 1
    except BlockingIOError:
        return False
    finally:
        client.socket.settimeout(LIMIT)


class DescriptorsRunOut(unittest.TestCase):
    def test_those_who_find_no_place_wait_and_are_served_when_others_leave(self):
        server, context = LimitedServer(self), client_context()
        clients = []
        for _ in range(CLIENTS):
            client = Wire(self, server.port, context)
            client.socket.sendall(client.first_flight())
            clients.append(client)
        for client in clients[:SURE]:
            self.echo(client)

        before, start = server.cpu_seconds(), time.monotonic()
        time.sleep(WATCHED_SECONDS)
        share = (server.cpu_seconds() - before) / (time.monotonic() - start)
        answered = sum(map(is_answered, clients[SURE:]))
        print(f"\n{SURE + answered} of {CLIENTS} clients served with {DESCRIPTORS} descriptors; "
              f"{100 * share:.2f} % CPU in {WATCHED_SECONDS} s while the others wait")
        self.assertLess(SURE + answered, DESCRIPTORS)
        self.assertLess(share, CPU_MOST)

        # From now on one comes for one that goes; with a pause of a second each, this would take minutes.
        waits = []
        for number in range(SURE + answered, CLIENTS):
            clients[number - SURE - answered].socket.close()
            start = time.monotonic()
            self.echo(clients[number])
            waits.append(time.monotonic() - start)
        print(f"the other {len(waits)}, each after one that left: {1000 * sum(waits) / len(waits):.2f} ms each, "
              f"{1000 * max(waits):.1f} ms at most; {server.cpu_seconds():.2f} s CPU in all")
        self.assertLess(sum(waits), len(waits) / 10)
        self.assertTrue(server.stays_for(0))

    def echo(self, client):
        client.handshake()
        client.tls.write(b"word")
        client.send()
        answer = b""
        while len(answer) < 4:
            try:
                answer += client.tls.read(4)
            except ssl.SSLWantReadError:
                self.assertTrue(client.receive(), "the server has closed")
        self.assertEqual(answer, b"word")


if __name__ == "__main__":
    unittest.main()
