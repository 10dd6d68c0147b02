"""Programs that judge a server by talking to it, and what they are given to look at."""

import functools
import json
import os
import re
import subprocess
import tempfile
import xml.etree.ElementTree

from support import BUILD, LIMIT, Server, certificate, certificates, tool


@functools.cache
def web_certificate():
    """Makes web.pem, as a server of the web has it: RSA, 2048 bits, for localhost, valid for 90 days. Returns its name."""
    folder = certificates()
    command = [tool("openssl", "openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "90",
               "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-keyout", folder / "web.key", "-out", folder / "web.pem"]
    for extension in ("basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature", "extendedKeyUsage=serverAuth",
                      "subjectAltName=DNS:localhost,IP:127.0.0.1"):
        command += ["-addext", extension]
    subprocess.run(command, check=True, timeout=LIMIT, capture_output=True)
    return "web"


def server(test, *options, identity=None):
    """Starts https_server, with the certificate of the web unless told otherwise; returns its port."""
    return Server(test, "https_server", *options, certificate=identity or web_certificate()).port


def run(*command, limit=LIMIT):
    """Runs a scanner to its end; returns what it printed."""
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, timeout=limit,
                          check=False, env=os.environ | {"LC_ALL": "C"})
    return done.stdout.decode(errors="replace")


def sslyze(port, configuration):
    """Returns how a server departs from one of Mozilla's configurations, a line for each point; none if it does not."""
    program = BUILD / "sslyze" / "bin" / "sslyze"
    if not program.exists():
        raise AssertionError(f"{program} is missing: run Tests/packages test")
    text = run(program, f"--mozilla_config={configuration}", "--certinfo_ca_file", certificate("ca.pem"), f"localhost:{port}")
    verdict = re.search(rf"^    localhost:{port}: (OK - Compliant|FAILED - Not compliant)\.\n((?:        \* .*\n)*)", text, re.MULTILINE)
    if not verdict:
        raise AssertionError(f"sslyze has no verdict: {text[-2000:]}")
    if (verdict[1] == "OK - Compliant") != (verdict[2] == ""):
        raise AssertionError(f"sslyze contradicts itself: {verdict[0]}")
    return [line.removeprefix("        * ") for line in verdict[2].splitlines()]


def sslscan(port):
    """Returns the versions that a server speaks, and the ciphers that it takes."""
    found = xml.etree.ElementTree.fromstring(run(tool("sslscan", "sslscan"), "--xml=-", f"localhost:{port}")).find("ssltest")
    versions = {f"{at.get('type')} {at.get('version')}" for at in found.findall("protocol") if at.get("enabled") == "1"}
    return versions, [at.get("cipher") for at in found.findall("cipher")]


def nmap(port):
    """Returns the grades that nmap gives to the ciphers of each version."""
    text = run(tool("nmap", "nmap"), "-sT", "-Pn", "-n", "-p", port, "--script", "ssl-enum-ciphers", "-oX", "-", "127.0.0.1")
    script = xml.etree.ElementTree.fromstring(text).find(".//script")
    if script is None:
        raise AssertionError(f"nmap found no TLS: {text[-2000:]}")
    return {version.get("key"): {grade.text for grade in version.iter("elem") if grade.get("key") == "strength"}
            for version in script.findall("table")}


def testssl(port, *options):
    """Returns the findings of testssl.sh by their names, each with its severity and its words."""
    program = tool("testssl", "testssl.sh")
    with tempfile.TemporaryDirectory(prefix="tlsmem-testssl-") as folder:
        path = os.path.join(folder, "findings.json")
        run(program, "--quiet", "--color", "0", "--add-ca", certificate("ca.pem"), "--jsonfile", path, *options,
            f"https://localhost:{port}", limit=600)
        with open(path, encoding="utf-8") as file:
            return {found["id"]: (found["severity"], found["finding"]) for found in json.load(file)}
