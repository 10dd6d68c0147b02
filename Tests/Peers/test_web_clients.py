"""https_server and h2_server with clients of the real world: wget, h2load, wrk, and a browser."""

import base64
import filecmp
import hashlib
import os
import pathlib
import random
import re
import signal
import struct
import subprocess
import tempfile
import unittest
import zlib

from support import LIMIT, certificate, tool, variants
from web_servers import Web, root


class Wget(unittest.TestCase):
    def wget(self, server, *options):
        """Runs wget in a folder of its own, which this returns."""
        if not hasattr(self, "folder"):
            folder = tempfile.TemporaryDirectory(prefix="tlsmem-wget-")
            self.addCleanup(folder.cleanup)
            self.folder = pathlib.Path(folder.name)
        done = subprocess.run(
            [tool("wget", "wget"), "--no-verbose", "--no-proxy", "--no-config", "--tries=1",
             "--ca-certificate=" + certificate("ca.pem"), "--directory-prefix", self.folder, *options], capture_output=True, timeout=LIMIT)
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.folder

    def test_a_tree_arrives_as_it_is(self):
        server = Web(self, "https_server", "--threads", "2")
        folder = self.wget(server, "--recursive", "--no-host-directories", "--execute=robots=off",
                           f"https://localhost:{server.port}/")
        names = ["index.html", "sub/index.html", "sub/dot.png", "sub/deep/a name #.txt", "data.bin", "text.txt"]
        self.assertEqual(filecmp.cmpfiles(root(), folder, names, shallow=False), (names, [], []))

    def test_what_was_broken_off_is_resumed(self):
        server = Web(self, "https_server")
        data = (root() / "data.bin").read_bytes()
        url = f"https://localhost:{server.port}/data.bin"
        (self.wget(server, url) / "data.bin").write_bytes(data[:1_000_000])
        self.assertTrue((self.wget(server, "--continue", url) / "data.bin").read_bytes() == data)
        self.assertEqual(server.logged(2)[1][1:], ("206", "2000000"))

    def test_what_has_not_changed_is_not_sent_again(self):
        server = Web(self, "https_server")
        for status in ("200", "304"):
            self.wget(server, "--timestamping", f"https://localhost:{server.port}/data.bin")
        self.assertEqual([line[1] for line in server.logged(2)], ["200", "304"])


class Load:
    """`program` and what h2load is to speak; set by the variants."""

    def test_thousands_of_requests_at_once_are_all_answered(self):
        program, http = self.served.split()
        server = Web(self, program, "--threads", "2")
        done = subprocess.run(
            [tool("h2load", "nghttp2-client"), "-n", "6000", "-c", "20", "-m", "32", *(["--h1"] if http == "1.1" else []),
             *(f"https://127.0.0.1:{server.port}/{name}" for name in ("text.txt", "sub/", "sub/dot.png"))],
            capture_output=True, text=True, timeout=LIMIT)
        self.assertIn("6000 done, 6000 succeeded, 0 failed, 0 errored, 0 timeout", done.stdout)
        self.assertIn("status codes: 6000 2xx, 0 3xx, 0 4xx, 0 5xx", done.stdout)
        self.assertIn("Application protocol: " + ("http/1.1" if http == "1.1" else "h2"), done.stdout)
        self.assertEqual(len(server.logged(6000)), 6000)

    def test_bodies_come_back_under_load(self):
        program, http = self.served.split()
        server = Web(self, program)
        done = subprocess.run(
            [tool("h2load", "nghttp2-client"), "-n", "300", "-c", "10", "-m", "10", *(["--h1"] if http == "1.1" else []),
             "-d", str(root() / "sub" / "dot.png"), f"https://127.0.0.1:{server.port}/echo"],
            capture_output=True, text=True, timeout=LIMIT)
        self.assertIn("status codes: 300 2xx", done.stdout)
        self.assertRegex(done.stdout, r"\(900000\) data")


