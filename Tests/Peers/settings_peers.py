"""Who takes part in the table of settings: what a peer is asked for, what it tells, and our own client and server.

A setting is a word, "alpn=h2", in the language of settings.c; each peer has a table from these words to its own options,
and a word that is not in it is something that the peer cannot do: Cannot. Files are named as Tests/certificates names
them, without their suffix.
"""

import atexit
import contextlib
import functools
import hashlib
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import threading
import time

from support import BUILD, HERE, LIMIT, Process, certificate, certificates, tool

EXPORTS = ("EXPERIMENTAL tlsmem", "32")  # the label of settings_facts.c, and how many bytes
SOURCES = ("settings.c", "settings_words.c", "settings_questions.c", "settings_answers.c", "settings_facts.c")


class Cannot(Exception):
    """The peer has no such setting."""


class Peer:
    """What is the same for all of them."""

    SENDS = {}  # alerts of ours: what it sends for the same reason, and why
    DEAF = {}   # versions in which it does not understand our alerts: why


class Outcome:
    """What one side tells of its connection: facts, as far as it has them, under the names that settings.c gives them."""

    def __init__(self, failed, said, alert=None, **facts):
        self.failed = failed  # the handshake, or what came right behind it
        self.said = said      # its own words
        self.alert = alert    # the one that it has received
        self.facts = {name: str(value) for name, value in facts.items() if value is not None}
        self.is_ours = self.is_deaf = False

    def forget(self, names):
        """Drops facts that are of no use."""
        for name in names:
            self.facts.pop(name, None)


class Lane(contextlib.ExitStack):
    """Processes that end with a group of cells; for support.Process it is the test."""

    def addCleanup(self, function, *arguments):  # noqa: N802, unittest's name
        self.callback(function, *arguments)

    def file(self, name):
        """Returns a path of its own."""
        folder = tempfile.mkdtemp(prefix="tlsmem-settings-")
        self.callback(shutil.rmtree, folder)
        return os.path.join(folder, name)


def words(text):
    """Reads "alpn=h2 again=1"; a value with a blank in it has quotation marks."""
    return {word.partition("=")[0]: word.partition("=")[2] for word in shlex.split(text)}


def options(peer, table, wanted):
    """Returns what a peer's table makes of the words, each a list of options."""
    found = []
    for name, value in wanted.items():
        if name not in table:
            raise Cannot(f"{peer} has no option for \"{name}\"")
        found += table[name](value)
    return found


def looked_up(peer, table, names, separator):
    """Returns what a peer calls each of the names."""
    unknown = [name for name in names.split(separator) if name not in table]
    if unknown:
        raise Cannot(f"{peer} is not told of {unknown[0]} here")
    return [table[name] for name in names.split(separator)]


def one_of(pattern, text, missing=None):
    """Returns the first group of a pattern, or what is given for a text without it."""
    match = re.search(pattern, text, re.MULTILINE)
    return match[1] if match else missing


def last_of(pattern, text):
    """Returns the first group of the last match, in small letters, or None."""
    found = re.findall(pattern, text, re.MULTILINE)
    return found[-1].lower() if found else None


def once(function):
    """As functools.cache, for several threads: the others wait for the first."""
    lock, cached = threading.Lock(), functools.cache(function)

    @functools.wraps(function)
    def locked(*arguments):
        with lock:
            return cached(*arguments)
    return locked


@once
def program():
    """Builds settings.c, once for the run, with the library that `make` has laid out; returns its path."""
    folder = tempfile.mkdtemp(prefix="tlsmem-settings-")
    atexit.register(shutil.rmtree, folder)
    flags = subprocess.run(
        [tool("pkg-config", "pkg-config"), "--cflags", "--libs", "tlsmem"], check=True, capture_output=True, text=True,
        env=os.environ | {"PKG_CONFIG_PATH": str(BUILD / "stage/lib/pkgconfig")}).stdout.split()
    path = os.path.join(folder, "settings")
    subprocess.run(
        [tool("cc", "gcc"), "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-o", path,
         *(HERE / source for source in SOURCES), *flags, f"-Wl,-rpath,{BUILD / 'stage/lib'}"], check=True, timeout=LIMIT)
    return path


def command():
    """Returns how the program is called: by another loader, when TLSMEM_LOADER says so (Tests/newer-openssl)."""
    return [*os.environ.get("TLSMEM_LOADER", "").split(), program()]


@once
def ca_directory(name):
    """Returns a folder with an authority under its hashed name."""
    folder = pathlib.Path(certificates(), f"{name}.d")
    folder.mkdir()
    shutil.copy(certificate(f"{name}.pem"), folder)
    subprocess.run([tool("openssl", "openssl"), "rehash", folder], check=True, timeout=LIMIT, capture_output=True)
    return str(folder)


def openssl():
    """Returns how the openssl command is called: a newer one, when TLSMEM_OPENSSL says so."""
    return os.environ.get("TLSMEM_OPENSSL", "").split() or [tool("openssl", "openssl")]


@once
def revocation_list(name):
    """Returns a list of the authority "ca" in which a certificate is revoked."""
    place = certificate(f"{name}.revoked")
    pathlib.Path(place + ".index").touch()
    settings = f"[ca]\ndefault_ca = a\n[a]\ndatabase = {place}.index\ndefault_md = sha256\ndefault_crl_days = 2\n"
    pathlib.Path(place + ".cnf").write_text(settings, encoding="ascii")
    command = [tool("openssl", "openssl"), "ca", "-config", place + ".cnf", "-cert", certificate("ca.pem"), "-keyfile",
               certificate("ca.key")]
    for action in (["-revoke", certificate(name + ".pem")], ["-gencrl", "-out", place]):
        subprocess.run([*command, *action], check=True, timeout=LIMIT, capture_output=True)
    return place


