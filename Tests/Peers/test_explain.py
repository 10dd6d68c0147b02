"""SIGUSR1 has a server say how each connection stands; what it says is so, and the server goes on."""

import os
import pathlib
import re
import signal
import time
import unittest

from proxy import PlainServer, Proxy
from support import BUFFERS, HERE, LIMIT, SERVERS, WEB_SERVERS, Server, free_port, variants
from tls import Wire, client_context, connect, plain_socket, receive

ROOT = HERE.parent.parent
END = re.compile(rb"^(\w+): that is all: (\d+) lines\n", re.MULTILINE)
LINE = re.compile(r"(loop \d+: |Server|Client)")  # others may speak meanwhile
ALL = (*SERVERS, *WEB_SERVERS, "fleet_server", "remote_key", "relay_server", "tls_proxy")


def explained(server):
    """Asks a server, and returns its lines, without the last one, which says how many there are."""
    start = len(server.stderr.bytes)
    os.kill(server.pid, signal.SIGUSR1)
    end = server.stderr.wait_for(END.pattern, start)
    lines = [line for line in server.stderr.bytes[start:end.start()].decode().splitlines() if LINE.match(line)]
    if len(lines) != int(end[2]):
        raise AssertionError(f"{end[0]} after {lines}")
    return lines


def until(server, pattern, between=lambda: None):
    """Asks again until a line has the pattern, and returns the line."""
    limit = time.monotonic() + LIMIT
    while time.monotonic() < limit:
        for line in (lines := explained(server)):
            if re.search(pattern, line):
                return line
        between()
    raise AssertionError(f"no line has {pattern}: {lines}")


class Stands:
    """`name` is set by the variants."""

    def start(self):
        if self.name != "tls_proxy":
            return Server(self, self.name, *(["--redis", str(free_port())] if self.name == "fleet_server" else []))
        service = PlainServer(self)
        service.echo()
        return Proxy(self, service.place)

    def test_one_who_talks_and_one_who_is_silent(self):
        server = self.start()
        talks = connect(self, server.port, client_context("1.3"))
        silent = plain_socket(self, server.port)
        where = r"descriptor \d+, in a loop"
        if self.name.startswith("own_loop"):
            where = "whose bytes the program moves" if self.name in BUFFERS else r"descriptor \d+, in no loop"
        line = until(server, "has said nothing so far")
        self.assertRegex(line, rf"Server, {where}: it is in its handshake for \d+ ms\.")
        self.assertRegex(line, r"If nothing changes, it ends in (10\.0|\d\.\d) s \(handshake_ms\) with TLSMEM_ETIMEOUT\.")
        self.assertRegex(line, r"Bytes that came so far: 0, that went: 0\.")
        line = until(server, "it is open")
        self.assertRegex(line, rf"Server as localhost, {where}: it is open, with TLSv1\.3")
        if self.name not in BUFFERS:  # whose sockets it does not know
            self.assertRegex(line, r"Its queues are empty\. Its socket is empty, both ways\.")
        if self.name not in (*WEB_SERVERS, "relay_server"):
            talks.sendall(b"still here")
            self.assertEqual(receive(talks, 10), b"still here")
        silent.close()
        talks.close()
        limit = time.monotonic() + LIMIT
        while (left := [line for line in explained(server) if "Server" in line and "it has ended" not in line]):
            self.assertLess(time.monotonic(), limit, left)


variants(globals(), Stands, name=ALL)


