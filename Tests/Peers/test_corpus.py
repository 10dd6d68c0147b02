"""What others say of the chains of Tests/corpus: Python's ssl in a handshake, and GnuTLS's certtool.

What our own library says is in Tests/Conformance/trust_corpus.c. Where the others do not agree with it, the manifest tells
what they say instead, and why; or why they cannot be asked.
"""

import atexit
import functools
import pathlib
import ssl
import subprocess
import tempfile
import unittest

from support import HERE, LIMIT, tool

FIELDS = ("case", "verifier", "settings", "status", "result", "depth", "alert", "openssl", "gnutls", "reason")
PROFILE = {"1": "low", "2": "medium", "3": "high"}  # what GnuTLS calls OpenSSL's security levels
PURPOSE = {"client": "1.3.6.1.5.5.7.3.1", "server": "1.3.6.1.5.5.7.3.2"}  # what the other side has to be, of RFC 5280


@functools.cache
def corpus():
    """Makes the corpus, once for the run; returns its folder."""
    folder = tempfile.TemporaryDirectory(prefix="tlsmem-corpus-")
    atexit.register(folder.cleanup)
    subprocess.run([HERE.parent / "corpus", folder.name], check=True, timeout=LIMIT, capture_output=True)
    return pathlib.Path(folder.name)


def rows():
    """Returns the lines of the manifest, by the names of their fields."""
    for line in (corpus() / "manifest.tsv").read_text().splitlines():
        if not line.startswith("#"):
            row = dict(zip(FIELDS, ("" if field == "." else field for field in line.split("\t")), strict=True))
            row["settings"] = dict(word.split("=") for word in row["settings"].split(" ") if word != "-")
            yield row


def judge(row):
    """Returns a context of Python's that looks at a peer as the row says."""
    settings = row["settings"]
    by_client = row["verifier"] == "client"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT if by_client else ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(f"DEFAULT:@SECLEVEL={settings.get('level', 2)}")
    if not by_client:
        context.load_cert_chain(corpus() / "good.pem", corpus() / "good.key")
    if settings.get("verify") == "off":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    context.verify_mode = ssl.CERT_REQUIRED
    if settings.get("ca"):
        context.load_verify_locations(corpus() / settings["ca"])
    if "crl" in settings:
        context.load_verify_locations(corpus() / settings["crl"])
    check = settings.get("crl_check", "chain" if "crl" in settings else "none")
    if check != "none":
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF if check == "leaf" else ssl.VERIFY_CRL_CHECK_CHAIN
    if "partial" in settings:
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def shower(row):
    """Returns a context that shows the chain of the row."""
    by_client = row["verifier"] == "server"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT if by_client else ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(corpus() / f"{row['case']}.pem", corpus() / f"{row['case']}.key")
    if by_client:
        context.load_verify_locations(corpus() / "root.pem")
    return context


def verdict_of_openssl(row):
    """Returns the verify_result of a handshake in memory, 0 when it was done."""
    client, server = (judge(row), shower(row)) if row["verifier"] == "client" else (shower(row), judge(row))
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    host = row["settings"].get("host", "server.example")
    ends = [client.wrap_bio(down, up, server_hostname=host), server.wrap_bio(up, down, server_side=True)]
    for _ in range(4):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLCertVerificationError as error:
                return error.verify_code
    for end in ends:
        end.do_handshake()  # done already, or it says why not
    return 0


def gnutls_takes(row):
    """Returns whether certtool takes the chain."""
    settings, words = row["settings"], []
    if row["verifier"] == "client":
        words += ["--verify-hostname", settings["host"]]
    if "crl" in settings and settings.get("crl_check") != "none":
        words += ["--load-crl", corpus() / settings["crl"]]
    done = subprocess.run(
        [tool("certtool", "gnutls-bin"), "--verify", "--load-ca-certificate", corpus() / settings["ca"], "--infile",
         corpus() / f"{row['case']}.pem", "--verify-purpose", PURPOSE[row["verifier"]],
         "--verify-profile", PROFILE[settings.get("level", "2")], *words],
        capture_output=True, timeout=LIMIT, check=False)
    return done.returncode == 0


class Corpus(unittest.TestCase):
    def test_openssl_agrees_or_the_manifest_says_why_not(self):
        asked = 0
        for row in rows():
            if row["openssl"] == "-":
                continue
            with self.subTest(row["case"]):
                asked += 1
                self.assertEqual(verdict_of_openssl(row), int(row["openssl"] or row["result"]), row["reason"])
        self.assertGreater(asked, 120)

    def test_gnutls_agrees_or_the_manifest_says_why_not(self):
        asked = 0
        for row in rows():
            if row["gnutls"] == "-":
                continue
            with self.subTest(row["case"]):
                asked += 1
                takes = row["gnutls"] == "takes" if row["gnutls"] else row["status"] == "TLSMEM_OK"
                self.assertEqual(gnutls_takes(row), takes, row["reason"])
        self.assertGreater(asked, 120)

    def test_every_difference_has_a_reason(self):
        for row in rows():
            with self.subTest(row["case"]):
                self.assertEqual(bool(row["openssl"] or row["gnutls"]), bool(row["reason"]))


if __name__ == "__main__":
    unittest.main()
