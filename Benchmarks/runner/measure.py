"""Rounds: in each of them every peer runs once, so that what the machine does meanwhile meets all of them."""
import subprocess
import sys

from . import others, peers

COLUMNS = ("workload", "peer", "parameter", "metric", "unit", "round", "value")


def _run(workload, peer, seconds):
    cores = (0, -1) if workload.loops > 1 else (0,)
    with peer.start(workload.work, workload.server, cores) as server:
        if workload.load[0] == "wrk":
            return others.wrk(server, workload.load[1], seconds)
        time = ("--seconds", str(seconds)) if workload.steady else ()
        return peers.load(server, (*workload.load, *time))


def _say(text=""):
    """What is under way, for whoever looks."""
    if sys.stderr.isatty():
        print(f"\r{text:90}\r{text}", end="", file=sys.stderr, flush=True)


def measure(workload, there, rounds, seconds):
    """Returns rows of results.tsv. A peer that fails is named, and takes part no more."""
    rows, there = [], list(there)
    for number in range(1, rounds + 1):
        for peer in list(there):
            _say(f"{workload.name}, {workload.parameter}: round {number}, {peer.name}")
            try:
                found = _run(workload, peer, seconds)
            except (RuntimeError, OSError, subprocess.TimeoutExpired) as failure:
                _say()
                print(f"{workload.name}, {workload.parameter}: {peer.name} fails: {failure}", file=sys.stderr)
                there.remove(peer)
                continue
            for metric, unit, value in found:
                rows.append((workload.name, peer.name, workload.parameter, metric, unit, number, value))
    _say()
    return rows
