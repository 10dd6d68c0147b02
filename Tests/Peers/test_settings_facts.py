"""What a connection tells of itself and of the peer's certificate, held against what others say of both."""

import datetime
import shlex
import subprocess
import unittest

from settings import ASKS, LATE, row, tests
from settings_peers import openssl
from support import LIMIT, certificate

AES128 = "ciphers=TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256"
CHACHA = "ciphers=TLS_CHACHA20_POLY1305_SHA256:ECDHE-ECDSA-CHACHA20-POLY1305"
ECDSA, PSS = "ecdsa_secp256r1_sha256", "rsa_pss_rsae_sha256"
UNSIGNED = "{0}.signature='' {0}.signature_id=0 {1}.own_signature='' {1}.own_signature_id=0"
ALL_NAMES = "san=DNS:localhost,IP:127.0.0.1,IP:::1"


def signed(name, number, by="server", to="client"):
    """What both sides say of a signature."""
    return f"{to}.signature={name} {to}.signature_id={number} {by}.own_signature={name} {by}.own_signature_id={number}"


def seconds(date):
    """Returns a date as openssl writes it, "Nov 21 21:27:21 2026 GMT", in seconds since 1970."""
    moment = datetime.datetime.strptime(date, "%b %d %H:%M:%S %Y GMT")
    return int(moment.replace(tzinfo=datetime.timezone.utc).timestamp())


def of(name, side, more=""):
    """Returns what makes the facts that a side has to have of a certificate, which is there when the table runs."""
    def facts():
        said = subprocess.run(
            [*openssl(), "x509", "-in", certificate(name + ".pem"), "-noout", "-nameopt", "RFC2253", "-subject", "-issuer",
             "-serial", "-startdate", "-enddate", "-fingerprint", "-sha256"],
            check=True, timeout=LIMIT, capture_output=True, text=True).stdout
        is_so = dict(line.partition("=")[::2] for line in said.splitlines())
        wanted = {
            "subject": is_so["subject"], "issuer": is_so["issuer"], "serial": is_so["serial"],
            "not_before": seconds(is_so["notBefore"]), "not_after": seconds(is_so["notAfter"]),
            "sha256": is_so["sha256 Fingerprint"].replace(":", ""), "verified": 0}
        return " ".join([f"{side}.{fact}={shlex.quote(str(value))}" for fact, value in wanted.items()] + [more])
    return facts


ROWS = [
    row("number of the cipher", server=AES128, then={"1.2": "cipher_id=49195", "1.3": "cipher_id=4865"}),
    row("number of the cipher, another", server=CHACHA, then={"1.2": "cipher_id=52393", "1.3": "cipher_id=4867"}),
    row("number of the group", client="groups=X25519", server="identity=rsa", then="group=x25519 group_id=29"),
    row("number of the group, another", client="groups=P-384", server="identity=rsa", then="group=secp384r1 group_id=24"),

    row("signature of the server, ECDSA", server="sigalgs=" + ECDSA,
        then=signed(ECDSA, 1027) + " server.signature='' client.own_signature=''"),
    row("signature of the server, RSA", server="identity=rsa sigalgs=" + PSS, then=signed(PSS, 2052)),
    row("signature of the client", server=f"{ASKS} sigalgs={ECDSA}", client="identity=client",
        then=signed(ECDSA, 1027) + " " + signed(ECDSA, 1027, by="client", to="server")),
    row("signature, resumed: none", client="again=1",
        then="resumed=1 " + UNSIGNED.format("client", "server"), cannot=LATE),

    row("exporter and channel bindings", then={"1.2": "bindings=4", "1.3": "bindings=3"}),
    row("exporter and channel bindings, an RSA key", server="identity=rsa", then={"1.2": "bindings=4", "1.3": "bindings=3"}),
    row("exporter and channel bindings, resumed", client="again=1",
        then={"1.2": "client.bindings=4 server.bindings=3", "1.3": "client.bindings=3 server.bindings=2"}, cannot=LATE),

    row("certificate of the server, what is in it", then=of("server", "client", "client." + ALL_NAMES)),
    row("certificate of the server, with its chain", server="identity=full",
        then=of("full", "client", "client." + ALL_NAMES)),
    row("certificate of the server, resumed", client="again=1",
        then=of("server", "client", f"resumed=1 client.{ALL_NAMES}"), cannot=LATE),
    row("certificate of the client, what is in it", server=ASKS, client="identity=client",
        then=of("client", "server", "server.san=''")),
    row("certificate of the client, none", then="server.serial='' server.issuer='' server.san='' server.sha256='' "
        "server.not_after=0 server.verified=-1"),
    row("verification off, a good certificate", client="insecure", ours="client", then="client.verified=0"),
    row("verification off, of nobody", client="insecure", server="identity=selfsigned", ours="client",
        then="client.verified=18"),
    row("verification off, unknown authority", client="insecure ca=other-ca", ours="client", then="client.verified=20"),
    row("verification off, for another name", client="insecure name=other.example", ours="client",
        then="client.verified=62"),
]

tests(globals(), ROWS)

if __name__ == "__main__":
    unittest.main()
