"""Settings: sessions and tickets, renegotiation, the key log."""

import unittest

from settings import LATE, row, tests

ROWS = [
    row("session", client="again=1", then="resumed=1", cannot=LATE),
    row("session, one ticket", server="tickets=1", client="again=1", then="resumed=1", cannot=LATE),
    row("session, no tickets", server="tickets=0", client="again=1", then="resumed=0", versions=("1.3",)),
    row("session, with a client certificate", server="verify=required ca=ca", client="identity=client again=1",
        then="resumed=1 server.subject='CN=test client'", cannot=LATE),

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
