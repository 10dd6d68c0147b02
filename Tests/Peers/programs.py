"""The example programs, and with which options each of them begins. What the Makefile builds and this does not know fails."""

import fnmatch
import functools
import subprocess
import typing

from support import HERE, LIMIT

FOLDER = HERE.parent.parent / "examples-c"


class Program(typing.NamedTuple):
    listens: tuple = ()   # each the options with which it listens, beside --host, --port and --cert, --key
    connects: tuple = ()  # each the options with which it connects to {host} and {port}, beside what it trusts
    identity: bool = True  # it does nothing without --cert and --key
    answers: bool = False  # it prints something at once, without anybody else


SERVER = Program(listens=((),))
HOST = ("--host", "{host}", "--port", "{port}")
TABLE = {
    "echo_server": SERVER,
    "own_loop_*": SERVER,
    "nested_*": SERVER,
    "relay_server": SERVER,
    "https_server": SERVER,
    "h2_server": SERVER,
    "remote_key": SERVER,
    "fleet_server": SERVER,
    "tls_proxy": Program(listens=(("--upstream", "127.0.0.1:9"), ("--mode", "client", "--upstream", "localhost:9", "--insecure"))),
    "memory_pair": Program(answers=True),
    "protocol_test": Program(answers=True),
    "relay_client": Program(connects=(HOST,), identity=False),
    "https_get": Program(connects=(("https://{host}:{port}/",),), identity=False),
    "starttls": Program(listens=((),), connects=(("--mode", "client", "--from", "a@b", "--to", "c@d", *HOST),)),
    "starttls_postgres": Program(connects=(HOST,), identity=False),
    # These have arguments and no options: test_programs.py, and Tests/checks/examples.sh.
    "hello": None, "hello_poll": None, "line_client": None, "hundred_seeds": None,
    # This one has options of its own: Tests/Hosts/test_plugins.py.
    "plugin_host": None,
}


@functools.cache
def built():
    """Returns the names of the programs that the Makefile builds here: those that need what is not installed are left out."""
    listed = subprocess.run(["make", "--silent", "-C", FOLDER, "--eval=programs:;@echo $(notdir $(TARGETS))", "programs"],
                            check=True, timeout=LIMIT, capture_output=True, text=True)
    return tuple(listed.stdout.split())


def known(name):
    """Returns the patterns of the table that a name fits."""
    return [pattern for pattern in TABLE if fnmatch.fnmatchcase(name, pattern)]


def with_options():
    """Returns the programs that have options, each with its row."""
    return {name: TABLE[known(name)[0]] for name in built() if known(name) and TABLE[known(name)[0]]}
