"""Settings: who we are."""

import unittest

from settings import row, tests

# In TLS 1.3 the ciphers say nothing of certificates.
RSA_ONLY = "sigalgs=rsa_pss_rsae_sha256 ciphers=TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256"
NO_LIST = {"python client": "Python's ssl has no setting for signature algorithms"}

ROWS = [
    row("certificate ECDSA", then="client.subject=CN=localhost server.subject=''"),
    row("certificate RSA", server="identity=rsa", then="client.subject=CN=localhost"),
    row("certificate and key from memory", server="-identity identity_mem=server", ours="server",
        then="client.subject=CN=localhost"),
    row("certificate and key in DER", server="-identity identity_der=server", ours="server",
        then="client.subject=CN=localhost"),
    row("certificate with a locked key", server="-identity password=secret identity_locked=server", ours="server", then=""),
    row("certificate and key in PKCS#12", server="-identity identity_pkcs12=rsa", ours="server", then=""),
    row("certificate and key in PKCS#12, from memory", server="-identity identity_pkcs12_mem=rsa", ours="server",
        then="client.subject=CN=localhost"),
    row("certificates RSA and ECDSA, RSA wanted", server="keypair=,rsa", client=RSA_ONLY, ours="server", then={
        "1.2": "cipher=ECDHE-RSA-AES128-GCM-SHA256", "1.3": ""}, cannot=NO_LIST),
    row("certificates RSA and ECDSA, ECDSA wanted", server="keypair=,rsa", client="sigalgs=ecdsa_secp256r1_sha256",
        ours="server", then="", cannot=NO_LIST),
    row("certificates from memory, RSA wanted", server="keypair_mem=,rsa", client=RSA_ONLY, ours="server",
        then="server.own_signature=rsa_pss_rsae_sha256", cannot=NO_LIST),
    row("certificate by name", server="keypair=other.example,wronghost", client="name=other.example", ours="server",
        then="client.subject=CN=other.example server.sni=other.example"),
    row("certificate by name, from memory", server="keypair_mem=other.example,wronghost", client="name=other.example",
        ours="server", then="client.subject=CN=other.example server.sni=other.example"),
    row("certificate by name, of a wildcard", server="keypair=*.b.example,b-wild", client="name=any.b.example", ours="server",
        then="server.sni=any.b.example"),
    row("certificate by name, another name", server="keypair=other.example,wronghost", ours="server",
        then="client.subject=CN=localhost"),
    row("certificate by name, no name", server="keypair=other.example,wronghost", client="name=127.0.0.1", ours="server",
        then="client.subject=CN=localhost"),
    row("certificate by name, another name, strict", server="keypair=other.example,wronghost sni_strict=1", ours="server",
        then="server refuses ENOIDENTITY 112"),
    row("certificate with its chain", server="identity=full", then="client.subject=CN=localhost"),
    row("certificate whose chain is missing", server="identity=chained", then="client refuses EVERIFY 48"),
    row("certificate of nobody", server="identity=selfsigned", then="client refuses EVERIFY 48", differs={
        "nss client": ("client refuses ? 42", "for NSS it has an issuer, which is no authority")}),
    row("certificate that has expired", server="identity=expired", then="client refuses EEXPIRED 45"),
    row("certificate that is not valid yet", server="identity=future", then="client refuses EEXPIRED 45", differs={
        **dict.fromkeys(("openssl client", "python client"), ("client refuses EEXPIRED 42", "OpenSSL sends bad_certificate")),
        "nss client": ("", "NSS allows clocks to differ by a day")}),
    row("certificate for clients only", server="identity=purpose", then="client refuses EVERIFY 43"),
]

tests(globals(), ROWS)

if __name__ == "__main__":
    unittest.main()
