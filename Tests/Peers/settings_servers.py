"""Other people's servers in the table of settings. Each answers a line with a line."""

import pathlib
import ssl
import threading

from settings_clients import (PythonPeer, gnutls_facts, openssl_signature, priority, python_alert, python_context,
                              python_facts)
from settings_names import split_ciphers
from settings_peers import EXPORTS, Outcome, Peer, last_of, one_of, openssl, options, secrets
from support import Process, certificate, free_port, tool
from tls import PythonServer


class OpenSSLServer(Peer):
    """openssl s_server."""

    name, side = "openssl", "server"
    WORDS = {
        "identity": lambda v: ["-cert", certificate(v + ".pem"), "-key", certificate(v + ".key"),
                               "-cert_chain", certificate(v + ".pem")],
        "ca": lambda v: ["-CAfile", certificate(v + ".pem"), "-no-CApath", "-no-CAstore"],
        "verify": lambda v: {"none": [], "optional": ["-verify", "4", "-verify_return_error"],
                             "required": ["-Verify", "4", "-verify_return_error"],
                             "later": ["-verify", "4", "-verify_return_error"]}[v],
        "version": lambda v: ["-tls" + v.replace(".", "_")],
        "min": lambda v: ["-min_protocol", "TLSv" + v],
        "max": lambda v: ["-max_protocol", "TLSv" + v],
        "ciphers": lambda v: [*split_ciphers(v), "-serverpref"],
        "groups": lambda v: ["-groups", v],
        "sigalgs": lambda v: ["-sigalgs", v],
        "alpn": lambda v: ["-alpn", v],
        "tickets": lambda v: ["-num_tickets", v] if v != "0" else ["-num_tickets", "0", "-no_ticket", "-no_cache"],
        "request": lambda _: [],
        "renegotiation": lambda v: ["-client_renegotiation"] if v != "0" else [],
        "keylog": lambda _: [],
        "staple": lambda v: ["-status_file", certificate(v + ".ocsp")],
        "psk": lambda v: ["-psk_identity", v.partition(":")[0], "-psk", v.partition(":")[2]],
    }

    def __init__(self, lane, wanted, connections):
        self.keylog = lane.file("keylog") if "keylog" in wanted else None
        self.process = Process(
            lane, *openssl(), "s_server", "-accept", "127.0.0.1:0", "-naccept", connections,
            "-keymatexport", EXPORTS[0], "-keymatexportlen", EXPORTS[1], *options("s_server", self.WORDS, wanted), *([] if "identity" in wanted else ["-nocert"]), *(["-keylogfile", self.keylog] if self.keylog else []))
        self.port = int(self.process.stdout.wait_for(r"^ACCEPT \S+:(\d+)$")[1])
        self.answers, self.requests = connections, "request" in wanted
        self.has_key = "psk" in wanted  # which it calls a resumed session in TLS 1.3
        threading.Thread(target=self._answer, daemon=True).start()

    def _answer(self):
        seen = 0
        try:
            for _ in range(self.answers):
                seen = self.process.stdout.wait_for("ping\n", seen).end()
                if self.requests:  # a line of one letter is a command, if it comes alone
                    self.process.write(b"c\n")
                    seen = self.process.stdout.wait_for("SSL_do_handshake -> 1\n", seen).end()
                self.process.write(b"pong\n")
        except (AssertionError, OSError, ValueError):
            pass  # it has ended, and says why

    def outcome(self, _):
        self.process.exit_code()
        out, err = self.process.stdout.text, self.process.stderr.text
        last = out.rpartition("-----BEGIN SSL SESSION PARAMETERS-----")[2]
        alert = one_of(r"SSL alert number (\d+)", err)
        alpn = one_of(r"ALPN protocols selected: (.*)", out)
        return Outcome(
            "ping" not in last or (self.requests and err.count("CN = test client") < 2), (out + err)[-600:], int(alert) if alert else None, alpn=alpn,
            cipher=one_of(r"^CIPHER is (\S+)", last), signature=openssl_signature(last),
            exported=last_of(r"Keying material: (\w+)$", last),
            sni=one_of(r'^Hostname in TLS extension: "(.*)"', out),
            resumed=None if self.has_key else int("Reused session-id" in last), secrets=secrets(self.keylog) if self.keylog else None)


