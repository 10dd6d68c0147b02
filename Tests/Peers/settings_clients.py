"""Other people's clients in the table of settings. Each says "ping" once the handshake is done, and waits for the answer."""

import contextlib
import ipaddress
import os
import socket
import ssl
import subprocess

from settings_names import (ALERTS, GNUTLS_CIPHERS, GNUTLS_GROUPS, GNUTLS_SIGNATURES, NSS_ALERTS, NSS_CIPHERS, NSS_GROUPS,
                            OPENSSL_SIGNATURES, group, split_ciphers)
from settings_peers import EXPORTS, Cannot, Outcome, Peer, last_of, looked_up, once, one_of, openssl, options, secrets
from support import LIMIT, VERSIONS, Process, certificate, certificates, tool
from tls import VERSION


def is_address(name):
    try:
        return bool(ipaddress.ip_address(name))
    except ValueError:
        return False


def version_range(wanted):
    """Returns the oldest and the newest version of some words."""
    return (wanted.get("version") or wanted.get("min") or VERSIONS[0],
            wanted.get("version") or wanted.get("max") or VERSIONS[-1])


def say_ping(process):
    with contextlib.suppress(BrokenPipeError):  # it has ended, and says why
        process.write(b"ping\n")


class OpenSSLClient(Peer):
    """openssl s_client; a second connection is a second process."""

    name, side = "openssl", "client"
    WORDS = {
        "identity": lambda v: ["-cert", certificate(v + ".pem"), "-key", certificate(v + ".key"),
                               "-cert_chain", certificate(v + ".pem")],
        "ca": lambda v: ["-CAfile", certificate(v + ".pem"), "-no-CApath", "-no-CAstore", "-verify_return_error"],
        "insecure": lambda _: [],
        "name": lambda v: ["-noservername", "-verify_ip", v] if is_address(v) else
                          ["-servername", v, "-verify_hostname", v],
        "version": lambda v: ["-tls" + v.replace(".", "_")],
        "min": lambda v: ["-min_protocol", "TLSv" + v],
        "max": lambda v: ["-max_protocol", "TLSv" + v],
        "ciphers": lambda v: split_ciphers(v),
        "groups": lambda v: ["-groups", v],
        "sigalgs": lambda v: ["-sigalgs", v],
        "alpn": lambda v: ["-alpn", v],
        "again": lambda _: [],
        "post_handshake_auth": lambda _: ["-enable_pha"],
        "renegotiation": lambda _: [],
        "renegotiate": lambda _: [],
        "keylog": lambda _: [],
        "request_ocsp": lambda _: ["-status"],
        "psk": lambda v: ["-psk_identity", v.partition(":")[0], "-psk", v.partition(":")[2]],
    }

    def __init__(self, lane, port, wanted):
        self.lane, self.again = lane, "again" in wanted
        self.keylog = lane.file("keylog") if "keylog" in wanted else None
        self.command = [*openssl(), "s_client", "-connect", f"127.0.0.1:{port}",
                        "-keymatexport", EXPORTS[0], "-keymatexportlen", EXPORTS[1],
                        *options("s_client", self.WORDS, wanted), *(["-keylogfile", self.keylog] if self.keylog else [])]
        self.session = lane.file("session") if self.again else None
        self.renegotiates = "renegotiate" in wanted
        self.has_key = "psk" in wanted  # which it calls a resumed session in TLS 1.3
        self.connections = 1
        self.process = self._start(*(["-sess_out", self.session] if self.again else []))

    def _start(self, *more):
        process = Process(self.lane, *self.command, *more)
        if self.renegotiates:  # a line of one letter is a command, if it comes alone
            process.write(b"R\n")
            try:
                process.stderr.wait_for("^RENEGOTIATING")
            except AssertionError:
                return process
        say_ping(process)
        return process

    def finish(self):
        self.process.exit_code()
        if self.again and os.path.exists(self.session):
            self.connections = 2
            self.process = self._start("-sess_in", self.session)
            self.process.exit_code()
        out, err = self.process.stdout.text, self.process.stderr.text
        alert = one_of(r"SSL alert number (\d+)", err)
        protocol = one_of(r"^(?:New|Reused), (TLSv1\.\d), ", out)
        return Outcome(
            "pong" not in out, err[-600:], int(alert) if alert else None, protocol=protocol,
            cipher=one_of(r"^(?:New|Reused), \S+, Cipher is (\S+)", out),
            group=group(one_of(r"^(?:Server|Peer) Temp Key: (?:ECDH, )?([\w-]+),", out)
                        or one_of(r"^Negotiated TLS1.3 group: (\S+)", out)),
            alpn=one_of(r"^ALPN protocol: (.*)", out, "" if protocol else None),
            ocsp=one_of(r"^ +Cert Status: (\w+)", out, "none" if "OCSP response: no response" in out else None),
            signature=openssl_signature(out), exported=last_of(r"Keying material: (\w+)$", out), accepted=one_of(r"^Acceptable client certificate CA names\n.*CN ?= ?(.*)", out),
            resumed={"New": 0, "Reused": 1}.get(one_of(r"^(New|Reused), ", out)) if protocol and not self.has_key else None,
            secrets=secrets(self.keylog) if self.keylog else None)


