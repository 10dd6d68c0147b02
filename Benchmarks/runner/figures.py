"""What other programs make: figures in memory, what the library costs in calls and instructions, and the plots."""
import os
import re
import subprocess
import sys

from . import peers


def _lines(command, timeout):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=timeout, cwd=peers.ROOT, check=False)
    return done.stdout.splitlines()


def in_memory(rounds):
    """The programs of Benchmarks/memory: NAME, UNIT and VALUE with tabs between."""
    if not os.path.isdir(peers.ROOT + "/Benchmarks/memory"):
        return []
    command = ["make", "--no-print-directory", "--silent", "-C", "Benchmarks/memory", "run", f"ROUNDS={rounds}"]
    found = [line.split("\t") for line in _lines(command, 900) if line.count("\t") == 2]
    return [("in memory", "libtlsmem", "", name, unit, 1, float(value)) for name, unit, value in found]


def costs():
    """Tests/Costs: one figure for each stretch and measure, which do not depend on the machine's mood."""
    if not os.path.exists(peers.ROOT + "/Tests/Costs/run"):
        return []
    found = (re.match(r"(.+?) *\| (.+?) *\| *([0-9.]+) of ", line) for line in _lines(["Tests/Costs/run", "--print"], 600))
    return [("costs", "libtlsmem", stretch, measure, "", 1, float(value))
            for stretch, measure, value in (line.groups() for line in found if line)]


def plots(results):
    """Draws, with the first Python that has matplotlib. Returns a sentence about it."""
    script, folder = os.path.join(os.path.dirname(__file__), "plots.py"), os.path.join(peers.BUILD, "plots")
    for python in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([python, "-c", "import matplotlib"], stderr=subprocess.DEVNULL, check=False).returncode == 0:
            subprocess.run([python, script, results, folder], check=True)
            return f"Plots: {os.path.relpath(folder)}"
    return "No plots: there is no matplotlib (Debian: python3-matplotlib)"
