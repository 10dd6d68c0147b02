"""Writes cases into a folder: what each of them needs, and the manifest that says what must come of it."""

import dataclasses
import pathlib
import subprocess

import issuing

ACCEPTED = ("TLSMEM_OK", 0, -1, -1)


def refused(result, depth, alert, status="TLSMEM_EVERIFY"):
    """Returns what comes of a chain that is not good: verify_result, the certificate that it was, and the alert."""
    return (status, result, depth, alert)


@dataclasses.dataclass
class Case:
    """A chain that is shown, how it is looked at, and what comes of it."""

    name: str
    chain: list        # of Certificates, the peer's own first; empty for none
    settings: dict     # of the one who verifies
    expected: tuple    # status, verify_result, verify_depth, alert sent
    verifier: str = "client"
    openssl: str = ""  # what Python's ssl says where that is not verify_result: a number; "-" when it cannot be asked
    gnutls: str = ""   # what GnuTLS says where it does not agree: "takes" or "refuses"; "-" when it cannot be asked
    reason: str = ""   # why they differ, or why one cannot be asked
    private: object = None  # another key than the chain's


class Folder:
    """Where the cases go. What is named twice is the same, and written once."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.path.mkdir(parents=True, exist_ok=True)

    def file(self, name, content):
        (self.path / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return name

    def authorities(self, name, certificates):
        return self.file(name + ".pem", "".join(issued.pem for issued in certificates))

    def lists(self, name, *bodies):
        return self.file(name + ".crl", "".join(issuing.pem("X509 CRL", body) for body in bodies))

    def directory(self, name, certificates, lists):
        """Makes a directory with hashed names."""
        folder = self.path / name
        folder.mkdir(exist_ok=True)
        for number, issued in enumerate(certificates):
            (folder / f"ca{number}.pem").write_text(issued.pem)
        for number, body in enumerate(lists):
            (folder / f"list{number}.pem").write_text(issuing.pem("X509 CRL", body))
        subprocess.run(["openssl", "rehash", folder], check=True)
        return name

    def write(self, cases):
        """Writes chains and keys, and the manifest: a line for each case, its fields between tabs."""
        lines = ["# case\tverifier\tsettings\tstatus\tverify_result\tdepth\talert\topenssl\tgnutls\treason"]
        for case in cases:
            if case.chain:
                self.authorities(case.name, case.chain)
                self.file(case.name + ".key", issuing.key_pem(case.private or case.chain[0].private))
            settings = " ".join(f"{key}={value}" for key, value in case.settings.items()) or "-"
            status, *numbers = case.expected
            fields = (case.name, case.verifier, settings, status, *numbers, case.openssl, case.gnutls, case.reason)
            lines.append("\t".join(str(field) or "." for field in fields))
        self.file("manifest.tsv", "\n".join(lines) + "\n")
