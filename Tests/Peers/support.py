"""What all peer tests share: the example programs, certificates, and processes that end with their test."""

import atexit
import contextlib
import functools
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("TLSMEM_BUILD", HERE.parent.parent / "build")).resolve()
LIMIT = 30  # seconds: a wait that is not over by then is a failure
LIFETIME = 4 * LIMIT  # and no process lives longer than this

SERVERS = ("echo_server", "own_loop_poll", "own_loop_epoll", "own_loop_libuv", "own_loop_libevent", "own_loop_libev",
           "own_loop_glib", "own_loop_io_uring", "nested_poll", "nested_libuv")
BUFFERS = ("own_loop_libuv", "own_loop_io_uring")  # of these, the servers that receive and send by themselves
WEB_SERVERS = ("https_server", "h2_server")
VERSIONS = ("1.2", "1.3")


@functools.cache
def certificates():
    """Makes the throw-away certificates, once for the run; returns their folder."""
    folder = tempfile.TemporaryDirectory(prefix="tlsmem-peers-")
    atexit.register(folder.cleanup)
    subprocess.run([HERE.parent / "certificates", folder.name], check=True, timeout=LIMIT, capture_output=True)
    # The same kind of leaf as client.pem, of the authority that nobody trusts.
    other = os.path.join(folder.name, "other-ca")
    stranger = os.path.join(folder.name, "stranger")
    subprocess.run(
        [tool("openssl", "openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-subj", "/CN=stranger", "-days", "2", "-CA", other + ".pem", "-CAkey", other + ".key",
         "-keyout", stranger + ".key", "-out", stranger + ".pem"],
        check=True, timeout=LIMIT, capture_output=True)
    return pathlib.Path(folder.name)


def certificate(name):
    """Returns the path of one file of theirs."""
    return str(certificates() / name)


def identity(name="server"):
    """Returns the options that give an example its certificate and key."""
    return ["--cert", certificate(name + ".pem"), "--key", certificate(name + ".key")]


def example(name):
    """Returns the path of an example program; one that is not there is a failure."""
    path = BUILD / "examples" / name
    if not path.exists():
        raise AssertionError(f"{path} is missing: run `make examples`")
    return str(path)


def tool(name, package):
    """Returns the path of somebody else's program; one that is not there is a failure too."""
    path = shutil.which(name)
    if path is None:
        raise AssertionError(f"{name} is missing: apt-get install {package}")
    return path


def variants(names, base, **parameters):
    """Derives from `base` one test class for each combination of the parameters, into a module's names."""
    classes = [(base.__name__, {})]
    for key, values in parameters.items():
        classes = [(f"{name}_{value}", attributes | {key: value})
                   for name, attributes in classes for value in values]
    for name, attributes in classes:
        name = re.sub(r"\W", "_", name)
        names[name] = type(name, (base, unittest.TestCase), attributes | {"__module__": base.__module__})


class Output:
    """What a process has written into one pipe so far. A thread reads it, so that the process never blocks."""

    def __init__(self, pipe):
        self._bytes = bytearray()
        self._ended = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._collect, args=(pipe,), daemon=True)
        self._thread.start()

    def _collect(self, pipe):
        with pipe:
            while chunk := os.read(pipe.fileno(), 1 << 16):
                with self._changed:
                    self._bytes += chunk
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def join(self):
        self._thread.join(LIMIT)

    @property
    def text(self):
        return self.bytes.decode(errors="replace")

    @property
    def bytes(self):
        with self._changed:
            return bytes(self._bytes)

    def _wait(self, condition, what):
        with self._changed:
            self._changed.wait_for(lambda: self._ended or condition(), LIMIT)
            if not condition():
                why = "ended" if self._ended else "was silent"
                raise AssertionError(f"output {why} without {what}; its last bytes: {bytes(self._bytes[-2000:])}")

    def wait_for(self, pattern, start=0):
        """Waits for a regular expression after the first `start` bytes, and returns the match."""
        expression = re.compile(pattern.encode() if isinstance(pattern, str) else pattern, re.MULTILINE)
        self._wait(lambda: expression.search(self._bytes, start), pattern)
        with self._changed:
            return expression.search(bytes(self._bytes), start)

    def wait_for_times(self, words, times, start=0):
        """Waits until these words are there so many times after the first `start` bytes."""
        self._wait(lambda: self._bytes.count(words, start) >= times, f"{words} {times} times")

    def wait_for_length(self, length):
        """Waits until there are so many bytes, and returns all that is there."""
        self._wait(lambda: len(self._bytes) >= length, f"{length} bytes (it has {len(self._bytes)})")
        return self.bytes

    def wait_for_end(self):
        """Waits until the process has closed the pipe, and returns all that it wrote."""
        self._wait(lambda: self._ended, "its end")
        return self.bytes


class Process:
    """A program under test or its peer: bounded in time, and gone, by its own pid, when its test is over."""

    def __init__(self, test, *command, keep=()):
        command = [str(word) for word in command]
        self._process = subprocess.Popen(command, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE, env=os.environ | {"LC_ALL": "C"}, pass_fds=keep)
        self.pid = self._process.pid
        self.stdin = self._process.stdin
        self.stdout = Output(self._process.stdout)
        self.stderr = Output(self._process.stderr)
        self._feeder = None
        self._guard = threading.Timer(LIFETIME, self._process.kill)
        self._guard.daemon = True
        self._guard.start()
        test.addCleanup(self.end)

    def end(self):
        """Ends the process, if it has not ended by itself."""
        self._guard.cancel()
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(LIMIT)
        if self._feeder:
            self._feeder.join(LIMIT)
        self.stdin.close()
        self.stdout.join()
        self.stderr.join()

    def write(self, data):
        """Writes all of `data` to the standard input of the process."""
        view = memoryview(data)
        while view:
            view = view[self.stdin.write(view):]

    def feed(self, data):
        """Writes all of `data`, and then ends the standard input, while the test goes on."""
        def work():
            with contextlib.suppress(BrokenPipeError):
                self.write(data)
            self.stdin.close()
        self._feeder = threading.Thread(target=work, daemon=True)
        self._feeder.start()

    def exit_code(self, timeout=LIMIT):
        """Waits for the end of the process and of its output, and returns the exit code."""
        code = self._process.wait(timeout)
        self.stdout.join()
        self.stderr.join()
        return code

    def stays_for(self, seconds):
        """Waits so long for the end of the process; returns whether it is still there."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return True
        return False

    def cpu_seconds(self):
        """Returns the processor time that the process has used, user and system."""
        with open(f"/proc/{self.pid}/stat", "rb") as stat:
            fields = stat.read().rpartition(b")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Server(Process):
    """An example server on a free port of 127.0.0.1, with server.pem unless told otherwise."""

    def __init__(self, test, name, *options, certificate="server"):
        super().__init__(test, example(name), "--host", "127.0.0.1", "--port", "0", *identity(certificate), *options)
        line = self.stdout.wait_for(r"^listening on (\S+):(\d+)\n")
        self.host, self.port = line[1].decode(), int(line[2])
        self.heading = line.end()  # what comes after this on stdout is the peer's

    def received(self, length):
        """Waits until the server has printed so many bytes after its heading, and returns them all."""
        return self.stdout.wait_for_length(self.heading + length)[self.heading:]


def relay_client(test, port, *options, ca="ca.pem", host="127.0.0.1"):
    """Starts relay_client, which is to trust `ca`."""
    return Process(test, example("relay_client"), "--host", host, "--port", port, "--ca", certificate(ca), *options)


def free_port():
    """Returns a port that was free a moment ago, for peers that cannot choose one themselves."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]
