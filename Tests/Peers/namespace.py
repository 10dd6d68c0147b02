"""A network of a test's own: a namespace with nothing but a loopback, and names as the test wants them."""

import functools
import os
import pathlib
import select
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

from support import HERE, LIMIT

INSIDE = "TLSMEM_INSIDE_NAMESPACE"
NAME_SERVER = "127.0.0.53"
A, AAAA = 1, 28


@functools.cache
def permitted():
    """Whether this process may have a namespace of its own."""
    try:
        command = ["unshare", "-n", "-m", "ip", "link", "set", "lo", "up"]
        return subprocess.run(command, capture_output=True, timeout=LIMIT).returncode == 0
    except OSError:
        return False


def in_namespace(test):
    """Runs a test in a process within a namespace of its own; shows what it printed."""
    @functools.wraps(test)
    def outside(self):
        if os.environ.get(INSIDE):
            test(self)
            return
        if not permitted():
            self.skipTest("network and mount namespaces are not permitted here")
        run = subprocess.run(
            ["unshare", "-n", "-m", sys.executable, "-m", "unittest", self.id()], cwd=HERE, timeout=2 * LIMIT,
            env=os.environ | {INSIDE: "1"}, capture_output=True, text=True)
        print(run.stdout, end="", flush=True)
        self.assertEqual(run.returncode, 0, run.stderr)
    return outside


class Network:
    """The loopback, further addresses on it, and this machine's files about names, within the namespace."""

    def __init__(self, test, hosts="", addresses=()):
        assert os.environ.get(INSIDE), "this would change the machine itself"
        self._folder = tempfile.TemporaryDirectory()
        test.addCleanup(self._folder.cleanup)
        self._run("ip", "link", "set", "lo", "up")
        for address in addresses:
            self._run("ip", "addr", "add", address, "dev", "lo", "nodad")
        self._replace("/etc/hosts", hosts)
        self._replace("/etc/nsswitch.conf", "hosts: files dns\n")
        self._replace("/etc/resolv.conf", f"nameserver {NAME_SERVER}\noptions timeout:4 attempts:1\n")

    @staticmethod
    def _run(*command):
        subprocess.run(command, check=True, capture_output=True, timeout=LIMIT)

    def _replace(self, path, text):
        file = pathlib.Path(self._folder.name, path.replace("/", "-"))
        file.write_text(text)
        self._run("mount", "--bind", file, path)


class NameServer:
    """Answers about names when it is told to: {(name, A or AAAA): (delay in seconds or None for never, addresses)}."""

    def __init__(self, answers):
        self._answers = answers
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((NAME_SERVER, 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            query, client = self._socket.recvfrom(512)
            labels, at = [], 12
            while query[at]:
                labels.append(query[at + 1:at + 1 + query[at]].decode())
                at += 1 + query[at]
            question = query[12:at + 5]
            kind = struct.unpack("!H", query[at + 1:at + 3])[0]
            delay, addresses = self._answers.get((".".join(labels), kind), (0, []))
            if delay is not None:
                reply = self._reply(query[:2], question, kind, addresses)
                threading.Timer(delay, self._socket.sendto, (reply, client)).start()

    @staticmethod
    def _reply(number, question, kind, addresses):
        family = socket.AF_INET6 if kind == AAAA else socket.AF_INET
        packed = [socket.inet_pton(family, address) for address in addresses]
        records = b"".join(
            b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(address)) + address for address in packed)
        no_such_name = 0 if addresses else 3
        return number + struct.pack("!HHHHH", 0x8580 | no_such_name, 1, len(packed), 0, 0) + question + records


class Silent:
    """A listener whose queue is full: whoever connects gets no answer, until `listen` makes room."""

    def __init__(self, test, address, port):
        self._context = None
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family)
        test.addCleanup(self.socket.close)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((address, port))
        self.socket.listen(0)
        self._fillers = [socket.socket(family) for _ in range(2)]
        for filler in self._fillers:
            test.addCleanup(filler.close)
            filler.setblocking(False)
            filler.connect_ex((address, port))
        # On a busy machine the queue is full only a while after that.
        test.assertTrue(select.select([self.socket], [], [], 30)[0], "nobody stands in the queue")

    def listen_after(self, seconds, context):
        """Lets its fillers go after a while, and serves whoever comes then."""
        def work():
            time.sleep(seconds)
            for filler in self._fillers:
                filler.close()
            self.socket.listen(16)
            serve(self.socket, context)
        threading.Thread(target=work, daemon=True).start()


def serve(listener, context):
    """Lets every client shake hands, and closes when it does."""
    def talk(plain):
        try:
            with context.wrap_socket(plain, server_side=True) as connection:
                connection.recv(1)
        except OSError:
            pass  # nobody's fillers, and clients that chose another address
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=talk, args=(plain,), daemon=True).start()


def listen(test, address, port, context):
    """Serves TLS on an address; returns the port."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.create_server((address, port), family=family)
    test.addCleanup(listener.close)
    threading.Thread(target=serve, args=(listener, context), daemon=True).start()
    return listener.getsockname()[1]
