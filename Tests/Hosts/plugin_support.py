"""What the tests of plugins share: plugin_host and its two plugins, and what Tests/Hosts/plugins has for them."""

import atexit
import functools
import os
import pathlib
import re
import subprocess
import tempfile

from support import BUILD, LIMIT, Process, certificate, certificates, example, identity, tool

HERE = pathlib.Path(__file__).resolve().parent
ECHO, FETCH = (BUILD / "examples/plugins" / name for name in ("echo.so", "fetch.so"))
LIBRARY = BUILD / "stage/lib/libtlsmem.so.0"
HEADERS = BUILD / "stage/include"


@functools.cache
def made():
    """Builds Tests/Hosts/plugins, once for the run; returns the folder."""
    folder = tempfile.TemporaryDirectory(prefix="tlsmem-plugins-")
    atexit.register(folder.cleanup)
    subprocess.run(["make", "--silent", "-C", HERE / "plugins", f"BUILD={folder.name}"], check=True, timeout=4 * LIMIT,
                   env=os.environ | {"PKG_CONFIG_PATH": str(BUILD / "stage/lib/pkgconfig")})
    return pathlib.Path(folder.name)


def host(test, *words):
    """Starts plugin_host with these options and plugins."""
    return Process(test, example("plugin_host"), *words)


def both():
    """Returns the options with which the client of a host finds the server of the same host, and trusts it."""
    return ["--port", "0", *identity(), "--ca", certificate("ca.pem"), "--max", "1"]


def listening(program):
    """Waits until a host's server listens; returns its port."""
    return int(program.stdout.wait_for(r"^listening on \S+:(\d+)\n")[1])


def served(test, *words):
    """Starts a host with the server only; returns it, and the port."""
    program = host(test, "--port", "0", *identity(), *words, ECHO)
    return program, listening(program)


def parted(name, plugin, rounds):
    """Returns the command of a program of Tests/Hosts/plugins, with the plugin that it loads and unloads."""
    return [made() / name, made() / plugin, certificates(), rounds]


def watched(test, command, seconds):
    """Runs a command under valgrind: no error, nothing lost, and no descriptor left open but what it was given."""
    log = made() / f"valgrind.{test.id()}"
    ended = subprocess.run(
        [tool("valgrind", "valgrind"), "--leak-check=full", "--track-fds=yes", f"--log-file={log}", *map(str, command)],
        check=False, timeout=seconds, capture_output=True, text=True)
    said = log.read_text(encoding="utf-8", errors="replace")
    test.assertEqual(ended.returncode, 0, ended.stderr + said)
    test.assertIn("ERROR SUMMARY: 0 errors", said)
    for kind in ("definitely", "indirectly"):
        test.assertRegex(said, rf"{kind} lost: 0 bytes in 0 blocks", said)
    test.assertIn("FILE DESCRIPTORS: ", said)
    inherited = r"file descriptor \d+:.*\n==\d+==    <inherited from parent>"
    test.assertNotRegex(said, rf"Open (?!{inherited})(?:\w+ )?(?:file descriptor|socket) ")
    blocks = int(re.search(r"still reachable: [\d,]+ bytes in ([\d,]+) blocks", said)[1].replace(",", ""))
    test.assertLess(blocks, 200)  # what is kept for the whole process: no more of it after more rounds
    return ended.stdout
