"""The library's probes, and what tools/ makes of them with gdb and bpftrace, with real processes that go on afterwards."""

import functools
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from probes import (ARGUMENTS, LIBRARY, TOOLS, echoed, explain, gdb_command, gdb_says, notes, reported, reporting, status_of)
from support import BUILD, LIMIT, Process, Server, certificate, tool


def silent_client(test, server):
    """Connects, and says nothing."""
    client = socket.create_connection((server.host, server.port), LIMIT)
    test.addCleanup(client.close)
    return client


class Notes(unittest.TestCase):
    """What is written into the files."""

    def test_every_probe_is_in_the_library_and_in_the_archive(self):
        for file in (LIBRARY, LIBRARY.with_suffix(".a")):
            found = notes(file)
            self.assertEqual({name for name, _, _ in found}, set(ARGUMENTS), file)
            for name, _, arguments in found:
                self.assertEqual(len(arguments), ARGUMENTS[name], (file, name))

    def test_each_is_at_an_instruction_that_does_nothing(self):
        """A note about code that the linker has dropped would have a tracer write elsewhere."""
        table = subprocess.run(["readelf", "-SW", LIBRARY], capture_output=True, text=True, check=True, timeout=LIMIT).stdout
        text = re.search(r"\] \.text +PROGBITS +(\w+) (\w+) (\w+)", table)
        start, offset, size = (int(number, 16) for number in text.groups())
        data = LIBRARY.read_bytes()
        for name, address, _ in notes(LIBRARY):
            self.assertTrue(start <= address < start + size, f"{name} at {address:#x}")
            self.assertEqual(data[address - start + offset:][:1], b"\x90", f"{name} at {address:#x}")

    def test_gdb_finds_them_all(self):
        said, _ = gdb_says(f"file {LIBRARY}", "info probes stap libtlsmem")
        self.assertEqual(set(re.findall(r"^stap +libtlsmem +(\w+) ", said, re.MULTILINE)), set(ARGUMENTS))

    def test_the_tools_know_every_status(self):
        header = (BUILD / "stage/include/tlsmem.h").read_text(encoding="utf-8")
        statuses = re.search(r"enum tlsmem_status \{(.*?)\}", header, re.DOTALL)[1]
        names = {-int(number): name for name, number in re.findall(r"^ *TLSMEM_(\w+) = (-?\d+)", statuses, re.MULTILINE)}
        script = (TOOLS / "tlsmem.bt").read_text(encoding="utf-8")
        self.assertEqual({int(number): name for number, name in re.findall(r'@name\[(\d+)\] = "(\w+)"', script)}, names)
        said, _ = gdb_says(f"python print([status_name(-n) for n in range({len(names)})])")
        self.assertEqual(re.findall(r"TLSMEM_(\w+)", said), [names[number] for number in range(len(names))])


