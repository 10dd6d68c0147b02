"""NSS's client in the table of settings, tstclnt."""

import os
import subprocess

from settings_clients import is_address, version_range
from settings_names import NSS_ALERTS, NSS_CIPHERS, NSS_GROUPS
from settings_peers import Cannot, Outcome, Peer, looked_up, once, one_of, options
from support import LIMIT, Process, certificate, certificates, tool


class NSSClient(Peer):
    """tstclnt, over a database of its own for each authority and identity."""

    name, side = "nss", "client"
    SENDS = {43: (46, "NSS sends certificate_unknown for a certificate with another purpose")}
    WORDS = {
        "identity": lambda _: ["-n", "identity"],
        "ca": lambda _: [],
        "insecure": lambda _: ["-o"],
        "name": lambda v: [] if is_address(v) else ["-a", v],
        "ciphers": lambda v: ["-c", "".join(looked_up("NSS", NSS_CIPHERS, v, ":"))],
        "sigalgs": lambda v: ["-J", v.replace(":", ",")],
        "groups": lambda v: ["-I", ",".join(looked_up("NSS", NSS_GROUPS, v, ":"))],
    } | dict.fromkeys(("version", "min", "max"), lambda _: [])

    def __init__(self, lane, port, wanted):
        if is_address(wanted.get("name", "")) and wanted["name"] != "127.0.0.1":
            raise Cannot("tstclnt verifies the address that it connects to, and no other")
        self.connections = 1
        self.process = Process(
            lane, tool("tstclnt", "libnss3-tools"), "-h", "127.0.0.1", "-p", port, "-v", "-A", ping(),
            "-V", "tls{}:tls{}".format(*version_range(wanted)),
            "-d", nss_database(wanted.get("ca"), wanted.get("identity")), *options("tstclnt", self.WORDS, wanted))

    def finish(self):
        self.process.exit_code()
        out, err = self.process.stdout.text, self.process.stderr.text
        version = one_of(r"SSL version (3\.\d) using", err)
        error = one_of(r"\b((?:SSL|SEC)_ERROR_\w+)", err)
        return Outcome(
            "pong" not in out, err[-600:], NSS_ALERTS.get(error),
            protocol={"3.3": "TLSv1.2", "3.4": "TLSv1.3"}.get(version))


@once
def ping():
    """Returns a file with the line, for who waits in vain for the end of a pipe."""
    path = os.path.join(certificates(), "ping")
    with open(path, "w", encoding="ascii") as file:
        file.write("ping\n")
    return path


@once
def nss_database(ca, identity):
    """Returns the folder of a database that trusts `ca` and has `identity`."""
    def run(*command):
        subprocess.run(command, check=True, timeout=LIMIT, capture_output=True)

    folder = os.path.join(certificates(), f"nss-{ca}-{identity}")
    os.mkdir(folder)
    certutil = tool("certutil", "libnss3-tools")
    run(certutil, "-N", "-d", folder, "--empty-password")
    if ca:
        run(certutil, "-A", "-d", folder, "-n", "authority", "-t", "CT,C,C", "-i", certificate(ca + ".pem"))
    if identity:
        bundle = os.path.join(folder, "identity.p12")
        run(tool("openssl", "openssl"), "pkcs12", "-export", "-name", "identity", "-passout", "pass:", "-out", bundle,
            "-in", certificate(identity + ".pem"), "-inkey", certificate(identity + ".key"))
        run(tool("pk12util", "libnss3-tools"), "-i", bundle, "-d", folder, "-W", "")
    return folder
