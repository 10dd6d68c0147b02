"""Settings: what the program is asked in a handshake, and what it is told of one."""

import unittest

from settings import ASKS, LATE, row, tests

VERSION_OFFERED = {"1.2": "server.hello_version=771", "1.3": "server.hello_version=772"}

# The messages of a handshake as the server has them; the client has them the other way round. GnuTLS's server would have
# its own group, P-256, by a HelloRetryRequest.
MESSAGES = {
    "1.2": "<ClientHello,>ServerHello,>Certificate,>ServerKeyExchange,>ServerHelloDone,<ClientKeyExchange,<Finished,"
           ">Finished",
    "1.3": "<ClientHello,>ServerHello,>EncryptedExtensions,>Certificate,>CertificateVerify,>Finished,<Finished"}
WITH_CLIENTS = {
    "1.2": "<ClientHello,>ServerHello,>Certificate,>ServerKeyExchange,>CertificateRequest,>ServerHelloDone,<Certificate,"
           "<ClientKeyExchange,<CertificateVerify,<Finished,>Finished",
    "1.3": "<ClientHello,>ServerHello,>EncryptedExtensions,>CertificateRequest,>Certificate,>CertificateVerify,>Finished,"
           "<Certificate,<CertificateVerify,<Finished"}


def trace(side, messages):
    turned = str.maketrans("<>", "><" if side == "client" else "<>")
    return {version: f"{side}.trace={text.translate(turned)}" for version, text in messages.items()}


