"""The table of settings: each row is run with our own client and server, and with those of other people, in both versions.

A row says in words (settings.c) what the server and the client are told, and what comes of it:

    row("ALPN, one in common", server="alpn=h2,http/1.1", client="alpn=http/1.1", then="alpn=http/1.1")
    row("ALPN, none in common", server="alpn=h2", client="alpn=echo", then="server refuses EALPN 120")

Facts that follow hold on both sides, unless "client." or "server." stands before one, or "others.", who is not ours; who
refuses ends with this status, if it is ours, and sends this alert, which the other side has to speak of. What is in AGREE is
the same on both sides anyway.
"""

import concurrent.futures
import functools
import subprocess
import traceback
import typing
import unittest

from settings_clients import GnuTLSClient, NSSClient, OpenSSLClient, PythonClient
from settings_names import STATUS_OF_ALERT
from settings_peers import Cannot, Lane, OurClient, OurServer, words
from settings_servers import GnuTLSServer, OpenSSLServer, PythonServerPeer
from support import HERE, LIMIT, VERSIONS, certificates

AT_ONCE = 4
CLIENTS = (OurClient, OpenSSLClient, GnuTLSClient, PythonClient, NSSClient)
SERVERS = (OpenSSLServer, GnuTLSServer, PythonServerPeer)
# Each column of the table is a pair of client and server, one of them ours, or both.
COLUMNS = tuple((client, OurServer) for client in CLIENTS) + tuple((OurClient, server) for server in SERVERS)
BOUND = ("exported", "tls_exporter", "tls_unique")  # another after each handshake
AGREE = ("protocol", "cipher", "group", "alpn", "resumed", "secrets", "tls_server_end_point", *BOUND)
# Words and reasons that several tables have.
ASKS = "verify=required ca=ca"
# gnutls-cli --resume waits for a ticket before it says anything, or for none at all; ours come with the first answer.
LATE = {"gnutls client 1.3": "gnutls-cli does not wait for tickets that come with the first answer"}
DEFAULTS = {"server": "identity=server", "client": "ca=ca name=localhost"}


class Row(typing.NamedTuple):
    name: str
    server: str
    client: str
    then: typing.Union[str, dict, typing.Callable]  # one for all versions, or one for each; or what returns it
    versions: tuple
    ours: str       # "client", "server" or "both": whose setting it is
    differs: dict   # "openssl server", or "openssl server 1.3": (then, why)
    cannot: dict    # the same: why


class Cell(typing.NamedTuple):
    row: Row
    client: type
    server: type
    version: str
    mark: str    # what is printed in the table: A for accepted, the alert's number, "." for what the peer cannot do
    reason: str  # why it cannot, why it differs, or what is wrong
    good: bool


def row(name, then, server="", client="", versions=VERSIONS, ours="both", differs=None, cannot=None):
    """Returns a row. A word with a minus before it, "-name", takes a default away."""
    return Row(name, server, client, then, versions, ours, differs or {}, cannot or {})


def told(side, row, version):
    """Returns the words for one side of a row."""
    wanted = words(DEFAULTS[side] + " " + getattr(row, side))
    for name in [name for name in wanted if name.startswith("-")]:
        del wanted[name]
        wanted.pop(name[1:], None)
    if side == "client" and version in VERSIONS:
        wanted["version"] = version
    return wanted


def looked_up(table, peer, version):
    """Returns what a row says of a peer in a version, or None."""
    if peer.name == "ours":
        return None
    name = f"{peer.name} {peer.side}"
    return table.get(f"{name} {version}", table.get(name))


def check(then, outcomes):
    """Returns what is wrong with the outcomes of a client and a server, "" for nothing."""
    side, _, rest = then.partition(" refuses ")
    if rest:
        return check_refusal(outcomes[side], outcomes["server" if side == "client" else "client"], *rest.split())
    for name, outcome in outcomes.items():
        if outcome.failed:
            return f"the {name} failed: {outcome.said}"
        for fact, value in words(then).items():
            whose, _, fact = fact.rpartition(".")
            sides = ("", name) if outcome.is_ours else ("", name, "others")
            if whose in sides and outcome.facts.get(fact, None if outcome.is_ours else value) != value:
                return f"{fact} is {outcome.facts.get(fact)!r} for the {name}, and not {value!r}"
    client, server = outcomes["client"].facts, outcomes["server"].facts
    different = [fact for fact in AGREE if fact in client and fact in server and client[fact] != server[fact]]
    return "".join(f"{fact} is {client[fact]!r} for the client and {server[fact]!r} for the server; " for fact in different)


