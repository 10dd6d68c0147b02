"""Settings: sessions and tickets, renegotiation, the key log."""

import unittest

from settings import LATE, row, tests

NEVER_LATER = {"gnutls server": "gnutls-serv never asks after the handshake"}
ROWS = [
    row("session", client="again=1", then="resumed=1", cannot=LATE),
    row("session, one ticket", server="tickets=1", client="again=1", then="resumed=1", cannot=LATE),
    row("session, no tickets", server="tickets=0", client="again=1", then="resumed=0", versions=("1.3",)),
    row("session, tickets with the handshake", server="ticket_mode=handshake", client="again=1", ours="server", then="resumed=1"),
    row("session, tickets when the program says so", server="ticket_mode=never", client="again=1", ours="server",
        then="resumed=0", versions=("1.3",), cannot=LATE),
    row("session, a key for tickets", server="ticket_key=10", client="again=1", ours="server", then="resumed=1", cannot=LATE),
    row("session, keys for tickets", server="ticket_keys=10", client="again=1", ours="server", then="resumed=1", cannot=LATE),
    row("session, keys for tickets, from memory", server="ticket_keys_mem=10", client="again=1", ours="server",
        then="resumed=1", cannot=LATE),
    row("session, a key for tickets that has ended", server="ticket_keys=5000", client="again=1", ours="server",
        then="resumed=0", versions=("1.3",), cannot=LATE),
    row("session, with a client certificate", server="verify=required ca=ca", client="identity=client again=1",
        then="resumed=1 server.subject='CN=test client'", cannot=LATE),

    row("certificate asked for later", server="verify=later request=1 ca=ca", client="identity=client post_handshake_auth=1",
        versions=("1.3",), then="server.subject='CN=test client' server.verified=0", cannot=NEVER_LATER),
    row("certificate asked for later, once more", server="verify=required request=1 ca=ca",
        client="identity=client post_handshake_auth=1", versions=("1.3",), then="server.subject='CN=test client'",
        cannot=NEVER_LATER),
    row("certificate asked for later, none", server="verify=later request=1 ca=ca", client="post_handshake_auth=1",
        versions=("1.3",), then="server refuses ENOCERT 116", cannot=NEVER_LATER | {
            "openssl server": "s_server would have to ask in the handshake, too"}),
    row("certificate asked for later, of nobody", server="verify=later request=1 ca=ca",
        client="identity=selfsigned post_handshake_auth=1", versions=("1.3",), then="server refuses EVERIFY 48",
        cannot=NEVER_LATER),
    row("certificate asked for later, in TLS 1.2 at once", server="verify=later ca=ca", client="identity=client",
        versions=("1.2",), ours="server", then="server.subject='CN=test client'"),

    row("renegotiation, allowed", server="renegotiation=1", client="renegotiation=1 renegotiate=1", versions=("1.2",),
        then="server.renegotiations=1"),
    row("renegotiation, refused", client="renegotiation=1 renegotiate=1", versions=("1.2",),
        then="client refuses EPROTOCOL 40 EALERT", differs={
            "gnutls client": ("client refuses ? 80", "gnutls-cli asks sixteen times"),
            "gnutls server": ("", "gnutls-serv does not refuse")}),

    row("key log", server="keylog=1", client="keylog=1", then=""),
]

tests(globals(), ROWS)

if __name__ == "__main__":
    unittest.main()