ROWS = [
    row("ClientHello, shown", server="hello=ctx:identity=server", ours="server", then={
        version: text + " server.hello_name=localhost server.hellos=1" for version, text in VERSION_OFFERED.items()}),
    row("ClientHello, shown without a name", server="hello=ctx:identity=server", client="name=127.0.0.1", ours="server",
        then="server.hello_name='' server.hellos=1"),
    row("ClientHello, shown once, a HelloRetryRequest", server="hello='ctx:identity=rsa groups=P-384'",
        client="groups=X25519:P-384", ours="server", then="group=secp384r1 server.hellos=1"),
    row("ClientHello, shown, a session is resumed", server="hello=ctx:identity=server", client="again=1", ours="server",
        then="resumed=1 server.hellos=1", cannot=LATE),
    row("ClientHello, refused with unrecognized_name", server="hello=refuse:112", ours="server",
        then="server refuses EREFUSED 112"),
    row("ClientHello, refused with access_denied", server="hello=refuse:49", ours="server",
        then="server refuses EREFUSED 49"),
    row("ClientHello, refused with no alert's number", server="hello=refuse:1", ours="server",
        then="server refuses EREFUSED 80"),
    row("ClientHello, let in without a certificate", server="-identity hello=alpn:h2", client="alpn=h2", ours="server",
        then="server refuses ENOIDENTITY 80"),
    row("ClientHello, protocol chosen", server="alpn=http/1.1 hello=alpn:h2", client="alpn=http/1.1,h2", ours="server",
        then="alpn=h2 server.hello_alpn=http/1.1,h2"),
    row("ClientHello, protocol not offered", server="alpn=echo hello=alpn:h2", client="alpn=echo", ours="server",
        then="server refuses EREFUSED 120"),
    row("ClientHello, another context", server="hello=ctx:identity=wronghost", client="name=other.example", ours="server",
        then="client.subject=CN=other.example server.sni=other.example"),
    row("ClientHello, another context, the first bare", server="-identity hello=ctx:identity=rsa",
        ours="server", then="client.subject=CN=localhost"),
    row("ClientHello, another context, bare", server="hello=ctx:", ours="server",
        then="server refuses EREFUSED 80"),
    row("ClientHello, another context that asks", server=f"hello='ctx:identity=server {ASKS}'",
        client="identity=client", ours="server", then="server.subject='CN=test client'"),
    row("ClientHello, another context that asks, none", server=f"hello='ctx:identity=server {ASKS}'",
        ours="server", then={"1.2": "server refuses ENOCERT 40 EALERT", "1.3": "server refuses ENOCERT 116"}),
    row("ClientHello, another context, TLS 1.3 only", server="hello='ctx:identity=server min=1.3'", ours="server",
        then={"1.2": "server refuses EVERSION 70", "1.3": "protocol=TLSv1.3"}),

    row("verdict, good, kept", client="verdict=keep", ours="client", then="client.verdict='0 at -1' client.verified=0"),
    row("verdict, good, refused", client="verdict=refuse", ours="client", then="client refuses EVERIFY 42"),
    row("verdict, good, refused as revoked", client="verdict=23", ours="client", then="client refuses EVERIFY 44"),
    row("verdict, bad, kept", client="ca=other-ca verdict=keep", ours="client", then="client refuses EVERIFY 48"),
    row("verdict, bad, accepted", client="ca=other-ca verdict=accept", ours="client",
        then="client.verdict='20 at 0' client.subject=CN=localhost"),
    row("verdict, of another name, accepted", client="name=other.example verdict=accept", ours="client",
        then="client.verdict='62 at 0' client.subject=CN=localhost"),
    row("verdict on a client, good, kept", server=ASKS + " verdict=keep", client="identity=client", ours="server",
        then="server.verdict='0 at -1' server.verified=0"),
    row("verdict on a client, good, refused", server=ASKS + " verdict=refuse", client="identity=client", ours="server",
        then="server refuses EVERIFY 42"),
    row("verdict on a client, refused as revoked", server=ASKS + " verdict=23", client="identity=client",
        ours="server", then="server refuses EVERIFY 44"),
    row("verdict on a client, bad, kept", server=ASKS + " verdict=keep", client="identity=stranger", ours="server",
        then="server refuses EVERIFY 48"),
    row("verdict on a client, bad, accepted", server=ASKS + " verdict=accept", client="identity=stranger", ours="server",
        then="server.verdict='20 at 0' server.subject=CN=stranger"),
    row("verdict on a client, none: not asked", server="verify=optional ca=ca verdict=refuse", ours="server",
        then="server.verdict=''"),
    row("verdict on a client, resumed: not asked", server=ASKS + " verdict=keep",
        client="identity=client again=1", ours="server", then="resumed=1 server.verdict='' server.subject='CN=test client'",
        cannot=LATE),

    row("key log told to the program, of the server", server="keylog_cb=1", client="keylog=1", ours="server", then=""),
    row("key log told to the program, of the client", server="keylog=1", client="keylog_cb=1", ours="client", then=""),
    row("trace of the server", server="trace=1", ours="server", then=trace("server", MESSAGES)),
    row("trace of the server, a HelloRetryRequest", server="identity=rsa groups=P-384 trace=1", client="groups=X25519:P-384",
        ours="server", versions=("1.3",), then="server.trace=<ClientHello,>ServerHello," + MESSAGES["1.3"], differs={
            "gnutls client": ("server.trace=" + MESSAGES["1.3"], "gnutls-cli sends a share for P-384, too")}),
    row("trace of the client", client="trace=1 groups=P-256", ours="client", then=trace("client", MESSAGES)),
    row("trace of the client, new keys", client="trace=1 groups=P-256 rekey=1", ours="client", versions=("1.3",),
        then=trace("client", {"1.3": MESSAGES["1.3"] + ",<KeyUpdate,>KeyUpdate"})),
    row("trace of the server, new keys", server="trace=1 rekey=1", ours="server", versions=("1.3",),
        then=trace("server", {"1.3": MESSAGES["1.3"] + ",>KeyUpdate,<KeyUpdate"}), differs={
            "gnutls client": (trace("server", {"1.3": MESSAGES["1.3"] + ",>KeyUpdate"}), "gnutls-cli answers when it writes")}),
    row("trace of the server, a client's certificate", server=ASKS + " trace=1", client="identity=client",
        ours="server", then=trace("server", WITH_CLIENTS)),
    row("trace of the client, its certificate", server=ASKS, client="identity=client trace=1 groups=P-256", ours="client",
        then=trace("client", WITH_CLIENTS)),
]

tests(globals(), ROWS)

if __name__ == "__main__":
    unittest.main()
