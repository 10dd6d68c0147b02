"""What goes over the loopback as Wireshark's programs see it: dumpcap captures it, and tshark reads it."""

import collections
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile

from support import LIMIT, Process, tool

LAST = b"all that was sent before this is in the file"


class Capture:
    """Has everything to and from a port of 127.0.0.1, from when this is made until `end`."""

    def __init__(self, test, port):
        self.port = port
        folder = tempfile.TemporaryDirectory(prefix="tlsmem-capture-")
        test.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.file = self.folder / "wire.pcapng"
        self._mark = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        test.addCleanup(self._mark.close)
        self._mark.bind(("127.0.0.1", 0))
        self._test = test
        self._dumpcap = Process(
            test, tool("dumpcap", "tshark"), "-q", "-p", "-i", "lo", "-w", "-", "-f",
            f"tcp port {port} or udp port {self._mark.getsockname()[1]}")
        # dumpcap names its file once the kernel captures, and with the filter (capture_loop_start in dumpcap.c).
        said = self._dumpcap.stderr.wait_for("^File: |permission to capture")[0].decode()
        if not said.startswith("File"):
            test.skipTest("capturing on the loopback is not permitted here: that is for root, or for CAP_NET_RAW")

    def end(self):
        """Ends it when all that a peer has received is in the file. That something was lost is a failure."""
        # The loopback has one order: what was received before this was sent, was captured before it.
        self._mark.sendto(LAST, self._mark.getsockname())
        self._dumpcap.stdout.wait_for(LAST)
        os.kill(self._dumpcap.pid, signal.SIGTERM)
        self._test.assertEqual(self._dumpcap.exit_code(), 0, self._dumpcap.stderr.text)
        counts = re.search(r"'Loopback: lo': (\d+)/(\d+) ", self._dumpcap.stderr.text)
        self._test.assertEqual(counts and counts[2], "0", self._dumpcap.stderr.text)
        self.file.write_bytes(self._dumpcap.stdout.bytes)

    def tshark(self, *options, file=None):
        """Has tshark read the file; returns what it prints. A user's own settings count for nothing."""
        run = subprocess.run(
            [tool("tshark", "tshark"), "-r", file or self.file, "-d", f"tcp.port=={self.port},tls", *options],
            env=os.environ | {"LC_ALL": "C", "WIRESHARK_CONFIG_DIR": str(self.folder / "none")},
            capture_output=True, text=True, timeout=LIMIT)
        self._test.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout

    def read(self, keylog=None):
        """Returns what each connection said and which messages of the handshake it had, as far as the secrets show it."""
        keys = ["-o", f"tls.keylog_file:{keylog}"] if keylog else []
        # The plaintext as it is, whatever ALPN says that it be.
        as_data = ["-d", f"tls.port=={self.port},data", "--disable-protocol", "http"]
        printed = self.tshark(*keys, *as_data, "-Y", "tls", "-T", "fields", "-e", "tcp.stream", "-e", "tcp.dstport",
                              "-e", "tls.handshake.type", "-e", "data.data")
        connections = collections.defaultdict(Connection)
        for line in printed.splitlines():
            stream, port, messages, data = line.split("\t")
            connections[int(stream)].add(int(port) == self.port, messages, data)
        return [connections[stream] for stream in sorted(connections)]


class Connection:
    """Of one connection: the plaintext `up` to the server and `down` from it, and the numbers of messages."""

    def __init__(self):
        self.up, self.down = b"", b""
        self.messages_up, self.messages_down = [], []

    def add(self, is_up, messages, data):
        plaintext = bytes.fromhex(data.replace(",", ""))
        numbers = [int(number) for number in messages.split(",") if number]
        if is_up:
            self.up, self.messages_up = self.up + plaintext, self.messages_up + numbers
        else:
            self.down, self.messages_down = self.down + plaintext, self.messages_down + numbers
