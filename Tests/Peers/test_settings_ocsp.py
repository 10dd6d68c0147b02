"""Settings: what the authority says of a server's certificate (OCSP)."""

import unittest

from settings import row, tests

ASKS, INSISTS = "request_ocsp", "require_ocsp"


def refused(response):
    """A server's response is shown to our client, which asks for it."""
    return row(f"stapled, {response}", server=f"staple={response}", client=ASKS, ours="client",
               then="client refuses EOCSP 113")


ROWS = [
    row("stapled", server="staple=server.good", client=ASKS, then="client.ocsp=good"),
    row("stapled, from memory", server="staple_mem=server.good", client=ASKS, ours="server", then="client.ocsp=good"),
    row("stapled, by the program's word", server="staple_cb=server.good", client=ASKS, ours="server",
        then="client.ocsp=good"),
    row("stapled, of a delegate", server="staple=server.delegate", client=ASKS, then="client.ocsp=good"),
    row("stapled, for a chain", server="identity=full staple=chained.good", client=ASKS, then="client.ocsp=good"),
    row("stapled, insisted upon", server="staple=server.good", client=INSISTS, ours="client", then="client.ocsp=good"),
    row("not stapled", client=ASKS, then="client.ocsp=none"),
    row("not asked for", server="staple=server.good", ours="client", then="client.ocsp=none"),
    row("not stapled, insisted upon", client=INSISTS, ours="client", then="client refuses EOCSP 113"),
    row("not stapled, promised", server="identity=staple", client=ASKS, ours="client", then="client refuses EOCSP 113"),
    refused("server.revoked"),
    refused("server.unknown"),
    refused("server.stranger"),
    refused("server.client"),
    row("revoked, by our server", server="staple=server.revoked", client=ASKS, ours="server",
        then="client refuses EOCSP 113", differs={
            "openssl client": ("client.ocsp=revoked", "s_client shows it, and goes on"),
            "gnutls client": ("client refuses ? 42", "gnutls-cli sends bad_certificate")}),
]

tests(globals(), ROWS)

if __name__ == "__main__":
    unittest.main()