class Sentences(unittest.TestCase):
    def test_each_loop_speaks_for_itself(self):
        server = Server(self, "echo_server", "--threads", "4")
        clients = [connect(self, server.port, client_context()) for _ in range(12)]
        lines = explained(server)
        found = [re.match(r"loop (\d): Loop, with connections: (\d+), ", line) for line in lines]
        loops = {int(line[1]): int(line[2]) for line in found if line}
        self.assertEqual(sorted(loops), [1, 2, 3, 4])
        self.assertEqual(sum(loops.values()), len(clients))
        for number, connections in loops.items():
            mine = [line for line in lines if line.startswith(f"loop {number}: Server as localhost")]
            self.assertEqual(len(mine), connections)
        self.assertEqual(len([line for line in lines if f"Listener on port {server.port}, " in line]), 4)
        self.assertEqual(len(lines), 4 + 4 + 12)

    def test_many_signals_in_a_row(self):
        server = Server(self, "echo_server", "--threads", "3")
        client = connect(self, server.port, client_context())
        for _ in range(50):
            os.kill(server.pid, signal.SIGUSR1)  # those that come while one waits are one
        end = server.stderr.wait_for(END.pattern)
        self.assertEqual(int(end[2]), 3 + 3 + 1)
        client.sendall(b"still here")
        self.assertEqual(receive(client, 10), b"still here")

    def test_a_client_that_does_not_read(self):
        server = Server(self, "echo_server")
        client = Wire(self, server.port, client_context())
        client.handshake()
        total, unsent = 0, b""

        def push():  # until the socket takes no more
            nonlocal total, unsent
            client.socket.setblocking(False)
            try:
                while True:
                    if not unsent:
                        client.tls.write(b"x" * 65536)
                        total += 65536
                        unsent = client.outgoing.read()
                    unsent = unsent[client.socket.send(unsent):]
            except BlockingIOError:
                pass

        line = until(server, "which does not read", push)
        waits = re.search(r"It waits for the client, which does not read: .* and (\d+) bytes of ciphertext wait here\.", line)
        self.assertGreater(int(waits[1]), 0)
        line = until(server, "The program has paused it", push)
        self.assertRegex(line, r"\(tlsmem_pause\): until tlsmem_resume nothing is delivered")
        self.assertRegex(line, r"on_drain comes once what waits to be sent has fallen to \d+ bytes\.")
        self.assertRegex(line, r"In its socket: [1-9]\d* bytes that came and were not received, [1-9]\d* that it was given")
        client.socket.settimeout(LIMIT)
        client.outgoing.write(unsent)
        client.close_write()
        self.assertEqual(len(client.read_to_close()), total)

    def test_the_deadline_and_the_status_that_it_names_are_those_that_come(self):
        server = Server(self, "https_server", "--stats")
        client = Wire(self, server.port, client_context())  # sees no close_notify, for nobody reads
        client.handshake()
        until(server, "it is open")
        os.kill(server.pid, signal.SIGTERM)
        line = until(server, "it is closing")
        left, status = re.search(r"it ends in (\d+ ms|\d\.\d s) \(close_ms\) with (TLSMEM_\w+)\.", line).groups()
        seconds = float(left.split()[0]) / (1000 if left.endswith("ms") else 1)
        self.assertTrue(0 < seconds <= 2.0, left)
        self.assertEqual(server.exit_code(), 0)
        self.assertIn(f"close={status}\n", server.stdout.text)

    def test_a_failure_that_the_client_has_still_to_hear_of(self):
        server = Server(self, "echo_server", "--stats")
        client = Wire(self, server.port, client_context("1.3"))
        client.handshake()
        client.socket.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))  # a record that no key has made
        line = until(server, "it has failed")
        status = re.search(r"it has failed, and is about to end: (TLSMEM_\w+), ", line)[1]
        self.assertRegex(line, r"The alert that says why has been sent; it waits until the client has taken it, and closes\.")
        self.assertRegex(line, rf"\(close_ms\) with {status}\.")
        client.socket.close()
        server.stdout.wait_for(f"close={status}\n")


class Guide(unittest.TestCase):
    """tlsmem-debugging(7) quotes what is said."""

    PAGE = pathlib.Path(ROOT, "docs/man/tlsmem-debugging.7").read_text(encoding="utf-8")

    def test_the_paragraph_that_it_shows_is_that_of_a_silent_client(self):
        shown = re.search(r"^(Server, descriptor .*?)^\.Ed", self.PAGE, re.MULTILINE | re.DOTALL)[1]
        server = Server(self, "echo_server")
        silent = plain_socket(self, server.port)
        line = until(server, "has said nothing so far").partition(": ")[2]
        silent.close()

        def without_numbers(text):
            return re.sub(r"\d+ ms|\d+\.\d s", "a while", re.sub(r"descriptor \d+", "descriptor", " ".join(text.split())))
        self.assertEqual(without_numbers(shown), without_numbers(line))

    def test_each_sentence_that_it_explains_is_one_of_the_library(self):
        sources = "".join(path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("Sources/tlsmem/Explanation*.swift")))
        said = "\n".join(re.findall(r'"([^"\n]*)"', sources))
        quoted = re.findall(r"^\.It Dq (.*)$", self.PAGE, re.MULTILINE)
        self.assertGreater(len(quoted), 10)
        for sentence in quoted:
            for part in re.split(r"\.\.\.|the client", sentence.replace("\\&", "")):
                with self.subTest(sentence):
                    self.assertIn(part.strip(), said)


if __name__ == "__main__":
    unittest.main()
