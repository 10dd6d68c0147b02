"""Cases about names: what a certificate says of its host, and who asks for it."""

from issuing import alternative_names, certificate, constraints
from write import ACCEPTED, Case, refused

HOST = "server.example"
WRONG_HOST = refused(62, 0, 42, "TLSMEM_EHOST")     # X509_V_ERR_HOSTNAME_MISMATCH
WRONG_ADDRESS = refused(64, 0, 42, "TLSMEM_EHOST")  # X509_V_ERR_IP_ADDRESS_MISMATCH
NOT_PERMITTED, EXCLUDED = refused(47, 0, 46), refused(48, 0, 46)
ONLY_1_3 = {"tls": "1.3"}  # in TLS 1.2 OpenSSL, as a server, finds no use for such a certificate
COMMON_NAME = "it takes the common name where there is no alternative name (RFC 9525, 2 forbids it)"

# case, names in the certificate, who is asked for, what comes of it, and what others say
TABLE = [
    ("name", [f"DNS:{HOST}"], HOST, ACCEPTED),
    ("name-other", ["DNS:other.example"], HOST, WRONG_HOST),
    ("name-below", [f"DNS:a.{HOST}"], HOST, WRONG_HOST),
    ("name-above", [f"DNS:{HOST}"], f"a.{HOST}", WRONG_HOST),
    ("name-second", ["DNS:other.example", f"DNS:{HOST}"], HOST, ACCEPTED),
    ("name-in-capitals", ["DNS:SERVER.Example"], HOST, ACCEPTED),
    ("name-asked-in-capitals", [f"DNS:{HOST}"], "SERVER.Example", ACCEPTED),
    ("name-with-dot", [f"DNS:{HOST}."], HOST, WRONG_HOST),
    ("name-with-nul", [f"DNS:{HOST}\0.evil.example"], HOST, WRONG_HOST),
    ("name-with-nul-first", [f"DNS:\0{HOST}"], HOST, WRONG_HOST),
    ("name-with-underscore", [f"DNS:a_b.{HOST}"], f"a_b.{HOST}", ACCEPTED),
    ("name-idn", ["DNS:xn--bcher-kva.example"], "xn--bcher-kva.example", ACCEPTED),
    ("name-idn-other", ["DNS:xn--bcher-kva.example"], "bcher-kva.example", WRONG_HOST),
    ("name-is-uri", [f"URI:https://{HOST}/"], HOST, WRONG_HOST),
    ("name-is-mail", [f"email:root@{HOST}"], HOST, WRONG_HOST),
    ("wildcard", ["DNS:*.wild.example"], "a.wild.example", ACCEPTED),
    ("wildcard-for-idn", ["DNS:*.wild.example"], "xn--bcher-kva.wild.example", ACCEPTED),
    ("wildcard-two-labels", ["DNS:*.wild.example"], "a.b.wild.example", WRONG_HOST),
    ("wildcard-no-label", ["DNS:*.wild.example"], "wild.example", WRONG_HOST),
    ("wildcard-second", ["DNS:a.*.wild.example"], "a.b.wild.example", WRONG_HOST),
    ("wildcard-begins", ["DNS:w*.wild.example"], "www.wild.example", WRONG_HOST),
    ("wildcard-inside", ["DNS:w*w.wild.example"], "www.wild.example", WRONG_HOST),
    ("wildcard-twice", ["DNS:*.*.wild.example"], "a.b.wild.example", WRONG_HOST),
    ("wildcard-in-idn", ["DNS:xn--*.wild.example"], "xn--bcher-kva.wild.example", WRONG_HOST),
    ("wildcard-of-top-level", ["DNS:*.example"], HOST, WRONG_HOST),
    ("wildcard-of-all", ["DNS:*"], "localhost", WRONG_HOST),
    ("wildcard-of-registry", ["DNS:*.co.uk"], "server.co.uk", ACCEPTED),
    ("address", ["IP:192.0.2.1"], "192.0.2.1", ACCEPTED),
    ("address-other", ["IP:192.0.2.1"], "192.0.2.2", WRONG_ADDRESS),
    ("address-as-name", ["DNS:192.0.2.1"], "192.0.2.1", WRONG_ADDRESS),
    ("address-by-wildcard", ["DNS:*.0.2.1"], "192.0.2.1", WRONG_ADDRESS),
    ("address-ipv6", ["IP:2001:db8::1"], "2001:db8:0::1", ACCEPTED),
    ("address-ipv6-other", ["IP:2001:db8::1"], "2001:db8::2", WRONG_ADDRESS),
    ("name-is-address", ["IP:192.0.2.1"], HOST, WRONG_HOST),
]


