"""Settings: who we are, and whom we trust."""

import unittest

from settings import row, tests

ASKS = "verify=required ca=ca"

# In TLS 1.3 the ciphers say nothing of certificates.
RSA_ONLY = "sigalgs=rsa_pss_rsae_sha256 ciphers=TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256"
NO_LIST = {"python client": "Python's ssl has no setting for signature algorithms"}
UNFIT = "tstclnt shows no certificate that is not for clients"

ROWS = [
    row("certificate ECDSA", then="client.subject=CN=localhost server.subject=''"),
    row("certificate RSA", server="identity=rsa", then="client.subject=CN=localhost"),
    row("certificate and key from memory", server="-identity identity_mem=server", ours="server",
        then="client.subject=CN=localhost"),
    row("certificate and key in DER", server="-identity identity_der=server", ours="server",
        then="client.subject=CN=localhost"),
    row("certificate with a locked key", server="-identity password=secret identity_locked=server", ours="server", then=""),
    row("certificate and key in PKCS#12", server="-identity identity_pkcs12=rsa", ours="server", then=""),
    row("certificates RSA and ECDSA, RSA wanted", server="keypair=,rsa", client=f"{RSA_ONLY}", ours="server", then={
        "1.2": "cipher=ECDHE-RSA-AES128-GCM-SHA256", "1.3": ""}, cannot=NO_LIST),
    row("certificates RSA and ECDSA, ECDSA wanted", server="keypair=,rsa", client="sigalgs=ecdsa_secp256r1_sha256",
        ours="server", then="", cannot=NO_LIST),
    row("certificate by name", server="keypair=other.example,wronghost", client="name=other.example", ours="server",
        then="client.subject=CN=other.example server.sni=other.example"),
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
    row("certificate that is not valid yet", server="identity=future", then="client refuses EEXPIRED 42", differs={
        "nss client": ("", "NSS allows clocks to differ by a day")}),
    row("certificate for clients only", server="identity=purpose", then="client refuses EVERIFY 43"),

    row("authority unknown", client="ca=other-ca", then="client refuses EVERIFY 48"),
    row("authority from a folder", client="-ca ca_dir=ca", ours="client", then=""),
    row("authority from a folder, unknown", client="-ca ca_dir=other-ca", ours="client", then="client refuses EVERIFY 48"),
    row("authority from memory", client="-ca ca_mem=ca", ours="client", then=""),
    row("authority from memory, unknown", client="-ca ca_mem=other-ca", ours="client", then="client refuses EVERIFY 48"),
    row("authority of the system", client="-ca ca_system=ca", ours="client", then=""),
    row("authority of the system, unknown", client="-ca ca_system=other-ca", ours="client",
        then="client refuses EVERIFY 48"),
    row("verification off", client="-ca insecure", server="identity=selfsigned", then="client.subject=CN=localhost"),

    row("host name", client="name=localhost", then="server.sni=localhost"),
    row("host name, another", client="name=other.example", then="client refuses EHOST 42"),
    row("host name, certificate for another", server="identity=wronghost", then="client refuses EHOST 42"),
    row("IPv4 address", client="name=127.0.0.1", then="server.sni=''"),
    row("IPv4 address, another", client="name=127.0.0.2", then="client refuses EHOST 42"),
    row("IPv6 address", client="name=::1", then="server.sni=''"),
    row("IPv6 address, another", client="name=::2", then="client refuses EHOST 42"),

    row("client certificate, not asked for", client="identity=client", then="server.subject=''"),
    row("client certificate, required", server=ASKS, client="identity=client", then="server.subject='CN=test client'"),
    row("client certificate, required, none", server=ASKS, then={
        "1.2": "server refuses ENOCERT 40 EALERT", "1.3": "server refuses ENOCERT 116"}, differs={
        "gnutls server 1.2": ("server refuses ? 50", "gnutls-serv sends decode_error where there is no certificate")}),
    row("client certificate, required, a stranger's", server=ASKS, client="identity=stranger",
        then="server refuses EVERIFY 48"),
    row("client certificate, required, expired", server=ASKS, client="identity=expired-client",
        then="server refuses EEXPIRED 45"),
    row("client certificate, required, a server's", server=ASKS, client="identity=server",
        then="server refuses EVERIFY 43", differs={
            "gnutls server": ("server.subject=''", "gnutls-serv takes certificates of servers"),
            "nss client 1.2": ("server refuses ENOCERT 40 EALERT", UNFIT),
            "nss client 1.3": ("server refuses ENOCERT 116", UNFIT)}),
    row("client certificate, optional", server="verify=optional ca=ca", client="identity=client",
        then="server.subject='CN=test client'"),
    row("client certificate, optional, none", server="verify=optional ca=ca", then="server.subject=''"),
    row("client certificate, optional, a stranger's", server="verify=optional ca=ca", client="identity=stranger",
        then="server refuses EVERIFY 48"),

    row("certificate list too long", client="cert_list_max=100", ours="client", then="client refuses ELIMIT 47"),
    row("certificate list of a client too long", server=ASKS + " cert_list_max=100", client="identity=client",
        ours="server", then="server refuses ELIMIT 47"),
]

tests(globals(), ROWS)

if __name__ == "__main__":
    unittest.main()
