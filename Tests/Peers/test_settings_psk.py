"""Settings: keys that both sides have from elsewhere (PSK)."""

import unittest

from settings import row, tests

KEY, OTHER = "psk=device:00112233445566778899aabbccddeeff", "psk=device:ffeeddccbbaa99887766554433221100"
STRANGER = "psk=stranger:00112233445566778899aabbccddeeff"
BARE_SERVER, BARE_CLIENT = "-identity ", "-ca -name "

ROWS = [
    row("nothing but a key", server=BARE_SERVER + KEY, client=BARE_CLIENT + KEY, then="psk=device resumed=0"),
    row("nothing but a key, by the server's word", server=BARE_SERVER + KEY.replace("psk", "psk_cb"), client=BARE_CLIENT + KEY,
        ours="server", then="psk=device"),
    row("nothing but a key, by the client's word", server=BARE_SERVER + KEY, client=BARE_CLIENT + KEY.replace("psk", "psk_cb"),
        ours="client", then="psk=device"),
    row("another identity, by the server's word", server=BARE_SERVER + KEY.replace("psk", "psk_cb"),
        client=BARE_CLIENT + STRANGER, ours="server", then={
            "1.2": "server refuses EPROTOCOL 20", "1.3": "server refuses ECIPHER 40"}),
    row("another key", server=BARE_SERVER + KEY, client=BARE_CLIENT + OTHER, then={
        "1.2": "server refuses EPROTOCOL 20", "1.3": "server refuses EPSK 47"}),
    row("another identity", server=BARE_SERVER + KEY, client=BARE_CLIENT + STRANGER, then={
        "1.2": "server refuses EPROTOCOL 20", "1.3": "server refuses ECIPHER 40"}, differs={
            "openssl server 1.2": ("client.psk=stranger", "s_server takes any identity in TLS 1.2"),
            "gnutls server 1.3": ("server refuses ? 47", "gnutls-serv sends illegal_parameter")}),
    row("a key beside certificates", server=KEY, client=KEY, then="psk=device"),
    row("a key that only the client has", client=KEY, then="psk='' client.subject=CN=localhost"),
    row("a key that only the server has", server=KEY, then="psk='' client.subject=CN=localhost"),
]

tests(globals(), ROWS)

if __name__ == "__main__":
    unittest.main()
