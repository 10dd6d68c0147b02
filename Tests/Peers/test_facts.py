"""What a connection knows of its peer, held against what the openssl command and Python's ssl say of the same certificate."""

import functools
import hashlib
import ipaddress
import pathlib
import re
import ssl
import subprocess
import time
import unittest

from support import LIMIT, VERSIONS, Process, certificate, certificates, example, free_port, tool, variants
from tls import VERSION, connect

EC = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")
NAMES = "DNS:localhost,IP:127.0.0.1"
# Each with its key, its subject, its names, and more options of `openssl req`.
ODD = {
    "plain": (EC, "/CN=plain", NAMES, ()),
    "names": (EC, "/CN=names", NAMES + ",IP:::1,IP:2001:db8::1:0:0:1,DNS:*.example.com,URI:https://example.com/a?b=c,"
              "email:a@example.com,RID:1.2.3.4", ()),
    "subject": (EC, '/C=DE/O=Müller, "Söhne" \\\\ <Co>; #1\\+1/CN= 日本 ', NAMES, ("-utf8",)),
    "serial": (EC, "/CN=serial", NAMES, ("-set_serial", "0x7" + "f" * 39)),
    "small serial": (EC, "/CN=small serial", NAMES, ("-set_serial", "1")),
    "late": (EC, "/CN=late", NAMES, ("-days", "20000")),
    "p384": (("ec", "-pkeyopt", "ec_paramgen_curve:P-384"), "/CN=p384", NAMES, ()),
    "rsa": (("rsa:2048",), "/CN=rsa", NAMES, ()),
    "rsa-pss": (("rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"), "/CN=rsa-pss", NAMES, ()),
    "ed25519": (("ed25519",), "/CN=ed25519", NAMES, ()),
    "ed448": (("ed448",), "/CN=ed448", NAMES, ()),
}


def openssl(*arguments, data=None):
    """Runs the command, and returns what it prints."""
    return subprocess.run([tool("openssl", "openssl"), *arguments], input=data, check=True, timeout=LIMIT,
                          capture_output=True).stdout


@functools.cache
def odd(name):
    """Makes one of the certificates, which is its own authority. Returns the paths of it and of its key."""
    key, subject, names, options = ODD[name]
    path = str(certificates() / f"odd {name}")
    openssl("req", "-x509", "-newkey", *key, "-nodes", "-subj", subject, "-addext", f"subjectAltName={names}", "-days", "2",
            *options, "-keyout", path + ".key", "-out", path + ".pem")
    return path + ".pem", path + ".key"


def shown(text):
    """Reads what --show-cert has printed: each fact by its name, those that may come more than once as lists."""
    facts = {"name": []}
    for line in text.partition("-----BEGIN")[0].splitlines():
        key, _, value = line.partition(": ")
        if key == "name":
            facts["name"].append(value)
        else:
            facts[key] = value
    facts["pem"] = re.findall(r"-----BEGIN CERTIFICATE-----\n[^-]+-----END CERTIFICATE-----\n", text)
    return facts


def one_line(printed):
    """What comes behind the first equals sign, of one line."""
    return printed.decode().strip().partition("=")[2]


