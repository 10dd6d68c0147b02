"""Cases about chains: who issued what, for what, for how long, and how strong it is."""

from issuing import CERT_SIGN, CLIENT, CRL_SIGN, ANY, MAIL, SERVER, certificate, extension, key
from names import HOST, ONLY_1_3
from write import ACCEPTED, Case, refused

EXPIRED, FUTURE = "TLSMEM_EEXPIRED", "TLSMEM_EEXPIRED"
UNKNOWN_EXTENSION = "1.3.6.1.4.1.311.999.1"
NAMES = [f"DNS:{HOST}"]
ONLY_AUTHORITIES = "it trusts authorities only"
NOT_ASKED = {"openssl": "-", "gnutls": "-"}


def cases(folder, root, trusted):
    made = []

    def leaf(subject, issuer, **how):
        return certificate(subject, issuer, **({"names": NAMES} | how))

    def case(name, chain, expected, settings=None, **others):
        made.append(Case(name, chain, trusted | {"host": HOST} | (settings or {}), expected, **others))

    between = certificate("intermediate", root, ca=True)
    chained = leaf("chained", between)

    # When.
    case("expired", [leaf("expired", root, start=-30, end=-1)], refused(10, 0, 45, EXPIRED))
    case("future", [leaf("future", root, start=1)], refused(9, 0, 45, FUTURE))
    old = certificate("expired intermediate", root, ca=True, start=-30, end=-1)
    case("expired-intermediate", [leaf("under expired", old), old], refused(10, 1, 45, EXPIRED))
    young = certificate("future intermediate", root, ca=True, start=1)
    case("future-intermediate", [leaf("under future", young), young], refused(9, 1, 45, FUTURE))
    dead = certificate("expired root", ca=True, start=-30, end=-1)
    case("expired-root", [leaf("under expired root", dead)], refused(10, 1, 45, EXPIRED),
         {"ca": folder.authorities("expired-root-ca", [dead])})
    case("year-2060", [leaf("long", root, end=365 * 35)], ACCEPTED)

    # Who.
    stranger = certificate("stranger root", ca=True)
    self_signed = leaf("self", None)
    case("self-signed", [self_signed], refused(18, 0, 48))
    case("self-signed-trusted", [self_signed], ACCEPTED, {"ca": folder.authorities("self-signed-ca", [self_signed])},
         gnutls="refuses", reason=ONLY_AUTHORITIES)
    case("unknown-authority", [leaf("strange", stranger)], refused(20, 0, 48))
    case("unknown-authority-shown", [leaf("strange", stranger), stranger], refused(19, 1, 48))
    case("namesake", [leaf("forged", certificate(root.subject, private=key("forger"), ca=True))], refused(20, 0, 48))
    case("bad-signature", [leaf("broken", root, breaks=True)], refused(7, 0, 42))
    broken = certificate("broken intermediate", root, ca=True, breaks=True)
    case("bad-signature-intermediate", [leaf("under broken", broken), broken], refused(7, 1, 42))

    # In what order.
    second = certificate("second intermediate", between, ca=True)
    deep = leaf("deep", second)
    case("chain", [chained, between], ACCEPTED)
    case("chain-with-root", [chained, between, root], ACCEPTED)
    case("chain-incomplete", [chained], refused(20, 0, 48))
    case("chain-of-two", [deep, second, between], ACCEPTED)
    case("chain-disordered", [deep, between, second], ACCEPTED)
    case("chain-with-strangers", [chained, stranger, certificate("odd", stranger, ca=True), between], ACCEPTED)
    case("chain-twice", [chained, between, between], ACCEPTED)
    case("not-first", [between, chained], ("TLSMEM_ECONFIG", 0, -1, -1), verifier="setting", private=chained.private,
         **NOT_ASKED, reason="no handshake comes of it")
    case("key-of-another", [chained, between], ("TLSMEM_ECONFIG", 0, -1, -1), verifier="setting", private=key("other"),
         **NOT_ASKED, reason="no handshake comes of it")

    # By two ways: the new root is also certified by an old one.
    new = certificate("new root", ca=True)
    cross = certificate("new root", dead, private=new.private, ca=True)
    crossed = leaf("crossed", new)
    only_new, only_old = folder.authorities("new-root", [new]), folder.authorities("old-root", [stranger])
    case("cross-signed", [crossed, cross], ACCEPTED, {"ca": only_new})
    case("cross-signed-by-old", [crossed, certificate("new root", stranger, private=new.private, ca=True)], ACCEPTED,
         {"ca": only_old})
    case("cross-signed-by-expired", [crossed, cross], refused(10, 2, 45, EXPIRED),
         {"ca": folder.authorities("dead-root", [dead])})

    # How long.
    links = [root]
    for number in range(10):
        links.insert(0, certificate(f"link {number}", links[0], ca=True))
    long = [leaf("long chain", links[0]), *links[:-1]]
    case("chain-of-ten", long, ACCEPTED)
    no_depth = {**NOT_ASKED, "reason": "neither has a setting for it"}
    case("depth-as-long", long, ACCEPTED, {"depth": 10}, **no_depth)
    case("depth-too-short", long, refused(22, 10, 48), {"depth": 9}, **no_depth)
    case("depth-none", [leaf("direct", root)], ACCEPTED, {"depth": 0}, **no_depth)
    case("depth-none-of-chain", [chained, between], refused(22, 1, 48), {"depth": 0}, **no_depth)
    short = certificate("path 0", root, ca=True, path=0)
    case("path-length", [leaf("path", short), short], ACCEPTED)
    beyond = certificate("beyond path", short, ca=True)
    case("path-length-exceeded", [leaf("beyond", beyond), beyond, short], refused(25, 2, 42))

    # Where it may end.
    middle = {"ca": folder.authorities("only-intermediate", [between])}
    case("partial", [chained, between], ACCEPTED, middle | {"partial": 1})
    case("partial-off", [chained, between], refused(2, 1, 48), middle, gnutls="takes", reason="what is trusted ends a chain")
    own = {"ca": folder.authorities("only-leaf", [chained])}
    case("partial-leaf", [chained, between], ACCEPTED, own | {"partial": 1}, gnutls="refuses", reason=ONLY_AUTHORITIES)
    case("partial-leaf-off", [chained, between], refused(20, 1, 48), own)

    # Authorities that are none.
    plain = certificate("no authority", root)
    case("issuer-no-authority", [leaf("under none", plain), plain], refused(79, 1, 42))
    bare = certificate("unconstrained", root, constrained=False, usage=(CERT_SIGN,))
    case("issuer-unconstrained", [leaf("under bare", bare), bare], refused(79, 1, 42))
    first = certificate("version 1 intermediate", root, version=1)
    case("issuer-version-1", [leaf("under first", first), first], refused(79, 1, 42))
    mute = certificate("may not sign", root, ca=True, usage=(CRL_SIGN,))
    case("issuer-may-not-sign", [leaf("under mute", mute), mute], refused(79, 1, 42))
    case("version-1", [certificate(HOST, root, version=1)], refused(62, 0, 42, "TLSMEM_EHOST"), openssl="0", gnutls="takes",
         reason="it takes the common name where there is no alternative name")
    ancient = certificate("version 1 root", version=1)
    case("version-1-root", [leaf("under ancient", ancient)], ACCEPTED,
         {"ca": folder.authorities("version-1-root-ca", [ancient])})

    # What for.
    case("for-servers", [leaf("for servers", root, purposes=[SERVER])], ACCEPTED)
    case("for-clients", [leaf("for clients", root, purposes=[CLIENT])], refused(26, 0, 43))
    case("for-clients-any", [leaf("for clients too", root, purposes=[CLIENT])], ACCEPTED, {"purpose": "any"},
         **NOT_ASKED, reason="neither has a setting for it")
    case("for-mail", [leaf("for mail", root, purposes=[MAIL])], refused(26, 0, 43))
    case("for-any", [leaf("for any", root, purposes=[ANY])], refused(26, 0, 43), gnutls="takes",
         reason="to take it is as good (RFC 5280, 4.2.1.12)")
    clients = certificate("for clients only", root, ca=True, purposes=[CLIENT])
    case("issuer-for-clients", [leaf("under clients", clients), clients], refused(26, 1, 43))
    servers = certificate("for servers only", root, ca=True, purposes=[SERVER])
    case("issuer-for-servers", [leaf("under servers", servers), servers], ACCEPTED)
    case("usage-wrong", [leaf("may sign lists", root, usage=(CRL_SIGN,))], refused(26, 0, 43), ONLY_1_3,
         gnutls="takes", reason="certtool does not know that it is for a handshake")

    # Odd in other ways.
    odd = extension(UNKNOWN_EXTENSION, b"\x05\x00")
    critical = extension(UNKNOWN_EXTENSION, b"\x05\x00", critical=True)
    case("extension-unknown", [leaf("odd", root, extra=[odd])], ACCEPTED)
    case("extension-critical", [leaf("critical", root, extra=[critical])], refused(34, 0, 46))
    strict = certificate("critical intermediate", root, ca=True, extra=[critical])
    case("extension-critical-intermediate", [leaf("under critical", strict), strict], refused(34, 1, 46))
    case("extension-twice", [leaf("doubled", root, extra=[odd, odd])], ACCEPTED, gnutls="refuses",
         reason="OpenSSL minds two of an extension only if it knows it (RFC 5280, 4.2 forbids it)")
    case("serial-negative", [leaf("negative", root, serial=-5)], ACCEPTED)
    case("serial-zero", [leaf("zero", root, serial=0)], ACCEPTED)
    case("serial-huge", [leaf("huge", root, serial=1 << 240)], ACCEPTED)

    # How strong.
    rsa = certificate("rsa root", kind="rsa2048", ca=True)
    by_rsa = {"ca": folder.authorities("rsa-root", [rsa])}
    for kind in ("rsa2048", "rsa1024", "p384", "ed25519"):
        weak = kind == "rsa1024"
        case(f"key-{kind}", [leaf(kind, root, kind=kind)], refused(66, 0, 42) if weak else ACCEPTED)
    case("key-rsa1024-level-1", [leaf("rsa1024", root, kind="rsa1024")], ACCEPTED, {"level": 1})
    case("key-rsa2048-level-3", [leaf("rsa2048", root, kind="rsa2048")], refused(66, 0, 42), {"level": 3})
    case("key-p256-level-3", [leaf("p256", root)], ACCEPTED, {"level": 3})
    small = certificate("rsa1024 intermediate", root, kind="rsa1024", ca=True)
    case("issuer-rsa1024", [leaf("under small", small), small], refused(67, 1, 42))
    for how in ("sha256", "pss", "sha1", "md5"):
        good = how in ("sha256", "pss")
        case(f"signed-{how}", [leaf(how, rsa, how=how)], ACCEPTED if good else refused(68, 0, 42), by_rsa)
    hashed = certificate("sha1 intermediate", rsa, ca=True, how="sha1")
    case("issuer-signed-sha1", [leaf("under sha1", hashed), hashed], refused(68, 1, 42), by_rsa)
    case("signed-sha1-level-1", [leaf("sha1 again", rsa, how="sha1")], refused(68, 0, 42), by_rsa | {"level": 1})
    self_sha1 = certificate("sha1 root", kind="rsa2048", ca=True, how="sha1")
    case("root-signed-sha1", [leaf("under sha1 root", self_sha1)], ACCEPTED,
         {"ca": folder.authorities("sha1-root", [self_sha1])})
    edwards = certificate("ed25519 root", kind="ed25519", ca=True)
    case("signed-ed25519", [leaf("under edwards", edwards)], ACCEPTED, {"ca": folder.authorities("ed25519-root", [edwards])})
    return made