def openssl_signature(out):
    """Returns what s_client and s_server say of the peer's, if they do."""
    return OPENSSL_SIGNATURES.get((one_of(r"^Peer signature type: (\S+)", out), one_of(r"^Peer signing digest: (\S+)", out)))


class GnuTLSClient(Peer):
    """gnutls-cli."""

    name, side = "gnutls", "client"
    SENDS = dict.fromkeys((43, 45, 48), (42, "gnutls-cli sends bad_certificate, whatever is wrong with one"))
    WORDS = {
        "identity": lambda v: ["--x509certfile", certificate(v + ".pem"), "--x509keyfile", certificate(v + ".key")],
        "ca": lambda v: ["--x509cafile", certificate(v + ".pem")],
        "insecure": lambda _: ["--insecure"],
        "name": lambda v: ["--verify-hostname", v, *(["--disable-sni"] if is_address(v) else ["--sni-hostname", v])],
        "alpn": lambda v: [option for name in v.split(",") for option in ("--alpn", name)],
        "again": lambda _: ["--resume"],
        "post_handshake_auth": lambda _: ["--post-handshake-auth"],
        "sigalgs": lambda _: [],
        "renegotiation": lambda _: [],
        "renegotiate": lambda _: ["--rehandshake"],
        "keylog": lambda _: [],
        "request_ocsp": lambda _: [],  # it does without being told
        "psk": lambda v: ["--pskusername", v.partition(":")[0], "--pskkey", v.partition(":")[2]],
    } | dict.fromkeys(("version", "min", "max", "ciphers", "groups"), lambda _: [])

    def __init__(self, lane, port, wanted):
        self.connections = 2 if "again" in wanted else 1
        self.keylog = lane.file("keylog") if "keylog" in wanted else None
        environment = ["env", f"SSLKEYLOGFILE={self.keylog}"] if self.keylog else []
        self.process = Process(lane, *environment, tool("gnutls-cli", "gnutls-bin"), "--port", port, "--priority",
                               priority(wanted), "--verbose", "--keymatexport", EXPORTS[0], "--keymatexportsize", EXPORTS[1],
                               *options("gnutls-cli", self.WORDS, wanted), "127.0.0.1")
        say_ping(self.process)

    def finish(self):
        self.process.exit_code()
        out, err = self.process.stdout.text, self.process.stderr.text
        last = out.rpartition("- Connecting again")[2]
        alert = one_of(r"Received alert \[(\d+)\]", err + out)
        return Outcome(
            "pong" not in last, (err + out)[-600:], int(alert) if alert else None, **gnutls_facts(last),
            resumed=int("This is a resumed session" in last) if "- Handshake was completed" in last else None,
            secrets=secrets(self.keylog) if self.keylog else None)


def gnutls_facts(out):
    """Returns what both of GnuTLS's programs print of a connection."""
    description = one_of(r"^- Description: (.*)", out, "")
    return {
        "protocol": {"TLS1.2": "TLSv1.2", "TLS1.3": "TLSv1.3"}.get(one_of(r"^\((TLS1\.\d)", description)),
        "group": group(one_of(r"\(ECDHE-(\w+)\)", description)),
        "alpn": one_of(r"^- Application protocol: (.*)", out, "" if description else None),
        "exported": last_of(r"^- Key material: (\w+)$", out), "tls_exporter": last_of(r"^ - 'tls-exporter': (\w+)$", out),
        "tls_unique": last_of(r"^ - 'tls-unique': (\w+)$", out),
        "tls_server_end_point": last_of(r"^ - 'tls-server-end-point': (\w+)$", out),
    }


