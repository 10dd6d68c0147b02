"""Settings: versions, ciphers, groups and application protocols."""

import os
import unittest

from settings import row, tests

BOTH = ("both",)  # it is about versions
AES128 = "TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256"
AES256 = "TLS_AES_256_GCM_SHA384:ECDHE-ECDSA-AES256-GCM-SHA384"
CHACHA = "TLS_CHACHA20_POLY1305_SHA256:ECDHE-ECDSA-CHACHA20-POLY1305"
AES128_CHOSEN = {"1.2": "cipher=ECDHE-ECDSA-AES128-GCM-SHA256", "1.3": "cipher=TLS_AES_128_GCM_SHA256"}
CHACHA_CHOSEN = {"1.2": "cipher=ECDHE-ECDSA-CHACHA20-POLY1305", "1.3": "cipher=TLS_CHACHA20_POLY1305_SHA256"}
ECDHE = "ciphers=TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256"
RSA = "identity=rsa "  # in TLS 1.2 the key of an ECDSA certificate is held against the list of groups
GNUTLS_40 = {"gnutls server": ("server refuses ? 40", "GnuTLS sends handshake_failure where there is no common version")}

ROWS = [
    row("version, the newest of both", versions=BOTH, then="protocol=TLSv1.3"),
    row("version, the server's newest", server="max=1.2", versions=BOTH, then="protocol=TLSv1.2"),
    row("version, the client's newest", client="max=1.2", versions=BOTH, then="protocol=TLSv1.2"),
    row("version, the server's oldest is too new", server="min=1.3", client="max=1.2", versions=BOTH,
        then="server refuses EVERSION 70", differs=GNUTLS_40),
    row("version, the client's oldest is too new", server="max=1.2", client="min=1.3", versions=BOTH,
        then="server refuses EVERSION 70", differs=GNUTLS_40),

    row("cipher, the server's", server=f"ciphers={AES128}", then=AES128_CHOSEN),
    row("cipher, the client's", client=f"ciphers={CHACHA}", then=CHACHA_CHOSEN),
    row("cipher, the server's preference", server=f"ciphers={AES128}:{CHACHA}", client=f"ciphers={CHACHA}:{AES128}",
        then=AES128_CHOSEN),
    row("cipher, none in common", server=f"ciphers={AES128}", client=f"ciphers={AES256}",
        then="server refuses ECIPHER 40"),

    row("group, the server's", server=RSA + "groups=P-384", then="group=secp384r1"),
    row("group, the client's", server=RSA, client="groups=P-384", then="group=secp384r1"),
    row("group, one that nobody knows, if known", server=RSA + "groups=?NO-SUCH-GROUP:P-384", ours="server",
        then="group=secp384r1"),
    row("group, after a HelloRetryRequest", server=RSA + "groups=P-384", client="groups=X25519:P-384",
        then="group=secp384r1"),
    row("group, none in common", server=f"{RSA} groups=P-256 {ECDHE}", client=f"groups=X25519 {ECDHE}",
        then="server refuses ECIPHER 40"),

    row("signature algorithm, the client's", client="sigalgs=ecdsa_secp256r1_sha256", then=""),
    row("signature algorithm, none in common", server="sigalgs=ecdsa_secp256r1_sha256",
        client="sigalgs=rsa_pss_rsae_sha256", then="server refuses ECIPHER 40"),

    row("preset modern, of the server", server="preset=modern", ours="server", then={
        "1.2": "server refuses EVERSION 70", "1.3": "protocol=TLSv1.3"}),
    row("preset modern, of the client", server="max=1.2", client="preset=modern", ours="client", versions=BOTH,
        then="server refuses EVERSION 70", differs=GNUTLS_40),
    row("preset intermediate, of the server", server="preset=intermediate", ours="server", then=""),
    row("preset intermediate, of the client", client="preset=intermediate", ours="client", then=""),

    row("ALPN, one in common", server="alpn=h2,http/1.1", client="alpn=http/1.1", then="alpn=http/1.1"),
    row("ALPN, the server's preference", server="alpn=h2,http/1.1", client="alpn=http/1.1,h2", then="alpn=h2", differs={
        "gnutls server": ("alpn=http/1.1", "gnutls-serv goes by the client's preference")}),
    row("ALPN, none in common", server="alpn=h2", client="alpn=echo", then="server refuses EALPN 120", differs={
        "python server": ("alpn=''", "Python's ssl goes on without one")}),
    row("ALPN, the server's alone", server="alpn=h2", then="alpn=''"),
    row("ALPN, the client's alone", client="alpn=h2", then="alpn=''"),
    row("ALPN, none in common, lenient", server="alpn=h2 alpn_policy=lenient", client="alpn=echo", ours="server",
        then="alpn=''"),
    row("ALPN, required of the client", server="alpn=h2 alpn_policy=required", ours="server",
        then="server refuses EALPN 120"),
    row("ALPN, required of the client, one in common", server="alpn=h2 alpn_policy=required", client="alpn=h2",
        ours="server", then="alpn=h2"),
    row("ALPN, required of the server", client="alpn=h2 alpn_policy=required", ours="client",
        then="client refuses EALPN -1", cannot={"gnutls server": "gnutls-serv says nothing of who leaves in silence"}),
]

# What only an OpenSSL newer than 3.0 knows: Tests/newer-openssl.
if "TLSMEM_LOADER" in os.environ:
    OLD = {f"{peer} {side}": "it is older than this group"
           for peer in ("gnutls", "python", "nss") for side in ("client", "server")}
    ROWS += [
        row("group, post-quantum by itself", versions=("1.3",), then="group=x25519mlkem768", cannot=OLD),
        row("group, post-quantum", server="groups=X25519MLKEM768", client="groups=X25519MLKEM768", versions=("1.3",),
            then="group=x25519mlkem768", cannot=OLD),
    ]

tests(globals(), ROWS)

if __name__ == "__main__":
    unittest.main()