class GnuTLSServer(Peer):
    """gnutls-serv. It cannot be told an address, nor to choose a port; it lives for its lane only."""

    name, side = "gnutls", "server"
    SENDS = dict.fromkeys((45, 48), (49, "gnutls-serv sends access_denied, whatever is wrong with a certificate"))
    DEAF = {"1.3": "GnuTLS takes no alert that an OpenSSL client sends before its Finished: it is not encrypted"}
    WORDS = {
        "identity": lambda v: ["--x509certfile", certificate(v + ".pem"), "--x509keyfile", certificate(v + ".key")],
        "ca": lambda v: ["--x509cafile", certificate(v + ".pem")],
        "verify": lambda v: {"none": ["--disable-client-cert"], "optional": ["--verify-client-cert"],
                             "required": ["--require-client-cert", "--verify-client-cert"]}[v],
        "alpn": lambda v: [*(option for name in v.split(",") for option in ("--alpn", name)), "--alpn-fatal"],
        "tickets": lambda v: ["--noticket", "--nodb"] if v == "0" else [],
        "renegotiation": lambda _: [],
        "sigalgs": lambda _: [],
        "keylog": lambda _: [],
        "staple": lambda v: ["--ocsp-response", certificate(v + ".ocsp"), "--ignore-ocsp-response-errors"],
        "psk": lambda _: [],
    } | dict.fromkeys(("version", "min", "max", "ciphers", "groups"), lambda _: [])

    def __init__(self, lane, wanted, _):
        self.keylog = lane.file("keylog") if "keylog" in wanted else None
        environment = ["env", f"SSLKEYLOGFILE={self.keylog}"] if self.keylog else []
        asks = [] if "verify" in wanted else ["--disable-client-cert"]
        if "psk" in wanted:
            passwords = lane.file("passwords")
            pathlib.Path(passwords).write_text(wanted["psk"] + "\n", encoding="utf-8")
            asks += ["--pskpasswd", passwords]
        done = None
        while not done:  # a port that was free a moment ago may have become somebody's
            self.port = free_port()
            self.process = Process(
                lane, *environment, "stdbuf", "-oL", tool("gnutls-serv", "gnutls-bin"), "--echo", "--port", self.port,
                "--priority", priority(wanted) + ":%SERVER_PRECEDENCE", *asks,
                "--keymatexport", EXPORTS[0], "--keymatexportsize", EXPORTS[1], *options("gnutls-serv", self.WORDS, wanted))
            done = self.process.stderr.wait_for(r"listening on IPv4 .*(?:(done)|failed: Address already in use)")[1]
        self.seen = len(self.process.stderr.bytes)

    def outcome(self, connections):
        good = 0
        for _ in range(connections):
            said = self.process.stderr.wait_for(r"^(?:received cmd: ping|Error.*)$", self.seen)
            self.seen = said.end()
            good += said[0] == b"received cmd: ping"
        self.process.stdout.wait_for(rf"(?s)\A(?:.*?'tls-exporter'){{{good}}}")  # that comes by another pipe
        if b"alert has been received" in said[0]:
            self.process.stdout.wait_for(r"Received alert '\d+'")
        last = self.process.stdout.text.rpartition("* Accepted connection")[2]
        alert = one_of(r"Received alert '(\d+)'", last)
        return Outcome(
            said[0] != b"received cmd: ping", said[0].decode() + last[-400:], int(alert) if alert else None,
            **gnutls_facts(last), sni=one_of(r"^- Given server name\[1\]: (.*)", last),
            resumed=int("This is a resumed session" in last) if "- Description" in last else None,
            secrets=secrets(self.keylog) if self.keylog else None)


class PythonServerPeer(PythonPeer):
    """Each connection is served until the client has closed."""

    side = "server"
    WORDS = {"verify", "tickets", "request"}

    def __init__(self, lane, wanted, connections):
        self.must_know(wanted)
        self.context = python_context(ssl.PROTOCOL_TLS_SERVER, wanted)
        self.context.verify_mode = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL,
                                    "required": ssl.CERT_REQUIRED, "later": ssl.CERT_REQUIRED}[wanted.get("verify", "none")]
        self.requests = self.context.post_handshake_auth = "request" in wanted
        self.context.num_tickets = int(wanted.get("tickets", 2))
        if wanted.get("tickets") == "0":
            self.context.options |= ssl.OP_NO_TICKET
        self.keylog = lane.file("keylog") if "keylog" in wanted else None
        self.context.keylog_filename = self.keylog
        self.sni, self.secrets = "", None
        self.context.sni_callback = self._note_name
        self.server = PythonServer(lane, self.context)
        self.port = self.server.port
        self.outcomes = []
        self.thread = threading.Thread(target=self._serve, args=(connections,), daemon=True)
        self.thread.start()

    def _note_name(self, _socket, name, _context):
        self.sni = name or ""

    def _serve(self, connections):
        for _ in range(connections):
            self.outcomes.append(self._exchange())

    def _exchange(self):
        try:
            with self.server.establish() as connection:
                received = connection.recv(64)
                if self.requests:
                    connection.verify_client_post_handshake()
                connection.sendall(b"pong\n")
                if self.keylog:
                    self.secrets = secrets(self.keylog)
                while connection.recv(64):
                    pass
                facts = python_facts(connection) | {"sni": self.sni, "secrets": self.secrets}
                return Outcome(received != b"ping\n", f"it received {received}", **facts)
        except (ssl.SSLError, OSError) as error:
            return Outcome(True, str(error), python_alert(error))

    def outcome(self, connections):
        self.thread.join(30)
        return self.outcomes[connections - 1] if len(self.outcomes) >= connections else Outcome(True, "it hangs")


