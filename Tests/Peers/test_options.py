"""The options that stand for a setter each: what each of them lets in that was refused without it, or the other way round."""

import functools
import hashlib
import pathlib
import re
import subprocess
import tempfile
import unittest

from support import HERE, LIMIT, Process, Server, certificate, example, identity, tool

SETTINGS = HERE.parent.parent / "examples-c" / "settings.c"


def openssl(*words, **rest):
    return subprocess.run([tool("openssl", "openssl"), *words], check=True, timeout=LIMIT, capture_output=True, **rest).stdout


def s_client(port, *options):
    """Returns what openssl says of a connection that it ends at once."""
    return subprocess.run([tool("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{port}", *options], check=False,
                          timeout=LIMIT, capture_output=True, stdin=subprocess.DEVNULL).stdout


@functools.cache
def made():
    """Makes what only these tests need; returns its folder. A list of "ca" names server.pem; that of "intermediate" nobody."""
    keep = tempfile.TemporaryDirectory(prefix="tlsmem-options-")
    folder = pathlib.Path(keep.name)
    made.keep = keep
    (folder / "password").write_text("secret\nand a second line\n")
    (folder / "wrong").write_text("wrong\n")
    openssl("pkey", "-in", certificate("server.key"), "-aes256", "-passout", "pass:secret", "-out", folder / "locked.key")
    openssl("pkcs12", "-export", "-in", certificate("server.pem"), "-inkey", certificate("server.key"), "-passout", "pass:secret",
            "-out", folder / "server.p12")
    for name, revoked in (("ca", ["server.pem"]), ("intermediate", [])):
        (folder / "index").write_text("")
        (folder / "cnf").write_text(f"[ca]\ndefault_ca = a\n[a]\ndatabase = {folder}/index\ndefault_md = sha256\ndefault_crl_days = 2\n")
        issuer = ["ca", "-config", folder / "cnf", "-cert", certificate(name + ".pem"), "-keyfile", certificate(name + ".key")]
        for pem in revoked:
            openssl(*issuer, "-revoke", certificate(pem))
        openssl(*issuer, "-gencrl", "-out", folder / (name + ".crl"))
    for name in ("ca", "other-ca"):
        (folder / name).mkdir()
        (folder / name / "it.pem").write_bytes(pathlib.Path(certificate(name + ".pem")).read_bytes())
        openssl("rehash", folder / name)
    return folder


def pin(name):
    """Returns the option that pins the key of a certificate."""
    public = openssl("x509", "-in", certificate(name + ".pem"), "-noout", "-pubkey")
    return ["--pin", hashlib.sha256(openssl("pkey", "-pubin", "-outform", "DER", input=public)).hexdigest()]


class Talking(unittest.TestCase):
    """What tests of options share: an echo server and a client, with options, and what comes of it."""

    def talk(self, server=(), client=(), ca="ca.pem", files="server"):
        """Has a client get one byte back. Returns the client's exit code, and what both said."""
        echo = Server(self, "echo_server", "--verbose", "--max", "1", *server, certificate=files)
        trust = ["--ca", certificate(ca)] if ca else []
        relay = Process(self, example("relay_client"), "--host", "localhost", "--port", echo.port, *trust, *client)
        relay.feed(b"x")
        code = relay.exit_code()
        self.assertEqual(relay.stdout.text, "x" if code == 0 else "")
        return code, relay.stderr.text + echo.stderr.text if echo.exit_code() == 0 else "the server failed"

    def accepted(self, *options, **how):
        code, said = self.talk(*options, **how)
        self.assertEqual((code, said), (0, ""))

    def refused(self, sentence, *options, **how):
        code, said = self.talk(*options, **how)
        self.assertEqual(code, 3, said)
        self.assertRegex(said, sentence)

    def ends(self, code, sentence, program, *options):
        ended = Process(self, example(program), *options)
        self.assertEqual(ended.exit_code(), code, ended.stderr.text)
        self.assertRegex(ended.stderr.text, rf"(?m)^{program}: .*{sentence}")
        return ended


class Options(Talking):
    def test_every_option_of_the_table_is_in_a_test_and_in_the_help(self):
        names = re.findall(r'^    \{ "([a-z-]+)", ', SETTINGS.read_text(encoding="utf-8"), re.MULTILINE)
        self.assertGreater(len(names), 15)
        modules = "options", "options_asked", "negotiation", "names", "ocsp", "early_data", "fleet", "tickets", "mid_stream", "trace"
        tests = "".join((HERE / f"test_{name}.py").read_text(encoding="utf-8") for name in modules)
        text = Process(self, example("echo_server"), "--help")
        self.assertEqual(text.exit_code(), 0)
        for name in names:
            with self.subTest(name=name):
                self.assertIn(f'"--{name}"', tests)
                self.assertRegex(text.stdout.text, rf"(?m)^  --{name} ")

    def test_a_password_opens_a_key(self):
        locked = ["--port", "0", "--cert", certificate("server.pem"), "--key", made() / "locked.key"]
        self.ends(3, "locked.key: .*password", "echo_server", *locked)
        self.ends(3, "locked.key: ", "echo_server", *locked, "--password-file", made() / "wrong")
        missing = self.ends(3, "locked.key: ", "echo_server", *locked, "--password-file", "/no/such/file")
        self.assertIn("--password-file: /no/such/file: No such file", missing.stderr.text)
        server = Process(self, example("echo_server"), *locked, "--password-file", made() / "password")
        server.stdout.wait_for(r"^listening on ")

    def test_pkcs12_stands_for_a_certificate_and_a_key(self):
        container = ["--port", "0", "--pkcs12", made() / "server.p12"]
        self.ends(3, "server.p12: .*password", "echo_server", *container)
        self.ends(3, "server.key: ", "echo_server", "--port", "0", "--pkcs12", certificate("server.key"))
        for program, *more in (["echo_server"], ["tls_proxy", "--upstream", "127.0.0.1:9"]):
            server = Process(self, example(program), *container, "--password-file", made() / "password", *more)
            port = int(server.stdout.wait_for(r"^listening on \S+:(\d+)\n")[1])
            self.assertRegex(s_client(port, "-CAfile", certificate("ca.pem")), rb"CN ?= ?localhost\n(?s:.*)Verify return code: 0")

    def test_sni_strict_refuses_another_name(self):
        other = ["--keypair", f"other.example={certificate('wronghost.pem')},{certificate('wronghost.key')}"]
        self.accepted(other)
        self.refused("alert 112|unrecognized", [*other, "--sni-strict"])

    def test_ca_dir_is_whom_a_client_trusts(self):
        self.accepted(client=["--ca-dir", made() / "ca"], ca=None)
        self.refused("not trusted", client=["--ca-dir", made() / "other-ca"], ca=None)

    def test_accepted_ca_is_whose_certificates_are_asked_for(self):
        for options, name in (([], b"tlsmem test authority"), (["--accepted-ca", certificate("other-ca.pem")], b"another test authority")):
            server = Server(self, "echo_server", "--client-ca", certificate("ca.pem"), *options)
            names = s_client(server.port, "-tls1_3").partition(b"Acceptable client certificate CA names")[2].partition(b"Requested")[0]
            self.assertRegex(names, rb"\A\n\S* ?CN ?= ?" + name + rb"\n\Z")

    def test_client_verify_says_whether_clients_must_have_a_certificate(self):
        trusts = ["--client-ca", certificate("ca.pem")]
        self.refused("certificate", trusts)
        for optional in ([*trusts, "--client-verify", "optional"], ["--ca", certificate("ca.pem")]):
            self.accepted(optional)
            self.accepted(optional, identity("client"))
            self.refused("not trusted", optional, identity("stranger"))
        self.accepted([*trusts, "--client-verify", "none"], identity("stranger"))
        by_directory = ["--ca-dir", made() / "ca", "--client-verify", "required"]
        self.refused("certificate", by_directory)
        self.accepted(by_directory, identity("client"))

    def test_crl_names_whom_not_to_believe(self):
        lists = ["--crl", made() / "ca.crl"]
        self.accepted()
        self.refused("revoked", client=lists)
        self.accepted(client=[*lists, "--crl-check", "none"])
        self.refused("(?i)CRL|revocation list", client=["--crl-check", "leaf"])  # there is none

    def test_crl_check_says_how_far_up(self):
        lists = ["--crl", made() / "intermediate.crl"]  # and none of the authority above it
        self.accepted(client=[*lists, "--crl-check", "leaf"], files="full")
        self.refused("(?i)CRL|revocation list", client=[*lists, "--crl-check", "chain"], files="full")
        self.accepted(client=[*lists, "--crl", made() / "ca.crl", "--crl-check", "chain"], files="full")

    def test_verify_depth_is_how_many_stand_between(self):
        self.accepted(client=["--verify-depth", "1"], files="full")
        self.refused("too long", client=["--verify-depth", "0"], files="full")

    def test_partial_chain_ends_at_an_authority_between(self):
        self.refused("not trusted|issuer", ca="intermediate.pem", files="full")
        self.accepted(client=["--partial-chain"], ca="intermediate.pem", files="full")

    def test_a_certificate_for_another_purpose_is_insecure(self):
        self.refused("purpose", files="purpose")
        self.accepted(client=["--insecure-any-purpose"], files="purpose")

    def test_the_security_level_is_the_least_strength_of_keys(self):
        self.accepted(files="rsa")
        self.refused("key too weak", client=["--security-level", "3"], files="rsa")
        self.ends(3, "rsa.key: .*ee key too small", "echo_server", "--port", "0", *identity("rsa"), "--security-level", "3")

    def test_a_pin_is_asked_for_in_addition_or_alone(self):
        self.accepted(client=pin("server"))
        self.accepted(client=[*pin("client"), *pin("server")])
        self.refused("pin", client=pin("client"))
        self.accepted(client=["--insecure", *pin("server")], files="server", ca=None)
        self.refused("pin", client=["--insecure", *pin("client")], ca=None)
        self.accepted(pin("client"), identity("client"))
        self.refused("pin", pin("client"), identity("stranger"))

    def test_signature_algorithms_are_all_that_is_taken(self):
        self.accepted(client=["--signature-algorithms", "ecdsa_secp256r1_sha256"])
        self.refused("no common", client=["--signature-algorithms", "rsa_pss_rsae_sha256"])

    def test_alpn_policy_decides_without_one_in_common(self):
        ours, theirs = ["--alpn", "h2"], ["--alpn", "echo"]
        self.refused("protocol", [*ours, "--alpn-policy", "strict"], theirs)
        self.accepted([*ours, "--alpn-policy", "lenient"], theirs)
        self.accepted(ours)
        self.refused("protocol", [*ours, "--alpn-policy", "required"])

    def test_tickets_are_counted(self):
        for count in (0, 3):
            server = Server(self, "echo_server", "--greeting", "hello", "--tickets", count)
            client = Process(self, tool("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{server.port}", "-tls1_3")
            client.stdout.wait_for("hello")
            self.assertEqual(client.stdout.text.count("New Session Ticket arrived"), count)

    def test_renegotiation_is_refused_unless_allowed(self):
        for options in ([], ["--renegotiation", "always"]):
            server = Server(self, "echo_server", "--greeting", "hello", *options)
            client = Process(self, tool("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{server.port}", "-tls1_2")
            client.stdout.wait_for("hello")
            client.write(b"R\n")
            if options:
                client.stderr.wait_for(r"(?s)RENEGOTIATING.*verify return")
                client.write(b"after\n")
                client.stdout.wait_for("after")
            else:
                client.stderr.wait_for("(?i)no renegotiation")

    def test_a_value_that_is_none_is_code_1_and_a_sentence(self):
        for program in ("echo_server", "relay_client", "https_get", "tls_proxy", "memory_pair", "starttls"):
            for option, value in (("--crl-check", "some"), ("--crl-check", ""), ("--crl-check", "lea"), ("--alpn-policy", "strict|lenient"),
                                  ("--preset", "old"), ("--renegotiation", "twice"), ("--client-verify", "yes"), ("--insecure-accept", "0"), ("--tls", "1"), ("--verify-depth", "101"), ("--verify-depth", "-1"),
                                  ("--security-level", "0"), ("--security-level", "6"), ("--tickets", "17"), ("--tickets", "many")):
                with self.subTest(program=program, option=option, value=value):
                    self.ends(1, f"{option}: ", program, option, value)

    def test_a_pin_or_pair_that_is_none_is_code_1_and_a_sentence(self):
        for value in ("", "00", "g" * 64, "0" * 63, "0" * 65):
            self.ends(1, "--pin: .* is not 64", "echo_server", "--port", "0", *identity(), "--pin", value)
        self.ends(1, "--keypair: .* is not NAME", "echo_server", "--port", "0", *identity(), "--keypair", "a=b")
        self.ends(1, "--[a-z-]+: 128 settings", "echo_server", *(["--tickets", "1"] * 129))

    def test_a_file_that_is_none_is_code_3_and_a_sentence(self):
        for option in ("--crl", "--accepted-ca", "--client-ca", "--pkcs12"):
            for path in ("/no/such/file", certificate("server.key")):
                self.ends(3, path, "echo_server", "--port", "0", *identity(), option, path)

    def test_what_only_servers_have_is_refused_by_clients(self):
        for option in (["--sni-strict"], ["--client-ca", certificate("ca.pem")], ["--client-verify", "required"],
                       ["--client-verify", "none"], ["--sites", "/"]):
            for program in ("relay_client", "https_get"):
                self.ends(1, f"{option[0]}: ", program, *option, *(["https://localhost/"] if program == "https_get" else []))
        self.ends(1, "--client-ca: ", "tls_proxy", "--mode", "client", "--upstream", "127.0.0.1:9", "--client-ca", certificate("ca.pem"))
        self.ends(1, "--keypair: ", "relay_client", "--keypair", f"a.example={certificate('server.pem')},{certificate('server.key')}")
        self.ends(3, "only a server", "relay_client", "--accepted-ca", certificate("ca.pem"))


if __name__ == "__main__":
    unittest.main()