class Fired(unittest.TestCase):
    """What happens, as the probes tell it to gdb."""

    def test_a_session_and_a_deadline(self):
        server = Server(self, "echo_server", "--max", "2")
        gdb = reporting(self, server.pid, "tlsmem-watch")
        client = silent_client(self, server)
        openssl = Process(self, tool("openssl", "openssl"), "s_client", "-connect", f"{server.host}:{server.port}", "-quiet",
                          "-no_ign_eof", "-CAfile", certificate("ca.pem"), "-verify_return_error")
        openssl.write(b"hello\n")
        openssl.stdout.wait_for("hello")
        openssl.stdin.close()
        self.assertEqual(openssl.exit_code(), 0)
        self.assertEqual(client.recv(1), b"")
        self.assertEqual(gdb.exit_code(), 0)
        self.assertEqual(server.exit_code(), 0)
        self._check(gdb.stdout.text)

    def _check(self, text):
        fired = {name: [line for line in reported(text) if line["probe"] == name] for name in ARGUMENTS}
        begun = {line["arguments"][0]: line["arguments"] for line in fired["handshake__begin"]}
        ends = {line["arguments"][0]: line["arguments"] for line in fired["handshake__end"]}
        closed = {line["arguments"][0]: line["arguments"] for line in fired["close"]}
        self.assertEqual((len(begun), len(fired["handshake__begin"])), (2, 2))
        self.assertEqual(begun.keys(), ends.keys())
        self.assertEqual(begun.keys(), closed.keys())
        (silent,) = (c for c, arguments in ends.items() if arguments[1] != 0)
        (talking,) = begun.keys() - {silent}
        for _, ssl, role, descriptor in begun.values():
            self.assertTrue(ssl and descriptor > 2 and role == 2, begun)

        self.assertEqual(ends[silent][1:], [-12, -1])
        self.assertEqual(ends[talking][1], 0)
        self.assertIn(ends[talking][2], range(LIMIT * 1000))
        self.assertEqual([(line["arguments"][0], line["limit"]) for line in fired["limit"]], [(silent, "handshake_ms")])
        self.assertEqual(closed[silent][1:], [-12, 0, 0])

        for direction in ("record__in", "record__out"):
            self.assertEqual({line["arguments"][0] for line in fired[direction]}, {begun[talking][1]})
            headers = [bytes.fromhex(line["header"]) for line in fired[direction]]
            self.assertEqual({header[0] for header in headers}, {20, 22, 23}, direction)
            self.assertLessEqual({header[1:3] for header in headers}, {b"\3\1", b"\3\3"})
        # Each record is in what the connection has counted.
        for direction, total in (("record__in", closed[talking][2]), ("record__out", closed[talking][3])):
            lengths = (5 + int(line["header"][6:], 16) for line in fired[direction] if line["header"] != "")
            self.assertEqual(sum(lengths), total, direction)

        flushed = [line["arguments"] for line in fired["flush"]]
        for c, descriptor, taken, given in flushed:
            self.assertEqual((c, descriptor), (talking, begun[talking][3]))
            self.assertTrue(0 < taken <= given, flushed)
        self.assertEqual(sum(taken for _, _, taken, _ in flushed), closed[talking][3])
        (loop,) = {line["arguments"][0] for line in fired["turn"]}
        self.assertTrue(loop)

        # The same as tlsmem-watch has it.
        lines = re.findall(r"^0x\w+ .*$", text, re.MULTILINE)
        self.assertIn(f"{talking:#x} handshake: TLSMEM_OK after {ends[talking][2]} ms", lines)
        self.assertIn(f"{talking:#x} ended: TLSMEM_OK, {closed[talking][2]} bytes received, {closed[talking][3]} sent", lines)
        self.assertIn(f"{silent:#x} limit reached: handshake_ms", lines)
        self.assertIn(f"{silent:#x} handshake: TLSMEM_ETIMEOUT", lines)
        self.assertIn(f"{silent:#x} ended: TLSMEM_ETIMEOUT, 0 bytes received, 0 sent", lines)


class Explained(unittest.TestCase):
    """tlsmem-explain, and the process after it."""

    def assertUntouched(self, server):
        status = status_of(server.pid)
        self.assertEqual(status["TracerPid"], "0")
        self.assertNotIn(status["State"][:1], "Tt", status["State"])
        self.assertEqual(echoed(server), b"hello")

    def test_a_silent_client(self):
        server = Server(self, "echo_server")
        silent_client(self, server)
        for _ in range(3):
            code, said, complaints = explain(server.pid)
            self.assertEqual((code, complaints), (0, ""), said)
            loop, listener, connection = said.splitlines()
            self.assertRegex(loop, "^Loop, with connections: 1, in their handshake: 1;")
            self.assertRegex(listener, f"^Listener on port {server.port}")
            self.assertIn("which has said nothing so far", connection)
            self.assertUntouched(server)

    def test_every_loop_of_two_threads(self):
        server = Server(self, "echo_server", "--threads", "2")
        silent_client(self, server)
        code, said, complaints = explain(server.pid)
        self.assertEqual((code, complaints), (0, ""), said)
        self.assertEqual([line.split()[0].strip(",") for line in sorted(said.splitlines())],
                         ["Listener", "Listener", "Loop", "Loop", "Server"])
        self.assertUntouched(server)

    def test_one_connection_by_its_address(self):
        for name, place in (("echo_server", "in a loop"), ("own_loop_poll", "in no loop")):
            server = Server(self, name)
            gdb = Process(self, *gdb_command(
                f"attach {server.pid}", "tbreak -probe-stap libtlsmem:handshake__begin", "echo ready\\n", "continue",
                "tlsmem-explain $_probe_arg0", 'printf "at %#lx\\n", $_probe_arg0'))
            gdb.stdout.wait_for("^ready$")
            silent_client(self, server)
            self.assertEqual(gdb.exit_code(), 0)
            self.assertRegex(gdb.stdout.text, r"\nServer, descriptor \d+, .*\nat 0x", gdb.stderr.text)
            code, said, complaints = explain(server.pid, gdb.stdout.wait_for(r"^at (0x\w+)$")[1].decode())
            self.assertEqual((code, complaints), (0, ""))
            self.assertRegex(said, rf"^Server, descriptor \d+, {place}: .* which has said nothing so far.*\n$")
            self.assertUntouched(server)

    def test_it_says_what_is_missing(self):
        stranger = Process(self, tool("sleep", "coreutils"), str(LIMIT))
        server = Server(self, "echo_server")
        maps = pathlib.Path(f"/proc/{server.pid}/maps").read_text(encoding="ascii")
        heap = re.search(r"^(\w+)-.*\[heap\]$", maps, re.MULTILINE)[1]
        for words, code, why in (
                ((), 2, "usage"), (("server",), 2, "usage"), ((1, 2, 3), 2, "usage"), ((server.pid, "main()"), 2, "usage"),
                ((stranger.pid,), 1, "there is no tlsmem_loop_explain here"),
                ((2 ** 22,), 1, "cannot attach to process 4194304: ptrace: No such process"),
                ((server.pid, "0x10"), 1, "0x10 is no address of the process's memory"),
                ((server.pid, f"0x{heap}"), 1, f"at 0x{heap} there is no tlsmem")):
            found, said, complaints = explain(*words)
            self.assertEqual((found, said), (code, ""), (words, complaints))
            self.assertIn(why, complaints)
        self.assertEqual(explain("--help")[0], 0)
        self.assertUntouched(server)

    def test_without_a_process_and_with_a_core_file(self):
        for command in ("tlsmem-explain", "tlsmem-explain 1", "tlsmem-watch"):
            self.assertIn("tlsmem: no process", gdb_says(command)[1])
        server = Server(self, "echo_server")
        with tempfile.TemporaryDirectory() as folder:
            gdb_says(f"attach {server.pid}", f"generate-core-file {folder}/core")
            said = gdb_says(f"core-file {folder}/core", "tlsmem-explain")
        self.assertIn("tlsmem: a core file", said[1], said)
        self.assertUntouched(server)

    def test_a_signal_reaches_the_process(self):
        server = Server(self, "own_loop_poll")
        explaining = Process(self, TOOLS / "tlsmem-explain", server.pid)
        while status_of(server.pid)["TracerPid"] == "0":
            self.assertTrue(explaining.stays_for(0.05))
        os.kill(server.pid, signal.SIGTERM)
        self.assertEqual(explaining.exit_code(), 1)
        self.assertIn("the process has ended meanwhile", explaining.stderr.text)
        self.assertEqual(server.exit_code(), 0)

    def test_a_process_without_a_loop_is_let_go(self):
        server = Server(self, "own_loop_poll")
        code, said, complaints = explain(server.pid)
        self.assertEqual((code, said), (1, ""))
        self.assertIn("no thread has come to a turn of a loop within 5 seconds", complaints)
        self.assertUntouched(server)