@once
def pin(name):
    """Returns the SHA-256 of a public key, in hexadecimal digits."""
    command = [tool("openssl", "openssl"), "pkey", "-in", certificate(name + ".key"), "-pubout", "-outform", "DER"]
    key = subprocess.run(command, check=True, timeout=LIMIT, capture_output=True).stdout
    return hashlib.sha256(key).hexdigest()


def ticket_keys(age):
    """Returns a file with a key for tickets, which is so many seconds old and seals for an hour."""
    begin = int(time.time()) - int(age)
    path = pathlib.Path(certificate(f"ticket-keys.{age}"))
    path.write_text(f"{'a7' * 80} {begin} {begin + 3600} {begin + 3600}\n", encoding="ascii")
    return str(path)


def _file(suffix):
    return lambda name: certificate(name + suffix)


class Ours(Peer):
    """settings.c, in either role."""

    name = "ours"
    FILES = {"ca": _file(".pem"), "ca_mem": _file(".pem"), "ca_dir": ca_directory,
             "accepted_ca": _file(".pem"), "accepted_ca_mem": _file(".pem"), "crl": revocation_list,
             "crl_mem": revocation_list, "pin": pin,
             "ticket_key": lambda age: str(int(time.time()) - int(age)), "ticket_keys": once(ticket_keys),
             "ticket_keys_mem": once(ticket_keys),
             "staple": _file(".ocsp"), "staple_mem": _file(".ocsp"), "staple_cb": _file(".ocsp")}
    # An identity in other forms (Tests/identities), each as the words that it is made of.
    IDENTITIES = {
        "identity": {"cert": "{}.pem", "key": "{}.key"},
        "identity_mem": {"cert_mem": "{}.pem", "key_mem": "{}.key"},
        "identity_der": {"cert": "{}.der", "key": "{}.pkcs8.der"},
        "identity_locked": {"cert": "{}.pem", "key": "{}.encrypted.pem"},
        "identity_pkcs12": {"pkcs12": "{}.p12,secret"},
        "identity_pkcs12_mem": {"pkcs12_mem": "{}.p12,secret"},
    }

    def __init__(self, lane, role, wanted, *more):
        self.keylog = None
        self.process = Process(lane, *self._environment(wanted), *command(), role, *self._words(lane, wanted), *more)
        self.seen = 0

    @staticmethod
    def _environment(wanted):
        if "ca_system" not in wanted:
            return []
        return ["env", "SSL_CERT_DIR=/nonexistent", f"SSL_CERT_FILE={certificate(wanted['ca_system'] + '.pem')}"]

    def _words(self, lane, wanted):
        for name, value in wanted.items():
            if name in self.IDENTITIES:
                for word, form in self.IDENTITIES[name].items():
                    yield f"{word}={certificate(form.format(value))}"
            elif name in ("keypair", "keypair_mem"):
                whose, _, pair = value.partition(",")
                yield f"{name}={whose},{certificate(pair + '.pem')},{certificate(pair + '.key')}"
            elif name in ("keylog", "keylog_cb"):
                self.keylog = lane.file("keylog")
                yield f"{name}={self.keylog}"
            elif name == "hello" and value.startswith("ctx:"):
                yield f"hello=ctx:{' '.join(self._words(lane, words(value[4:])))}"
            elif name == "ca_system":
                yield name
            else:
                yield f"{name}={self.FILES.get(name, str)(value)}"

    def next_outcome(self):
        """Waits for the next connection's lines."""
        match = self.process.stdout.wait_for(r"(?s)(established=.*?)\n\n", self.seen)
        self.seen = match.end()
        facts = dict(line.partition("=")[::2] for line in match[1].decode().splitlines())
        facts["group"] = facts["group"].lower()
        outcome = Outcome(facts["status"] != "TLSMEM_OK", f"{facts['status']}: {facts['sentence']}", **facts)
        outcome.alert = int(facts["alert_received"])
        outcome.is_ours = True
        if self.keylog:
            outcome.facts["secrets"] = secrets(self.keylog)
        return outcome

    def outcome(self, connections):
        """Returns the outcome of the last of so many connections."""
        for _ in range(connections - 1):
            self.next_outcome()
        return self.next_outcome()


def secrets(path):
    """Returns how many lines a key log has of its last connection, and a digest of them, whatever their order."""
    lines = [line for line in pathlib.Path(path).read_text(encoding="ascii").splitlines() if line[:1] != "#"]
    last = sorted(line for line in lines if line.split()[1] == lines[-1].split()[1])
    return f"{len(last)} lines, {hash(tuple(last)):x}"


class OurClient(Ours):
    """Connects, and has its outcome when it is asked for it."""

    side = "client"

    def __init__(self, lane, port, wanted):
        super().__init__(lane, "client", wanted, f"port={port}")
        self.connections = 2 if "again" in wanted else 1

    def finish(self):
        outcome = self.outcome(self.connections)
        if self.process.exit_code() != 0:
            raise AssertionError(f"our client ended with {self.process.exit_code()}: {self.process.stderr.text}")
        return outcome


class OurServer(Ours):
    """Listens until the lane ends."""

    side = "server"

    def __init__(self, lane, wanted):
        super().__init__(lane, "server", wanted)
        line = self.process.stdout.wait_for(r"^listening on \S+:(\d+)\n")
        self.port, self.seen = int(line[1]), line.end()

    def end(self):
        """Ends it in order, which shows that it has lived as long."""
        self.process.stdin.close()
        if self.process.exit_code() != 0:
            raise AssertionError(f"our server ended with {self.process.exit_code()}: {self.process.stderr.text}")
