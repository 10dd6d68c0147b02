"""Keys, certificates and revocation lists, right or wrong: what is not said is as a good authority does it (RFC 5280)."""

import base64
import dataclasses
import datetime
import functools
import hashlib
import ipaddress
import itertools

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

import der

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
serials = itertools.count(1000)

HASHES = {"sha256": hashes.SHA256(), "sha1": hashes.SHA1(), "md5": hashes.MD5()}
RSA_WITH = {"sha256": "1.2.840.113549.1.1.11", "sha1": "1.2.840.113549.1.1.5", "md5": "1.2.840.113549.1.1.4"}
ECDSA_WITH = {"sha256": "1.2.840.10045.4.3.2", "sha1": "1.2.840.10045.4.1"}

SERVER, CLIENT, MAIL, ANY = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4", "2.5.29.37.0"
DIGITAL_SIGNATURE, CERT_SIGN, CRL_SIGN = 0, 5, 6


def day(number):
    """Returns the moment so many days from now."""
    return NOW + datetime.timedelta(days=number)


@functools.cache
def key(name, kind="p256"):
    """Returns the private key of that name, always the same one."""
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, int(kind[3:]))
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key({"p256": ec.SECP256R1(), "p384": ec.SECP384R1()}[kind])


def pem(kind, body):
    text = base64.encodebytes(body).decode().replace("\n", "")
    lines = [text[at:at + 64] for at in range(0, len(text), 64)]
    return f"-----BEGIN {kind}-----\n" + "\n".join(lines) + f"\n-----END {kind}-----\n"


def key_pem(private):
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


def key_info(private):
    """Returns the SubjectPublicKeyInfo."""
    return private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def algorithm(private, how):
    """Returns the AlgorithmIdentifier of a signature."""
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return der.sequence(der.oid("1.3.101.112"))
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return der.sequence(der.oid(ECDSA_WITH[how]))
    if how == "pss":
        sha256 = der.sequence(der.oid("2.16.840.1.101.3.4.2.1"), der.null())
        mask = der.sequence(der.oid("1.2.840.113549.1.1.8"), sha256)
        return der.sequence(der.oid("1.2.840.113549.1.1.10"), der.sequence(
            der.explicit(0, sha256), der.explicit(1, mask), der.explicit(2, der.integer(32))))
    return der.sequence(der.oid(RSA_WITH[how]), der.null())


def signed(private, how, content, breaks):
    """Returns content, algorithm and signature; a broken one has a bit in it turned over."""
    if isinstance(private, ed25519.Ed25519PrivateKey):
        signature = private.sign(content)
    elif isinstance(private, ec.EllipticCurvePrivateKey):
        signature = private.sign(content, ec.ECDSA(HASHES[how]))
    elif how == "pss":
        signature = private.sign(content, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    else:
        signature = private.sign(content, padding.PKCS1v15(), HASHES[how])
    if breaks:
        signature = signature[:-1] + bytes([signature[-1] ^ 1])
    return der.sequence(content, algorithm(private, how), der.bits(signature))


def name(common):
    return der.sequence(der.set_of(der.sequence(der.oid("2.5.4.3"), der.utf8(common))))


def extension(number, body, critical=False):
    return der.sequence(der.oid(number), der.boolean(True) if critical else b"", der.octets(body))


def general_name(text):
    """Returns "DNS:...", "IP:..." (with a prefix length: a network), "email:..." or "URI:..." as a GeneralName."""
    kind, _, value = text.partition(":")
    if kind == "IP":
        network = ipaddress.ip_network(value) if "/" in value else None
        body = (network.network_address.packed + network.netmask.packed if network
                else ipaddress.ip_address(value).packed)
        return der.implicit(7, body)
    return der.implicit({"email": 1, "DNS": 2, "URI": 6}[kind], value.encode("latin-1"))


def alternative_names(names):
    return extension("2.5.29.17", der.sequence(*(general_name(text) for text in names)))


def constraints(permitted=(), excluded=()):
    """Returns NameConstraints (RFC 5280, 4.2.1.10)."""
    def subtrees(number, names):
        return der.explicit(number, *(der.sequence(general_name(text)) for text in names)) if names else b""
    return extension("2.5.29.30", der.sequence(subtrees(0, permitted), subtrees(1, excluded)), critical=True)


def key_id(private):
    return hashlib.sha1(key_info(private)).digest()


@dataclasses.dataclass
class Certificate:
    """One that was issued, with the key of its subject."""

    subject: str
    private: object
    body: bytes

    @property
    def pem(self):
        return pem("CERTIFICATE", self.body)

    @property
    def pin(self):
        return hashlib.sha256(key_info(self.private)).hexdigest()


def certificate(subject, issuer=None, *, kind="p256", private=None, names=(), ca=False, path=None, usage=None,
                purposes=None, start=-1, end=30, version=3, serial=None, how="sha256", breaks=False, extra=(),
                constrained=True):
    """Issues a certificate; its issuer is a Certificate, or itself. `names` None and [] are no extension, and an empty one;
    without `constrained` there are no basic constraints."""
    private = private or key(subject, kind)
    signer, issued_by = (issuer.private, issuer.subject) if issuer else (private, subject)
    extensions = []
    if constrained:
        extensions.append(extension("2.5.29.19", der.sequence(
            der.boolean(True) if ca else b"", der.integer(path) if path is not None else b""), critical=True))
    usage = usage or ((CERT_SIGN, CRL_SIGN) if ca else (DIGITAL_SIGNATURE,))
    extensions.append(extension("2.5.29.15", der.named_bits(*usage), critical=True))
    if purposes:
        extensions.append(extension("2.5.29.37", der.sequence(*(der.oid(number) for number in purposes))))
    extensions.append(extension("2.5.29.14", der.octets(key_id(private))))
    extensions.append(extension("2.5.29.35", der.sequence(der.implicit(0, key_id(signer)))))
    if names or names == []:
        extensions.append(alternative_names(names))
    extensions += extra
    content = der.sequence(
        der.explicit(0, der.integer(version - 1)) if version > 1 else b"",
        der.integer(next(serials) if serial is None else serial),
        algorithm(signer, how), name(issued_by), der.sequence(der.time(day(start)), der.time(day(end))), name(subject),
        key_info(private), der.explicit(3, der.sequence(*extensions)) if version == 3 else b"")
    return Certificate(subject, private, signed(signer, how, content, breaks))


def serial_of(issued):
    """Returns the DER of the serial number: the first INTEGER of the certificate behind its version."""
    start = issued.body.index(b"\xa0\x03\x02\x01\x02\x02") + 5
    return issued.body[start:start + 2 + issued.body[start + 1]]


def revocations(issuer, revoked=(), *, private=None, start=-1, end=30, breaks=False):
    """Issues a revocation list, in DER; `private` is another key than the issuer's."""
    private = private or issuer.private
    entries = [der.sequence(serial_of(issued), der.time(day(start))) for issued in revoked]
    numbered = extension("2.5.29.20", der.integer(1))
    content = der.sequence(
        der.integer(1), algorithm(private, "sha256"), name(issuer.subject), der.time(day(start)), der.time(day(end)),
        der.sequence(*entries) if entries else b"",
        der.explicit(0, der.sequence(extension("2.5.29.35", der.sequence(der.implicit(0, key_id(private)))), numbered)))
    return signed(private, "sha256", content, breaks)