def cases(root, trusted):
    made = [Case(case, [certificate(case, root, names=names)], trusted | {"host": host}, expected)
            for case, names, host, expected in TABLE]

    def case(name, chain, expected, host=HOST, settings=None, **others):
        made.append(Case(name, chain, trusted | {"host": host} | (settings or {}), expected, **others))

    case("name-asked-with-dot", [certificate("name with dot", root, names=[f"DNS:{HOST}"])], ACCEPTED, f"{HOST}.",
         openssl="62", gnutls="refuses", reason="the dot that makes a name absolute is the caller's to take away")
    case("wildcard-ends", [certificate("wildcard ends", root, names=["DNS:*w.wild.example"])], WRONG_HOST, "www.wild.example",
         gnutls="takes", reason="it takes a wildcard before the rest of a label (RFC 9525, 6.3 forbids it)")
    case("name-only-common", [certificate(HOST, root)], WRONG_HOST, openssl="0", gnutls="takes", reason=COMMON_NAME)
    case("name-only-common-nul", [certificate(f"{HOST}\0.evil.example", root)], WRONG_HOST)
    case("name-common-beside-other", [certificate(HOST, root, names=["DNS:other.example"])], WRONG_HOST)
    case("names-empty", [certificate(HOST, root, names=[])], WRONG_HOST, openssl="0", gnutls="takes", reason=COMMON_NAME)
    case("address-only-common", [certificate("192.0.2.1", root)], WRONG_ADDRESS, host="192.0.2.1")
    case("names-twice", [certificate("twice", root, names=[f"DNS:{HOST}"], extra=[alternative_names([f"DNS:{HOST}"])])],
         refused(20, 0, 48), settings=ONLY_1_3, openssl="-",
         reason="it refuses, but Python takes that for no result of verification")

    def constrained(case_name, limits, names, expected, host=HOST, **others):
        between = certificate(f"constrained {case_name}", root, ca=True, extra=[limits])
        case(f"constrained-{case_name}", [certificate(case_name, between, names=names), between], expected, host, **others)

    permitted = constraints(permitted=[f"DNS:{HOST}"])
    excluded = constraints(excluded=["DNS:bad.example"])
    network = constraints(permitted=["IP:192.0.2.0/24"])
    mail = constraints(permitted=["email:example"])
    constrained("name", permitted, [f"DNS:{HOST}"], ACCEPTED)
    constrained("name-below", permitted, [f"DNS:a.{HOST}"], ACCEPTED, f"a.{HOST}")
    constrained("name-outside", permitted, ["DNS:other.example"], NOT_PERMITTED, "other.example")
    constrained("name-beside", permitted, [f"DNS:{HOST}", "DNS:other.example"], NOT_PERMITTED)
    constrained("not-excluded", excluded, [f"DNS:{HOST}"], ACCEPTED)
    constrained("excluded", excluded, ["DNS:www.bad.example"], EXCLUDED, "www.bad.example")
    constrained("address", network, ["IP:192.0.2.1"], ACCEPTED, "192.0.2.1")
    constrained("address-outside", network, ["IP:198.51.100.1"], NOT_PERMITTED, "198.51.100.1")
    constrained("mail", mail, [f"DNS:{HOST}", "email:root@example"], ACCEPTED)
    constrained("mail-outside", mail, [f"DNS:{HOST}", "email:root@other.example"], NOT_PERMITTED)
    return made
