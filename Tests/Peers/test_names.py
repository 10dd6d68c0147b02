"""Which certificate real clients are shown: by the name that they ask for, and by the algorithms that they take."""

import functools
import re
import subprocess

from support import HERE, LIMIT, VERSIONS, Process, Server, certificate, certificates, example, tool, variants
from tls import client_context, connect, plain_socket

# What each client is told to take, by the type of the key that it is to be shown.
SIGNATURES = {"rsa": "RSA-PSS+SHA256:RSA+SHA256", "ecdsa": "ECDSA+SHA256", "ed25519": "ed25519"}
PRIORITIES = {"rsa": "-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-SHA256",
              "ecdsa": "-SIGN-ALL:+SIGN-ECDSA-SECP256R1-SHA256:+SIGN-ECDSA-SHA256",
              "ed25519": "-SIGN-ALL:+SIGN-EDDSA-ED25519"}
# Names that are asked for, None being none, and the subject that is shown.
NAMES = {"a.example": "a-ecdsa", "A.EXAMPLE": "a-ecdsa", "b.example": "b", "c.b.example": "b-wild",
         "x.y.b.example": "deep", "xn--bcher-kva.example": "idn", "z.y.b.example": "localhost",
         "other.example": "localhost", None: "localhost"}


@functools.cache
def identities():
    """Makes the certificates for names, once for the run."""
    subprocess.run([HERE.parent / "identities", certificates()], check=True, timeout=LIMIT, capture_output=True)


def pair(name, files):
    """Returns the option that adds a pair."""
    return ["--keypair", f"{name}={certificate(files + '.pem')},{certificate(files + '.key')}"]


class Names:
    version = None

    def server(self, *options):
        identities()
        return Server(self, "echo_server", *options)

    def server_of_names(self):
        """A server with a pair of each type for a.example, and for no name; and others of one type."""
        pairs = {"a-rsa": "a.example", "a-ed25519": "a.example", "a-ecdsa": "A.example", "b": "b.example",
                 "b-wild": "*.b.example", "deep": "x.y.b.example", "idn": "bücher.example", "rsa": "", "ed25519": ""}
        return self.server(*(word for files, name in pairs.items() for word in pair(name, files)))

    def shown_to_s_client(self, server, name, kind=None):
        """Returns the subject and what s_client says of its signature."""
        options = ["-servername", name] if name else ["-noservername"]
        if kind:
            options += ["-sigalgs", SIGNATURES[kind]]
        client = Process(self, tool("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{server.port}", "-brief",
                         "-tls" + self.version.replace(".", "_"), "-CAfile", certificate("ca.pem"),
                         "-verify_return_error", *(["-verify_hostname", name] if kind else []), *options)
        client.stdin.close()
        self.assertEqual(client.exit_code(), 0, client.stderr.text)
        return re.search(r"(?m)^Peer certificate: CN = (\S+)", client.stderr.text)[1]

    def shown_to_gnutls(self, server, name, kind):
        client = Process(self, tool("gnutls-cli", "gnutls-bin"), "--port", server.port, "--x509cafile",
                         certificate("ca.pem"), "--sni-hostname", name, "--verify-hostname", name, "--priority",
                         f"NORMAL:-VERS-ALL:+VERS-TLS{self.version}:{PRIORITIES[kind]}", "127.0.0.1")
        client.stdin.close()
        self.assertEqual(client.exit_code(), 0, client.stdout.text + client.stderr.text)
        self.assertIn("- Status: The certificate is trusted.", client.stdout.text)
        return re.search(r"- subject `CN=([^']+)'", client.stdout.text)[1]

    def shown_to_python(self, server, name):
        """Verified, if the name is one that there is a certificate for."""
        context = client_context(self.version)
        context.check_hostname = name is not None and NAMES[name] != "localhost"
        with context.wrap_socket(plain_socket(self, server.port), server_hostname=name) as connection:
            return dict(part[0] for part in connection.getpeercert()["subject"])["commonName"]

    def test_by_name(self):
        server = self.server_of_names()
        for name, subject in NAMES.items():
            with self.subTest(name=name):
                self.assertEqual(self.shown_to_python(server, name), subject)
                self.assertEqual(self.shown_to_s_client(server, name), subject)

    def test_by_algorithm(self):
        server = self.server_of_names()
        for kind in SIGNATURES:
            with self.subTest(kind=kind):
                self.assertEqual(self.shown_to_s_client(server, "a.example", kind), "a-" + kind)
                self.assertEqual(self.shown_to_gnutls(server, "a.example", kind), "a-" + kind)
                default = "ed25519" if kind == "ed25519" else "localhost"
                self.assertEqual(self.shown_to_s_client(server, "localhost", kind), default)

    def test_a_session_is_resumed_under_its_name(self):
        server, context = self.server_of_names(), client_context(self.version)
        session = None
        for _ in range(2):
            with connect(self, server.port, context, "c.b.example", session) as client:
                client.sendall(b"x")
                self.assertEqual(client.recv(1), b"x")
                self.assertEqual(client.session_reused, session is not None)
                session = client.session

    def test_a_name_too_many_is_refused(self):
        identities()
        for words, says in ((pair("a.example", "b"), "b.pem: the certificate is for other names"),
                            (pair("a.example", "missing"), "missing.pem: the file cannot be opened: No such file"),
                            (["--keypair", "a.example"], "not NAME=CERT,KEY")):
            server = Process(self, example("echo_server"), "--port", "0", "--cert", certificate("server.pem"), "--key",
                             certificate("server.key"), *words)
            self.assertNotEqual(server.exit_code(), 0)
            self.assertIn(says, server.stderr.text)


variants(globals(), Names, version=VERSIONS)