class Wrk(unittest.TestCase):
    def test_a_second_of_requests_has_no_errors(self):
        server = Web(self, "https_server", "--threads", "2")
        done = subprocess.run(
            [tool("wrk", "wrk"), "-t", "2", "-c", "20", "-d", "1", f"https://127.0.0.1:{server.port}/text.txt"],
            capture_output=True, text=True, timeout=LIMIT)
        self.assertGreater(int(re.search(r"(\d+) requests in", done.stdout)[1]), 100)
        self.assertNotRegex(done.stdout, "Socket errors|Non-2xx")


PAGE = """<!DOCTYPE html>
<html><head><title>images</title><link rel="icon" href="data:,"></head><body>%s<pre id="seen"></pre><script>
addEventListener("load", async () => {
    const hex = bytes => [...new Uint8Array(bytes)].map(byte => byte.toString(16).padStart(2, "0")).join("");
    const lines = await Promise.all([...document.images].map(async image => {
        const bytes = await (await fetch(image.src, { cache: "force-cache" })).arrayBuffer();
        return [image.naturalWidth, image.naturalHeight, hex(await crypto.subtle.digest("SHA-256", bytes))].join(" ");
    }));
    document.getElementById("seen").textContent = lines.join("\\n");
});
</script></body></html>
"""


def picture(width, height):
    """A PNG that cannot be compressed."""
    lines = b"".join(b"\0" + random.Random(width).randbytes(3 * width) for _ in range(height))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


class Browser:
    """`program` is set by the variants."""

    IMAGES = 50

    def folder(self):
        folder = tempfile.TemporaryDirectory(prefix="tlsmem-browser-", ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        return pathlib.Path(folder.name)

    def trusted(self):
        """The hash of the server's key, by which the browser trusts it."""
        pem = subprocess.run(["openssl", "x509", "-in", certificate("server.pem"), "-pubkey", "-noout"],
                             check=True, capture_output=True, timeout=LIMIT).stdout
        key = base64.b64decode(b"".join(pem.splitlines()[1:-1]))
        return base64.b64encode(hashlib.sha256(key).digest()).decode()

    def test_a_page_with_fifty_images_is_shown_byte_for_byte(self):
        files = self.folder()
        pictures = [picture(10 + number, 100 - number) for number in range(self.IMAGES)]
        for number, content in enumerate(pictures):
            (files / f"{number}.png").write_bytes(content)
        (files / "index.html").write_text(PAGE % "".join(f'<img src="{number}.png">' for number in range(self.IMAGES)))
        server = Web(self, self.program, "--stats", files=files)
        done = subprocess.run(
            [tool("chromium", "chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--no-first-run", "--disable-background-networking", "--no-proxy-server", f"--user-data-dir={self.folder()}",
             f"--ignore-certificate-errors-spki-list={self.trusted()}", "--virtual-time-budget=60000", "--dump-dom",
             f"https://localhost:{server.port}/"],
            capture_output=True, text=True, timeout=2 * LIMIT)
        self.assertEqual(done.returncode, 0, done.stderr)
        seen = re.search(r'<pre id="seen">(.*?)</pre>', done.stdout, re.DOTALL)[1].split("\n")
        self.assertEqual(seen, [f"{10 + number} {100 - number} {hashlib.sha256(content).hexdigest()}"
                                for number, content in enumerate(pictures)])
        lines = server.logged(self.IMAGES + 1)
        version = "HTTP/2.0" if self.program == "h2_server" else "HTTP/1.1"
        self.assertEqual(sorted(line[0] for line in lines),
                         sorted(f"GET /{name} {version}" for name in ["", *(f"{each}.png" for each in range(self.IMAGES))]))
        self.assertEqual({line[1] for line in lines}, {"200"})
        os.kill(server.pid, signal.SIGTERM)
        self.assertEqual(server.exit_code(), 0, server.stderr.text)
        used = re.findall(r"^protocol=.* alpn=(\S+) in=[1-9]", server.stdout.text, re.MULTILINE)
        if self.program == "h2_server":
            self.assertEqual(used, ["h2"])
        else:
            self.assertEqual(set(used), {"http/1.1"})


variants(globals(), Load, served=("https_server 1.1", "h2_server 1.1", "h2_server 2"))
variants(globals(), Browser, program=("https_server", "h2_server"))

if __name__ == "__main__":
    unittest.main()