@functools.cache
def why_no_tracing():
    """Returns why bpftrace cannot watch the library here, or nothing."""
    if not shutil.which("bpftrace"):
        return "bpftrace is missing: apt-get install bpftrace"
    run = subprocess.run(traced("-e", f"uprobe:{LIBRARY.resolve()}:tlsmem_version {{ }} BEGIN {{ exit(); }}"), text=True,
                         capture_output=True, timeout=LIMIT)
    return f"bpftrace is not permitted here: {run.stderr}" if run.returncode else ""


def traced(*words):
    """bpftrace, in a mount namespace of its own that has a tracefs: not every machine has it mounted."""
    return ["unshare", "-m", "sh", "-c", 'mount -t tracefs none /sys/kernel/tracing; exec bpftrace "$@"', "bpftrace", *words]


class Traced(unittest.TestCase):
    """tlsmem.bt, in the kernel."""

    def test_a_session(self):
        if why := why_no_tracing():
            self.skipTest(why)
        server = Server(self, "echo_server")
        bpftrace = Process(self, *traced("-p", str(server.pid), str(TOOLS / "tlsmem.bt")))
        bpftrace.stdout.wait_for("^watching libtlsmem$")
        silent = silent_client(self, server)
        bpftrace.stdout.wait_for(r"^0x\w+ handshake begins: server, descriptor \d+$")
        silent.close()
        bpftrace.stdout.wait_for(r"^0x\w+ ends: TLSMEM_EHANDSHAKEEOF, 0 bytes received, ")
        self.assertEqual(echoed(server), b"hello")
        bpftrace.stdout.wait_for(r"^0x\w+ handshake ends: TLSMEM_OK after \d+ ms$")
        bpftrace.stdout.wait_for(r"^0x\w+ ends: TLSMEM_OK, \d{3,} bytes received, \d{3,} sent$")
        os.kill(bpftrace.pid, signal.SIGINT)
        self.assertEqual(bpftrace.exit_code(), 0)
        said = bpftrace.stdout.text
        self.assertIn("handshake ends: TLSMEM_EHANDSHAKEEOF\n", said)
        for heading in ("@handshake_ms: \n", "@flush_bytes: \n", "@turns: "):
            self.assertIn(heading, said)
        for direction in ("in", "out"):
            for kind in ("handshake", "change_cipher_spec", "application_data"):
                self.assertRegex(said, rf"@records_{direction}\[{kind}\]: [1-9]")
        self.assertNotIn("@name", said)
        self.assertEqual(echoed(server), b"hello")
