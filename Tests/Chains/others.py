"""Cases about what else decides: revocation lists, pinned keys, no verification; and those of a server about its clients."""

from issuing import CLIENT, SERVER, certificate, key, revocations
from names import HOST
from write import ACCEPTED, Case, refused

NAMES = [f"DNS:{HOST}"]
UNPINNED = ("TLSMEM_EPIN", 65, 0, 46)
NO_PINS = {"openssl": "-", "gnutls": "-", "reason": "neither has pins"}
OLD_LISTS = {"gnutls": "takes", "reason": "certtool passes over a list that is not good"}
NO_LISTS = {"gnutls": "takes", "reason": "it takes a chain for which it finds no list"}


def revocation(folder, root, trusted):
    made = []
    good_between, bad_between = (certificate(name, root, ca=True) for name in ("kept intermediate", "taken intermediate"))
    kept, taken = (certificate(name, root, names=NAMES) for name in ("kept", "taken"))
    under_kept, taken_under_kept = (certificate(name, good_between, names=NAMES) for name in ("u-kept", "u-taken"))
    under_taken = certificate("u-bad", bad_between, names=NAMES)
    stranger = certificate("stranger with lists", ca=True)
    of_root = revocations(root, [taken, bad_between])
    of_kept, of_taken = revocations(good_between, [taken_under_kept]), revocations(bad_between)
    lists = folder.lists("lists", of_root, of_kept, of_taken)
    only_root = folder.lists("only-root", of_root)
    between_only = folder.lists("only-between", of_kept, of_taken)

    def case(name, chain, expected, settings, **others):
        made.append(Case(name, chain, trusted | {"host": HOST} | settings, expected, **others))

    case("revoked-not", [kept], ACCEPTED, {"crl": lists})
    case("revoked", [taken], refused(23, 0, 44), {"crl": lists})
    case("revoked-unknown", [taken], ACCEPTED, {})
    case("revoked-not-checked", [taken], ACCEPTED, {"crl": lists, "crl_check": "none"})
    case("revoked-der", [taken], refused(23, 0, 44), {"crl": folder.file("root.der", of_root)}, gnutls="-",
         openssl="-", reason="neither reads DER here")
    case("revoked-not-under", [under_kept, good_between], ACCEPTED, {"crl": lists})
    case("revoked-under", [taken_under_kept, good_between], refused(23, 0, 44), {"crl": lists})
    case("revoked-intermediate", [under_taken, bad_between], refused(23, 1, 44), {"crl": lists})
    case("revoked-intermediate-leaf-only", [under_taken, bad_between], ACCEPTED, {"crl": lists, "crl_check": "leaf"},
         gnutls="refuses", reason="it has no such setting")
    case("revoked-leaf-only", [taken_under_kept, good_between], refused(23, 0, 44), {"crl": between_only, "crl_check": "leaf"})
    case("list-missing", [under_kept, good_between], refused(3, 0, 46), {"crl": only_root}, **NO_LISTS)
    case("list-missing-above", [under_kept, good_between], refused(3, 1, 46), {"crl": between_only}, **NO_LISTS)
    case("list-none", [kept], refused(3, 0, 46), {"crl_check": "chain"}, **NO_LISTS)
    case("list-of-another", [kept], refused(3, 0, 46), {"crl": folder.lists("stranger", revocations(stranger))}, **NO_LISTS)
    case("list-expired", [kept], refused(12, 0, 45),
         {"crl": folder.lists("expired", revocations(root, [taken], start=-30, end=-1))}, **OLD_LISTS)
    case("list-future", [kept], refused(11, 0, 45), {"crl": folder.lists("future", revocations(root, [taken], start=1))}, **OLD_LISTS)
    case("list-expired-beside-good", [kept], ACCEPTED,
         {"crl": folder.lists("both", revocations(root, start=-30, end=-1), of_root)})
    case("list-broken", [kept], refused(8, 0, 42), {"crl": folder.lists("broken", revocations(root, breaks=True))}, **OLD_LISTS)
    case("list-by-another-key", [kept], refused(3, 0, 46),
         {"crl": folder.lists("forged", revocations(root, private=key("forger of lists")))}, **NO_LISTS)
    by_directory = {"ca": "", "ca_dir": folder.directory("directory", [root], [of_root]), "crl_check": "chain"}
    directory = {**{"openssl": "-", "gnutls": "-"}, "reason": "asked with files only"}
    case("directory", [kept], ACCEPTED, by_directory, **directory)
    case("directory-revoked", [taken], refused(23, 0, 44), by_directory, **directory)
    case("directory-not-checked", [taken], ACCEPTED, by_directory | {"crl_check": "none"}, **directory)
    return made


