"""What a request costs in system calls, as strace sees it: 64 bytes there and back, in the steady state."""

import re
import tempfile
import unittest

from support import Server, tool, variants
from tls import client_context, connect, receive

CLIENTS, FEW, MANY = 16, 100, 600
COUNT = re.compile(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", re.MULTILINE)


class SystemCalls:
    """`name` and `version` are set by the variants."""

    def calls(self, rounds):
        """Returns how often the server called what, from its start to its end."""
        report = tempfile.NamedTemporaryFile("r", prefix="tlsmem-strace-")
        self.addCleanup(report.close)
        server = Server(self, self.name, "--max", str(CLIENTS), under=(
            tool("strace", "strace"), "-f", "-c", "-o", report.name))
        context = client_context(self.version)
        clients = [connect(self, server.port, context) for _ in range(CLIENTS)]
        for number in range(rounds):
            text = number.to_bytes(4, "big") * 16
            for client in clients:
                client.sendall(text)
            for client in clients:
                self.assertEqual(receive(client, len(text)), text)
        for client in clients:
            client.unwrap().close()
        self.assertEqual(server.exit_code(), 0)
        return {name: int(count) for count, name in COUNT.findall(report.read())}

    def test_a_request_is_one_recv_and_one_send(self):
        few, many = self.calls(FEW), self.calls(MANY)
        requests = CLIENTS * (MANY - FEW)
        each = {name: (many.get(name, 0) - few.get(name, 0)) / requests for name in set(few) | set(many)}
        print(f"system calls of {self.name}, TLS {self.version}, for a request of 64 bytes:",
              ", ".join(f"{name} {share:.3f}" for name, share in sorted(each.items()) if share > 0.0005 and name != "total"))
        # A hundredth more: a client may be so slow that its record comes in two pieces.
        self.assertAlmostEqual(each["recvfrom"], 1, delta=0.01)
        self.assertAlmostEqual(each["sendto"], 1, delta=0.01)
        self.assertLessEqual(each["epoll_wait"], 1.01)
        self.assertLess(each["total"] - each["epoll_wait"], 2.02, each)  # no epoll_ctl, and nothing else


variants(globals(), SystemCalls, name=("echo_server",), version=("1.2", "1.3"))

if __name__ == "__main__":
    unittest.main()
