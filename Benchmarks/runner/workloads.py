"""What is measured: for each workload the work of the server, the arguments of the load generator, and what counts."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Workload:
    name: str
    parameter: str  # what the table calls this variant
    work: str
    load: tuple
    figure: str  # the metric that is compared
    per_cpu: str  # the same per CPU time of the server
    more_is_better: bool = True
    server: tuple = ()


def _echo(connections, size):
    return Workload("echo", f"{connections} connections, {size} B", "echo",
                    ("echo", "--connections", str(connections), "--size", str(size)), "echos", "server CPU per echo")


def _download(connections):
    return Workload("download", f"{connections} connection" + "s" * (connections > 1), "download",
                    ("download", "--connections", str(connections)), "throughput", "per server CPU second")


ALL = [
    _download(1),
    _download(16),
    Workload("upload", "4 connections", "sink", ("upload", "--connections", "4", "--size", "16384"), "throughput",
             "per server CPU second"),
    _echo(64, 64),
    _echo(16, 16384),
    Workload("HTTPS", "64 connections", "http", ("http", "--connections", "64"), "responses", "server CPU per response"),
]