def priority(wanted):
    """Returns GnuTLS's priority string for the words that it is made of."""
    parts = ["NORMAL"]
    oldest, newest = version_range(wanted)
    parts += ["-VERS-ALL", *(f"+VERS-TLS{version}" for version in VERSIONS if oldest <= version <= newest)]
    if "psk" in wanted:
        # gnutls-cli 3.7 crashes when it is to show an ECDHE-PSK of TLS 1.2.
        parts += ["-KX-ALL", *([] if wanted.get("version") == "1.2" else ["+ECDHE-PSK"]), "+PSK"]
        parts += ["+ECDHE-ECDSA", "+ECDHE-RSA"] if "ca" in wanted or "identity" in wanted else []
    if "ciphers" in wanted:
        parts += ["-CIPHER-ALL", *looked_up("GnuTLS", GNUTLS_CIPHERS, wanted["ciphers"], ":")]
    if "groups" in wanted:
        parts += ["-GROUP-ALL", *looked_up("GnuTLS", GNUTLS_GROUPS, wanted["groups"], ":")]
    if "sigalgs" in wanted:
        parts += ["-SIGN-ALL", *looked_up("GnuTLS", GNUTLS_SIGNATURES, wanted["sigalgs"], ":")]
    return ":".join(parts)


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


class PythonPeer(Peer):
    """Python's ssl module, in a thread of this process."""

    name = "python"
    WORDS = {"identity", "ca", "version", "min", "max", "ciphers", "alpn", "keylog"}

    def must_know(self, wanted):
        """Raises Cannot for a word that it has no setting for."""
        unknown = set(wanted) - PythonPeer.WORDS - self.WORDS
        if unknown:
            raise Cannot(f"Python's ssl has no setting for \"{min(unknown)}\"")


class PythonClient(PythonPeer):
    """A connection is made when its outcome is asked for."""

    side = "client"
    WORDS = {"insecure", "name", "again", "post_handshake_auth"}

    def __init__(self, lane, port, wanted):
        self.must_know(wanted)
        self.port, self.name_of_server = port, wanted["name"]
        self.connections = 2 if "again" in wanted else 1
        self.context = python_context(ssl.PROTOCOL_TLS_CLIENT, wanted)
        self.context.post_handshake_auth = "post_handshake_auth" in wanted
        self.context.check_hostname = "insecure" not in wanted
        self.context.verify_mode = ssl.CERT_NONE if "insecure" in wanted else ssl.CERT_REQUIRED
        self.keylog = lane.file("keylog") if "keylog" in wanted else None
        self.context.keylog_filename = self.keylog
        self.session = None

    def finish(self):
        for _ in range(self.connections):
            outcome = self._visit()
        return outcome

    def _visit(self):
        facts = {}
        try:
            with socket.create_connection(("127.0.0.1", self.port), LIMIT) as plain, self.context.wrap_socket(
                    plain, server_hostname=self.name_of_server, session=self.session) as connection:
                connection.sendall(b"ping\n")
                answer = connection.recv(64)
                connection.recv(64)  # the end
                self.session = connection.session
                facts = python_facts(connection) | {"secrets": secrets(self.keylog) if self.keylog else None}
                connection.unwrap().close()
                return Outcome(answer != b"pong\n", f"it received {answer}", **facts)
        except (ssl.SSLError, OSError) as error:
            return Outcome(True, str(error), python_alert(error))


def python_context(protocol, wanted):
    """Returns a context with what both sides may be told."""
    context = ssl.SSLContext(protocol)
    if "identity" in wanted:
        context.load_cert_chain(certificate(wanted["identity"] + ".pem"), certificate(wanted["identity"] + ".key"))
    if "ca" in wanted:
        context.load_verify_locations(certificate(wanted["ca"] + ".pem"))
    if "alpn" in wanted:
        context.set_alpn_protocols(wanted["alpn"].split(","))
    if "ciphers" in wanted:
        if wanted["ciphers"].startswith("TLS_"):
            raise Cannot("Python's ssl has no setting for the suites of TLS 1.3")
        context.set_ciphers(wanted["ciphers"])
    context.minimum_version, context.maximum_version = (VERSION[version] for version in version_range(wanted))
    return context


def python_facts(connection):
    peer = connection.getpeercert() or {}
    unique = connection.get_channel_binding("tls-unique").hex() if connection.version() == "TLSv1.2" else None
    return {"protocol": connection.version(), "serial": peer.get("serialNumber"), "cipher": connection.cipher()[0],
            "alpn": connection.selected_alpn_protocol() or "", "resumed": int(connection.session_reused),
            "tls_unique": unique}


def python_alert(error):
    """Returns the number of the alert that an exception speaks of, if it does."""
    name = one_of(r"(?:tlsv1|tlsv13|sslv3) (?:alert )?([a-z ]+)", str(error))
    return ALERTS.get(name.strip().upper().replace(" ", "_")) if name else None
