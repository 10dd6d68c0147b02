"""What tests of the probes share: gdb, the notes of a library, and a client of a moment."""

import json
import pathlib
import socket
import ssl
import subprocess
import tempfile

from support import BUILD, HERE, LIMIT, Process, certificate, tool

TOOLS = HERE.parent.parent / "tools"
LIBRARY = BUILD / "stage/lib/libtlsmem.so"
ARGUMENTS = {"handshake__begin": 4, "handshake__end": 3, "record__in": 2, "record__out": 2, "flush": 4, "limit": 2, "close": 4,
             "turn": 1}

# Run by gdb: prints a line for each probe that is passed, and lets the process go on.
REPORT = """
import json, gdb

class Reported(gdb.Breakpoint):
    def __init__(self, name):
        super().__init__("-probe-stap libtlsmem:" + name)
        self.silent, self.name = True, name

    def stop(self):
        count = int(gdb.parse_and_eval("$_probe_argc"))
        line = {"probe": self.name, "arguments": [int(gdb.parse_and_eval(f"$_probe_arg{i}")) for i in range(count)]}
        memory = gdb.selected_inferior()
        if self.name.startswith("record"):
            line["header"] = bytes(memory.read_memory(line["arguments"][1], 5)).hex()
        if self.name == "limit":
            line["limit"] = gdb.Value(line["arguments"][1]).cast(gdb.lookup_type("char").pointer()).string()
        gdb.write(json.dumps(line) + "\\n")
        gdb.flush()
        return False

for name in NAMES:
    Reported(name)
print("reporting", flush=True)
"""


def gdb_command(*commands):
    """Returns what runs gdb without anybody's settings, with our commands loaded."""
    words = [tool("gdb", "gdb"), "-nx", "-q", "-batch", "-iex", "set debuginfod enabled off",
             "-iex", "set auto-load python-scripts off", "-ex", f"source {TOOLS / 'tlsmem_gdb.py'}"]
    for command in commands:
        words += ["-ex", command]
    return words


def gdb_says(*commands):
    """Runs commands in gdb; returns what it wrote, standard output and standard error."""
    run = subprocess.run(gdb_command(*commands), capture_output=True, text=True, timeout=LIMIT, stdin=subprocess.DEVNULL)
    return run.stdout, run.stderr


def reporting(test, pid, *commands):
    """Has gdb report each probe that a process passes, from now on; commands are run before it goes on."""
    folder = tempfile.TemporaryDirectory()
    test.addCleanup(folder.cleanup)
    script = pathlib.Path(folder.name, "report.py")
    script.write_text(f"NAMES = {list(ARGUMENTS)!r}\n{REPORT}")
    gdb = Process(test, *gdb_command(f"attach {pid}", *commands, f"source {script}", "continue"))
    gdb.stdout.wait_for("^reporting$")
    return gdb


def reported(text):
    """Yields what `reporting` had printed of each probe."""
    return [json.loads(line) for line in text.splitlines() if line.startswith('{"probe"')]


def explain(*words):
    """Runs tlsmem-explain; returns its exit code and what it wrote."""
    run = subprocess.run([TOOLS / "tlsmem-explain", *map(str, words)], capture_output=True, text=True, timeout=LIMIT,
                         stdin=subprocess.DEVNULL)
    return run.returncode, run.stdout, run.stderr


def echoed(server, text=b"hello"):
    """Has an echo server say something back, and ends properly."""
    context = ssl.create_default_context(cafile=certificate("ca.pem"))
    with socket.create_connection((server.host, server.port), LIMIT) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as connection:
            connection.sendall(text)
            answer = b""
            while len(answer) < len(text):
                answer += connection.recv(len(text))
            connection.unwrap()
    return answer


def status_of(pid):
    """Returns the fields of /proc/PID/status."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def notes(file):
    """Returns the probes in a file's notes: (name, address, arguments)."""
    text = subprocess.run([tool("readelf", "binutils"), "-n", file], capture_output=True, text=True, check=True, timeout=LIMIT,
                          env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}).stdout
    found, name, address = [], "", 0
    for words in map(str.split, text.split("Provider: libtlsmem\n", 1)[-1].splitlines()):
        if words[:1] == ["Name:"]:
            name = words[1]
        elif words[:1] == ["Location:"]:
            address = int(words[1].rstrip(","), 16)
        elif words[:1] == ["Arguments:"]:
            found.append((name, address, words[1:]))
    return found