def check_refusal(refuser, other, status, alert, others_status=None):
    """Checks that one side refuses, and that the other knows why."""
    if not refuser.failed or not (other.failed or alert == "-1"):
        return f"nobody refuses: {refuser.facts}, {other.facts}"
    if refuser.is_ours and (refuser.facts["status"], refuser.facts["alert_sent"]) != ("TLSMEM_" + status, alert):
        return f"it refuses otherwise: {refuser.said}, alert {refuser.facts['alert_sent']}"
    if alert == "-1":  # there is none for it
        return ""
    if other.alert != int(alert) and not other.is_deaf:
        return f"the other side does not speak of alert {alert} ({other.alert}): {other.said}; refused by: {refuser.said}"
    expected = "TLSMEM_" + (others_status or STATUS_OF_ALERT.get(int(alert), "EALERT"))
    if other.is_ours and other.facts["status"] != expected:
        return f"an alert {alert} was received, and the status is {other.facts['status']}"
    return ""


def expected(row, peer, version):
    """Returns what comes of a row with a peer, and why that is otherwise than with us, if it is."""
    then, why = looked_up(row.differs, peer, version) or (row.then, "")
    then = then[version] if isinstance(then, dict) else then() if callable(then) else then
    if then.startswith(f"{peer.side} refuses ") and not why and peer.name != "ours":
        status, alert, *more = then.split()[2:]
        if int(alert) in peer.SENDS:
            sent, why = peer.SENDS[int(alert)]
            return f"{peer.side} refuses {status} {sent} {' '.join(more)}", why
    if " refuses " in then and not then.startswith(peer.side) and version in peer.DEAF:
        why = peer.DEAF[version]
    return then, why


def run_cell(row, client, server, version, start_server):
    """Runs one cell; start_server returns the server, or raises Cannot."""
    peer = server if client is OurClient else client
    cell = functools.partial(Cell, row, client, server, version)
    why = looked_up(row.cannot, peer, version)
    if why is None and row.ours != "both" and peer.name != "ours" and peer.side == row.ours:
        why = f"the setting is the {row.ours}'s"
    if why is not None:
        return cell(".", why, True)
    then, difference = expected(row, peer, version)
    try:
        with Lane() as lane:
            wanted = told("client", row, version)
            connections = 2 if "again" in wanted else 1
            listening = start_server(connections)
            visitor = client(lane, listening.port, wanted)
            outcomes = {"client": visitor.finish()}
            outcomes["server"] = listening.outcome(visitor.connections)
            outcomes[peer.side].is_deaf = version in peer.DEAF
            if "renegotiate" in wanted and peer.name != "ours":  # which told them before
                outcomes[peer.side].forget(BOUND)
        wrong = check(then, outcomes)
    except Cannot as reason:
        return cell(".", str(reason), True)
    except Exception:  # pylint: disable=broad-except
        wrong = traceback.format_exc()
    mark = "A" if " refuses " not in then else then.split()[3]
    return cell(mark + ("*" if difference else ""), wrong or difference, not wrong)


def run_lane(row, server, version):
    """Runs the cells of one server, one after the other; our own serves all clients."""
    if server is not OurServer:
        with Lane() as lane:
            return [run_cell(row, OurClient, server, version,
                             lambda connections: server(lane, told("server", row, version), connections))]
    try:
        with Lane() as lane:
            ours = OurServer(lane, told("server", row, version))
            cells = [run_cell(row, client, OurServer, version, lambda _: ours) for client in CLIENTS]
            ours.end()
            return cells
    except AssertionError:
        return [Cell(row, client, OurServer, version, "A", traceback.format_exc(), False) for client in CLIENTS]


def run_row(row, pool):
    """Runs all cells of a row; returns them."""
    make_identities()  # before threads ask for them
    lanes = [pool.submit(run_lane, row, server, version) for version in row.versions for server in (OurServer, *SERVERS)]
    return [cell for lane in lanes for cell in lane.result()]


@functools.cache
def make_identities():
    """Makes what Tests/identities and Tests/responses add to the certificates, once for the run."""
    for script in ("identities", "responses"):
        subprocess.run([HERE.parent / script, certificates()], check=True, timeout=LIMIT, capture_output=True)


@functools.cache
def workers():
    return concurrent.futures.ThreadPoolExecutor(AT_ONCE)


def tests(names, rows):
    """Makes a test of each row, into a module's names, under the module's table ROWS."""
    def test_of(row):
        def test(self):
            for cell in run_row(row, workers()):
                with self.subTest(client=cell.client.name, server=cell.server.name, version=cell.version):
                    self.assertTrue(cell.good, cell.reason)
        test.__doc__ = row.name
        return test

    methods = {"test_" + "".join(c if c.isalnum() else "_" for c in row.name): test_of(row) for row in rows}
    assert len(methods) == len(rows), "two rows have one name"
    names["Settings"] = type("Settings", (unittest.TestCase,), methods | {"__module__": names["__name__"]})