class Facts:
    """`version` is set by the variants."""

    def setUp(self):
        # What stands in a certificate does not depend on the version; what is done with its key does.
        self.names = [name for name in ODD if self.version == "1.3" or name == "plain" or ODD[name][0] != EC]

    def server(self, name, *options):
        """Starts s_server with one of the certificates; returns its port."""
        port = free_port()
        pem, key = odd(name)
        server = Process(self, tool("openssl", "openssl"), "s_server", "-accept", f"127.0.0.1:{port}", "-cert", pem, "-key", key,
                         "-www", *options)
        server.stdout.wait_for("ACCEPT")
        return port

    def shown_by_client(self, port, ca):
        got = Process(self, example("https_get"), "--show-cert", "--tls", self.version, "--ca", ca, "--output", "/dev/null",
                      f"https://localhost:{port}/")
        self.assertEqual(got.exit_code(), 0, got.stderr.text)
        return shown(got.stderr.text)

    def s_client(self, port, *options):
        """What s_client says of a server."""
        program = Process(self, tool("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost",
                          f"-tls{self.version.replace('.', '_')}", *options)
        program.stdin.close()
        program.exit_code()
        return program.stdout.text + program.stderr.text

    def check_certificate(self, facts, pem):
        """Everything that stands in the certificate, by the openssl command."""
        def said(*options):
            return one_line(openssl("x509", "-in", pem, "-noout", *options))

        text = openssl("x509", "-in", pem, "-noout", "-text", "-nameopt", "RFC2253").decode()
        self.assertEqual(facts["serial"], said("-serial"))
        self.assertEqual(facts["sha256"], said("-fingerprint", "-sha256").replace(":", ""))
        for name in ("subject", "issuer"):
            self.assertEqual(facts[name], said(f"-{name}", "-nameopt", "RFC2253,-esc_msb"))
        for name, option in (("not before", "-startdate"), ("not after", "-enddate")):
            moment = time.gmtime(ssl.cert_time_to_seconds(said(option)))
            self.assertEqual(facts[name], time.strftime("%Y-%m-%dT%H:%M:%SZ", moment))
        key = openssl("pkey", "-pubin", "-outform", "DER", data=openssl("x509", "-in", pem, "-noout", "-pubkey"))
        self.assertEqual(facts["key sha256"], hashlib.sha256(key).hexdigest().upper())
        kind, _, bits = facts["key"].partition(", ")
        algorithm = re.search(r"Public Key Algorithm: (\S+)", text)[1]
        self.assertEqual(kind, {"id-ecPublicKey": "EC", "rsaEncryption": "RSA", "rsassaPss": "RSA-PSS"}.get(algorithm, algorithm))
        if found := re.search(r"Public-Key: \((\d+) bit\)", text):
            self.assertEqual(bits, f"{found[1]} bits")
        self.assertEqual(facts["pem"], [pathlib.Path(pem).read_text()])
        self.assertEqual(facts["certificates"], "1")
        self.assertEqual(facts["verification"], "0, ok")

    def check_names(self, facts, certificate):
        """The names, the serial and the dates, as Python has them of its own connection."""
        kinds = {"DNS": "DNS:", "IP Address": "IP:", "URI": "URI:", "email": "email:"}
        names = []
        for kind, value in certificate["subjectAltName"]:
            if kind == "IP Address":
                value = str(ipaddress.ip_address(value))
            names.append(kinds[kind] + value if kind in kinds else "other:registeredID")
        self.assertEqual(facts["name"], names)
        self.assertEqual(facts["serial"], certificate["serialNumber"])
        until = time.gmtime(ssl.cert_time_to_seconds(certificate["notAfter"]))
        self.assertEqual(facts["not after"], time.strftime("%Y-%m-%dT%H:%M:%SZ", until))

    def check_signature(self, scheme, said):
        """A signature of ours or of the peer's, by what s_client says of it."""
        name, number = re.fullmatch(r"(\S+) \((0x\w{4})\)", scheme).groups()
        kind = re.search("(?m)^Peer signature type: (.*)$", said)[1]
        digest = re.search("(?m)^Peer signing digest: (.*)$", said)
        kinds = {"ECDSA": "ecdsa", "RSA-PSS": "rsa_pss", "RSA": "rsa_pkcs1", "ed25519": "ed25519", "ed448": "ed448"}
        self.assertTrue(name.startswith(kinds[kind]), f"{name} is {kind}")
        if digest:
            self.assertTrue(name.endswith(digest[1].lower()), f"{name} is of {digest[1]}")
        known = {"ecdsa_secp256r1_sha256": "0x0403", "ecdsa_secp384r1_sha384": "0x0503", "ed25519": "0x0807", "ed448": "0x0808",
                 "rsa_pss_rsae_sha256": "0x0804", "rsa_pss_pss_sha256": "0x0809"}
        self.assertEqual(number, known[name])
        return name

    def test_of_a_server_are_what_others_say_of_it(self):
        names = set()
        for name in self.names:
            with self.subTest(name=name):
                pem, _ = odd(name)
                port = self.server(name)
                facts = self.shown_by_client(port, pem)
                self.check_certificate(facts, pem)
                context = ssl.create_default_context(cafile=pem)
                context.minimum_version = context.maximum_version = VERSION[self.version]
                with connect(self, port, context) as connection:
                    self.check_names(facts, connection.getpeercert())
                said = self.s_client(port, "-CAfile", pem)
                names.add(self.check_signature(facts["signature"], said))
                self.assertIn(f"Cipher is {facts['cipher'].partition(' ')[0]}", said)
                self.assertRegex(said, "(?m)^Server Temp Key: X25519, ")
                self.assertEqual(facts["group"], "x25519 (29)")
                self.assertNotIn("our signature", facts)
        self.assertLessEqual({"ecdsa_secp256r1_sha256", "rsa_pss_rsae_sha256", "rsa_pss_pss_sha256", "ed25519", "ed448"}, names)

    def test_of_a_client_are_what_others_say_of_it(self):
        everybody = certificate(f"{self.id()}.everybody")
        pathlib.Path(everybody).write_text("".join(pathlib.Path(odd(name)[0]).read_text() for name in ODD))
        for name in self.names:
            with self.subTest(name=name):
                pem, key = odd(name)
                server = Process(self, example("echo_server"), "--port", "0", "--cert", pem, "--key", key, "--client-ca", everybody,
                                 "--tls", self.version, "--show-cert", "--max", "1")
                port = int(server.stdout.wait_for(r"^listening on \S+:(\d+)\n")[1])
                said = self.s_client(port, "-CAfile", pem, "-cert", pem, "-key", key)
                self.assertEqual(server.exit_code(), 0, server.stderr.text)
                facts = shown(server.stderr.text)
                self.check_certificate(facts, pem)
                self.check_signature(facts["our signature"], said)
                self.assertEqual(facts["signature"], facts["our signature"])  # of the same key

    def test_of_a_chain_are_all_that_was_sent(self):
        server = Process(self, example("echo_server"), "--port", "0", "--cert", certificate("full.pem"), "--key",
                         certificate("full.key"), "--tls", self.version, "--max", "1", "--show-cert")
        port = int(server.stdout.wait_for(r"^listening on \S+:(\d+)\n")[1])
        got = Process(self, example("https_get"), "--show-cert", "--tls", self.version, "--ca", certificate("ca.pem"),
                      f"https://localhost:{port}/")
        got.exit_code()  # an echo is no HTTP
        facts = shown(got.stderr.text)
        self.assertEqual("".join(facts["pem"]), pathlib.Path(certificate("full.pem")).read_text())
        self.assertEqual(facts["certificates"], "2")
        server.exit_code()
        self.assertEqual(shown(server.stderr.text)["certificate"], "none")

    def test_of_a_server_that_nobody_verifies_say_what_is_wrong_with_it(self):
        for name in ("server", "selfsigned"):  # without any authority, as --insecure has it
            port = free_port()
            server = Process(self, tool("openssl", "openssl"), "s_server", "-accept", f"127.0.0.1:{port}", "-www",
                             "-cert", certificate(name + ".pem"), "-key", certificate(name + ".key"))
            server.stdout.wait_for("ACCEPT")
            got = Process(self, example("https_get"), "--show-cert", "--tls", self.version, "--insecure", "--output", "/dev/null",
                          f"https://localhost:{port}/")
            self.assertEqual(got.exit_code(), 0, got.stderr.text)
            said = self.s_client(port, "-no-CAfile", "-no-CApath", "-no-CAstore")
            with self.subTest(name=name):
                verdict = re.search(r"(?m)^verify error:num=(\d+):(.*)$", said)  # the first; it goes on after that
                self.assertEqual(shown(got.stderr.text)["verification"], f"{verdict[1]}, {verdict[2]}")
                self.assertNotEqual(verdict[1], "0")


variants(globals(), Facts, version=VERSIONS)

if __name__ == "__main__":
    unittest.main()
