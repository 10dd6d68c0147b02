"""Settings: whom we trust."""

import unittest

from settings import ASKS, row, tests

UNFIT = "tstclnt shows no certificate that is not for clients"

ROWS = [
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

    row("revocation list, without the server", client="crl=client", ours="client", then=""),
    row("revocation list, with the server", client="crl=server", ours="client", then="client refuses EVERIFY 44"),
    row("revocation list, with the server, not looked at", client="crl=server crl_check=none", ours="client", then=""),
    row("revocation list, without the client", server=ASKS + " crl=server", client="identity=client", ours="server",
        then="server.subject='CN=test client'"),
    row("revocation list, with the client", server=ASKS + " crl=client", client="identity=client", ours="server",
        then="server refuses EVERIFY 44"),
    row("revocation list from memory, without it", client="crl_mem=client", ours="client", then=""),
    row("revocation list from memory, with it", client="crl_mem=server", ours="client",
        then="client refuses EVERIFY 44"),
    row("revocation list from memory, with the client", server=ASKS + " crl_mem=client", client="identity=client",
        ours="server", then="server refuses EVERIFY 44"),
    row("pinned key", client="pin=server", ours="client", then=""),
    row("pinned key, another", client="pin=rsa", ours="client", then="client refuses EPIN 46"),
    row("pinned key, of a client", server=ASKS + " pin=client", client="identity=client", ours="server",
        then="server.subject='CN=test client'"),
    row("pinned key, of another client", server=ASKS + " pin=server", client="identity=client", ours="server",
        then="server refuses EPIN 46"),
    row("depth, enough", server="identity=full", client="depth=1", ours="client", then=""),
    row("depth, too little", server="identity=full", client="depth=0", ours="client", then="client refuses EVERIFY 48"),
    row("partial chain", server="identity=full", client="ca=intermediate partial_chain=1", ours="client", then=""),
    row("partial chain, not allowed", server="identity=full", client="ca=intermediate", ours="client",
        then="client refuses EVERIFY 48"),
    row("purpose, any", server="identity=purpose", client="purpose=any", ours="client", then=""),
    row("security level 3, ECDSA P-256", client="security_level=3", ours="client", then=""),
    row("security level 3, RSA 2048", server="identity=rsa", client="security_level=3", ours="client", then={
        "1.2": "client refuses EVERIFY 42", "1.3": "client refuses EVERIFY 42"}),
    row("authorities that a server accepts", server=ASKS + " accepted_ca=ca", client="identity=client", ours="server",
        then="server.subject='CN=test client' others.accepted='tlsmem test authority'"),
    row("authorities that a server accepts, another", server=ASKS + " accepted_ca=other-ca", client="identity=client",
        ours="server", then="server.subject='CN=test client' others.accepted='another test authority'"),
    row("authorities that a server accepts, memory", server=ASKS + " accepted_ca_mem=other-ca",
        client="identity=client", ours="server",
        then="server.subject='CN=test client' others.accepted='another test authority'"),

    row("certificate list too long", client="cert_list_max=100", ours="client", then="client refuses ELIMIT 47"),
    row("certificate list of a client too long", server=ASKS + " cert_list_max=100", client="identity=client",
        ours="server", then="server refuses ELIMIT 47"),
]

tests(globals(), ROWS)

if __name__ == "__main__":
    unittest.main()
