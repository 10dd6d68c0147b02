"""The servers of servers/ that are compared, how each is started, and how the load generator is."""
import ctypes
import os
import signal
import subprocess
from dataclasses import dataclass

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, "build", "bench")
BIN = os.path.join(BUILD, "bin")
CERTS = os.path.join(BUILD, "certificates")
CERTIFICATE, KEY = CERTS + "/server.pem", CERTS + "/server.key"
CORES = sorted(os.sched_getaffinity(0))


LIBC, PR_SET_PDEATHSIG = ctypes.CDLL(None), 1


def pinned(*cores):
    """For preexec_fn: the first core is the server's, the last the client's; on one core they share it. And no child
    outlives a runner that is killed."""
    def before_exec():
        os.sched_setaffinity(0, {CORES[core] for core in cores})
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    return before_exec


class Running:
    """A server's process; ended by leaving the `with` block."""

    def __init__(self, command, cores=(0,), plain=False):
        self.plain = plain
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                        preexec_fn=pinned(*cores))
        self.pids = [self.process.pid]
        self.port = 0

    def heard(self):
        """Reads the line that says where it listens."""
        line = self.process.stdout.readline()
        if "listening on " not in line:
            self.__exit__()
            raise RuntimeError(f"{self.process.args[0]} does not listen")
        self.port = int(line.rsplit(":", 1)[1])
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@dataclass(frozen=True)
class Peer:
    """One of our servers, with the options that make it this peer."""
    name: str
    program: str
    options: tuple = ()
    package: str = ""  # the Debian package that it needs, when it is not always built
    plain: bool = False
    works = ("echo", "download", "sink", "http")

    def is_there(self):
        return os.path.exists(os.path.join(BIN, self.program))

    def start(self, work, options=(), cores=(0,)):
        command = [os.path.join(BIN, self.program), "--port", "0", "--work", work, *self.options, *options]
        return Running([*command, "--cert", CERTIFICATE, "--key", KEY], cores, self.plain).heard()


REGISTRY = Peer("libtlsmem registry", "tlsmem_registry")
PLAIN = Peer("no TLS", "plain", plain=True)
ALL = [
    REGISTRY,
    Peer("libtlsmem fd", "tlsmem_fd"),
    Peer("libtlsmem buffers", "tlsmem_buffers"),
    Peer("SSL_set_fd", "openssl_fd"),
    Peer("SSL_set_fd read_ahead", "openssl_fd", ("--read-ahead",)),
    Peer("textbook memory BIO", "textbook"),
    Peer("uSockets-like", "usockets_like"),
    Peer("libevent", "libevent", package="libevent-dev"),
    Peer("GnuTLS", "gnutls", package="libgnutls28-dev"),
    PLAIN,
]


def load(server, arguments):
    """Runs the load generator against a server. Returns [(metric, unit, value)]."""
    command = [os.path.join(BIN, "load"), "--port", str(server.port), "--pid", ",".join(map(str, server.pids)), *arguments]
    done = subprocess.run(command + ["--plain"] * server.plain, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=120, preexec_fn=pinned(-1))
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return [(metric, unit, float(value)) for metric, unit, value in (line.split("\t") for line in done.stdout.splitlines())]
