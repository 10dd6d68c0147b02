"""The servers that are compared, and how each is started."""
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, "build", "bench")
BIN = os.path.join(BUILD, "bin")
CERTS = os.path.join(BUILD, "certificates")
SERVER_CPU, CLIENT_CPU = 0, 1


@dataclass(frozen=True)
class Peer:
    """A server program, with the options that make it this peer."""
    name: str
    program: str
    options: tuple = ()
    works: tuple = ("echo", "download", "sink", "http")
    package: str = ""  # the Debian package that it needs, when it is not always built
    plain: bool = False

    def is_there(self):
        return os.path.exists(os.path.join(BIN, self.program))

    def command(self, work, extra=()):
        return [os.path.join(BIN, self.program), "--port", "0", "--work", work, "--cert", CERTS + "/server.pem",
                "--key", CERTS + "/server.key", *self.options, *extra]


ALL = [
    Peer("libtlsmem registry", "tlsmem_registry"),
    Peer("libtlsmem fd", "tlsmem_fd"),
    Peer("libtlsmem buffers", "tlsmem_buffers"),
    Peer("SSL_set_fd", "openssl_fd"),
    Peer("SSL_set_fd read_ahead", "openssl_fd", ("--read-ahead",)),
    Peer("textbook memory BIO", "textbook"),
    Peer("uSockets-like", "usockets_like"),
    Peer("libevent", "libevent", package="libevent-dev"),
    Peer("GnuTLS", "gnutls", package="libgnutls28-dev"),
    Peer("no TLS", "plain", plain=True),
]


def pin(cpu):
    """For preexec_fn: one core for the server, another for the client, where there are two."""
    cores = sorted(os.sched_getaffinity(0))
    return lambda: os.sched_setaffinity(0, {cores[cpu % len(cores)]})


class Server:
    """A running server; ended by leaving the `with` block."""

    def __init__(self, peer, work, extra=(), environment=None):
        self.peer = peer
        self.process = subprocess.Popen(peer.command(work, extra), stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, **(environment or {})}, preexec_fn=pin(SERVER_CPU))
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            self.process.kill()
            raise RuntimeError(f"{peer.name} does not listen: {line!r}")
        self.port = int(line.rsplit(":", 1)[1])
        self.pids = [self.process.pid]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()


def load(server, arguments, timeout=60):
    """Runs the load generator against a server. Returns [(metric, unit, value)]."""
    command = [os.path.join(BIN, "load"), "--port", str(server.port), "--pid", ",".join(map(str, server.pids)), *arguments]
    if server.peer.plain:
        command.append("--plain")
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=timeout,
                          preexec_fn=pin(CLIENT_CPU))
    if done.returncode != 0:
        raise RuntimeError(f"{server.peer.name}: {done.stderr.strip()}")
    return [(m, u, float(v)) for m, u, v in (line.split("\t") for line in done.stdout.splitlines())]
