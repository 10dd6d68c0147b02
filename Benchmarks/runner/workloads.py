"""What is measured: what the server does, what the client asks of it, which peers take part, and what the table shows."""
from dataclasses import dataclass, field, replace

from . import others, peers

GROWING = ("libtlsmem registry", "SSL_set_fd", "textbook memory BIO", "libevent", "no TLS")


@dataclass(frozen=True)
class Workload:
    name: str
    parameter: str  # what is different from others of the same name
    work: str  # of the server
    load: tuple  # arguments of the load generator; ("wrk", connections) for wrk
    shows: tuple  # the metrics of the table, the one that is compared first; "-" before it: less is better
    server: tuple = ()  # options of the server
    only: tuple = ()  # names of the peers that take part; none: all that can
    loops: int = 1
    quick: bool = False
    steady: bool = True  # measured for some time, and not a number of things
    rounds: int = 5  # at most
    x: float = field(default=0, compare=False)  # where in a plot

    def client_is_there(self):
        return self.load[0] != "wrk" or others.find("wrk") is not None

    def peers(self):
        everybody = others.RELAYS if self.name == "relay" else [*peers.ALL, others.Nginx()]
        able = [p for p in everybody if self.work in p.works and not (self.name.startswith("new") and p is peers.PLAIN)]
        return [p for p in able if not self.only or p.name in self.only]


def _echo(connections, size, name="echo", x=0, **more):
    parameter = f"{connections} connection{'s' * (connections > 1)}, {size} B" + ", 2 loops" * (more.get("loops") == 2)
    return Workload(name, parameter, "echo", ("echo", "--connections", str(connections), "--size", str(size)),
                    ("-server CPU per echo", "echos"), x=x, **more)


def _download(connections, size=65536, name="download", x=0, **more):
    parameter = f"{connections} connection{'s' * (connections > 1)}" + f", {size} B a write" * (size != 65536)
    return Workload(name, parameter, "download", ("download", "--connections", str(connections)),
                    ("per server CPU second", "throughput"), server=("--size", str(size)), x=x, **more)


def _upload(connections, **more):
    return Workload("upload", f"{connections} connections", "sink",
                    ("upload", "--connections", str(connections), "--size", "16384"),
                    ("per server CPU second", "throughput"), **more)


def _handshakes(kind, **more):
    return Workload("new connections", kind, "echo", (kind,), ("-server CPU per connection", "connections"), **more)


def _idle(size, connections=10000, **more):
    return Workload("idle memory", f"{connections} connections, after {size} B", "echo",
                    ("idle", "--connections", str(connections), "--size", str(size)),
                    ("-memory per connection", "-server CPU per connection"), steady=False, rounds=1, **more)


def _http(tool, **more):
    load = ("wrk", 64) if tool == "wrk" else ("http", "--connections", "64")
    return Workload("HTTPS", f"64 connections, {tool}", "http", load, ("-server CPU per response", "responses"), **more)


def _relay(workload, way=""):
    """The client sleeps when it waits, because the server behind the proxy has its core."""
    return replace(workload, name="relay", parameter=workload.parameter + way, load=(*workload.load, "--sleep"))


MAIN = [
    _download(1, quick=True),
    _download(16, quick=True),
    _upload(4, quick=True),
    _echo(64, 64, quick=True),
    _echo(16, 16384, quick=True),
    _http("own client", quick=True),
    _http("wrk"),
    _handshakes("full", quick=True),
    _handshakes("resumed"),
    Workload("latency", "1 connection, 64 B", "echo", ("echo", "--connections", "1", "--size", "64"),
             ("-latency p50", "-latency p99", "-server CPU per echo")),
    _idle(64),
    _idle(16384),
    *(_echo(64, 64, "loops", n, loops=n, server=("--loops", str(n)), only=("libtlsmem registry",), quick=True)
      for n in (1, 2)),
    _relay(_echo(64, 64)),
    _relay(_download(4), ", download"),
    _relay(_upload(4), ", upload"),
    _relay(_handshakes("full"), ", new connections"),
    _relay(_handshakes("resumed"), ", new connections"),
    _relay(_idle(64, 1000), ", idle"),
]
GROWTH = [
    *(_echo(n, 64, "growing crowd", n, only=GROWING, rounds=3) for n in (1, 10, 100, 1000, 4000, 10000)),
    *(_echo(16, n, "growing echo", n, only=GROWING, rounds=3) for n in (16, 256, 4096, 16384, 65536, 262144, 1048576)),
    *(_download(4, n, "growing write", n, only=GROWING, rounds=3) for n in (16, 64, 256, 1024, 4096, 16384, 65535, 262144, 1048576)),
]