def pins(folder, root, trusted):
    made = []
    between = certificate("pinned intermediate", root, ca=True)
    leaf, other = certificate("pinned", between, names=NAMES), certificate("not pinned", names=NAMES)
    alone = certificate("alone", names=["DNS:other.example"], start=-30, end=-1)
    off = {"verify": "off"}

    def case(name, chain, expected, settings):
        made.append(Case(name, chain, {"host": HOST} | settings, expected, **NO_PINS))

    for name, pinned in (("leaf", leaf), ("intermediate", between), ("root", root)):
        case(f"pin-{name}", [leaf, between], ACCEPTED, trusted | {"pin": pinned.pin})
    case("pin-other", [leaf, between], UNPINNED, trusted | {"pin": other.pin})
    case("pin-other-and-leaf", [leaf, between], ACCEPTED, trusted | {"pin": f"{other.pin},{leaf.pin}"})
    case("pin-of-what-is-not-verified", [leaf, between, other], UNPINNED, trusted | {"pin": other.pin})
    case("pin-is-not-enough", [other], refused(18, 0, 48), trusted | {"pin": other.pin})
    case("pin-and-other-host", [leaf, between], refused(62, 0, 42, "TLSMEM_EHOST"),
         trusted | {"pin": leaf.pin, "host": "other.example"})
    case("pin-alone", [alone], ACCEPTED, off | {"pin": alone.pin})
    case("pin-alone-other", [alone], UNPINNED, off | {"pin": leaf.pin})
    case("pin-alone-of-intermediate", [leaf, between], UNPINNED, off | {"pin": between.pin})
    made.append(Case("unverified", [alone], {"host": HOST} | off, ACCEPTED, openssl="0", gnutls="-", reason="it verifies nothing"))
    return made


def clients(folder, root, trusted):
    made = []

    def case(name, chain, expected, settings=None, **others):
        made.append(Case(f"client-{name}", chain, trusted | (settings or {}), expected, verifier="server", **others))

    def leaf(subject, issuer, **how):
        return certificate(subject, issuer, **({"purposes": [CLIENT]} | how))

    between = certificate("client intermediate", root, ca=True)
    known, taken = leaf("client", root), leaf("client taken", root)
    alone = leaf("client alone", None)
    stranger = certificate("stranger of clients", ca=True)
    lists = {"crl": folder.lists("clients", revocations(root, [taken]))}
    case("good", [known], ACCEPTED)
    case("chained", [leaf("client chained", between), between], ACCEPTED)
    case("incomplete", [leaf("client incomplete", between)], refused(20, 0, 48))
    case("expired", [leaf("client expired", root, start=-30, end=-1)], refused(10, 0, 45, "TLSMEM_EEXPIRED"))
    case("future", [leaf("client future", root, start=1)], refused(9, 0, 45, "TLSMEM_EEXPIRED"))
    case("unknown-authority", [leaf("client strange", stranger)], refused(20, 0, 48))
    case("self-signed", [alone], refused(18, 0, 48))
    case("bad-signature", [leaf("client broken", root, breaks=True)], refused(7, 0, 42))
    case("without-purpose", [certificate("client plain", root)], ACCEPTED)
    case("for-servers", [leaf("client server", root, purposes=[SERVER])], refused(26, 0, 43))
    case("for-servers-any", [leaf("client server too", root, purposes=[SERVER])], ACCEPTED, {"purpose": "any"},
         openssl="-", gnutls="-", reason="neither has a setting for it")
    case("weak", [leaf("client weak", root, kind="rsa1024")], refused(66, 0, 42))
    case("revoked-not", [known], ACCEPTED, lists)
    case("revoked", [taken], refused(23, 0, 44), lists)
    case("pin", [known], ACCEPTED, {"pin": known.pin}, **NO_PINS)
    case("pin-other", [known], UNPINNED, {"pin": alone.pin}, **NO_PINS)
    off = {"ca": "", "verify": "off"}
    case("pin-alone", [alone], ACCEPTED, off | {"pin": alone.pin}, **NO_PINS)
    case("pin-alone-other", [alone], UNPINNED, off | {"pin": known.pin}, **NO_PINS)
    case("pin-alone-none", [], ("TLSMEM_ENOCERT", 0, -1, "-"), off | {"pin": known.pin}, **NO_PINS)
    case("none", [], ("TLSMEM_ENOCERT", 0, -1, "-"), openssl="-", gnutls="-", reason="there is no chain to ask about")
    return made
