#!/usr/bin/env python3
"""Looks at the site of the manual: site.py links|colours|browser FOLDER. It prints what is wrong, and nothing else."""

import functools
import html.parser
import http.server
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.parse


class Page(html.parser.HTMLParser):
    """What a page refers to, and the places that it has."""

    def __init__(self, path):
        super().__init__()
        self.links, self.places = [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("href", "src") and value is not None:
                self.links.append(value)
            if name == "id":
                if value in self.places and tag != "svg":
                    self.links.append(f"#twice:{value}")
                self.places.add(value)


def links(folder):
    """Every link of the site's own leads to a page that is there, and to a place in it."""
    pages = {path.name: Page(path) for path in folder.glob("*.html")}
    if len(pages) < 200:
        print(f"only {len(pages)} pages")
    for name, page in pages.items():
        for link in page.links:
            if re.match(r"(https?|data|mailto):", link):
                continue
            to, _, place = urllib.parse.unquote(link).partition("#")
            target = (folder / (to or name)).resolve()
            if not target.is_file():
                print(f"{name}: {link}: no such page")
            elif place and target.suffix == ".html" and place not in pages[target.name].places:
                print(f"{name}: {link}: no such place")


def luminance(colour):
    parts = [int(colour[at:at + 2], 16) / 255 for at in (1, 3, 5)]
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def colours(folder):
    """What is written has a contrast of 4.5 to what it is written on (WCAG 2.2, 1.4.3), in both schemes."""
    schemes = re.findall(r":root \{([^}]*)\}", (folder / "style.css").read_text(encoding="utf-8"))
    if len(schemes) != 2:
        print(f"{len(schemes)} schemes")
    for number, scheme in enumerate(schemes):
        named = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", scheme))
        for ink in ("ink", "muted", "accent"):
            for paper in ("paper", "code"):
                light, dark = sorted((luminance(named[ink]), luminance(named[paper])), reverse=True)
                if (light + 0.05) / (dark + 0.05) < 4.5:
                    print(f"{ink} on {paper}, scheme {number}: {(light + 0.05) / (dark + 0.05):.2f}")


# Opens every page in a frame that is 400 px wide, and says which are wider; asks the search; writes it all into itself.
PROBE = """<!DOCTYPE html><meta charset="utf-8"><title>probe</title><pre id="said">not done</pre><script>
const pages = PAGES, said = [];
async function open(address, width) {
    const frame = document.createElement("iframe");
    frame.style.cssText = `width:${width}px;height:800px;border:0`;
    frame.src = address;
    document.body.append(frame);
    await new Promise(done => frame.onload = done);
    return frame;
}
(async () => {
    for (const page of pages) {
        const frame = await open(page, 400), root = frame.contentDocument.documentElement;
        if (root.scrollWidth > 400) said.push(`${page}: ${root.scrollWidth} px wide`);
        if (parseFloat(frame.contentWindow.getComputedStyle(root).fontSize) < 14) said.push(`${page}: small letters`);
        frame.remove();
    }
    for (const [words, first] of SEARCHES) {
        const frame = await open("search.html?q=" + encodeURIComponent(words), 400);
        const link = frame.contentDocument.querySelector("#found a");
        if ((link ? link.getAttribute("href") : null) !== first) said.push(`search for ${words}: ${link && link.href}`);
        frame.remove();
    }
    document.querySelector("#said").textContent = "done " + pages.length + "\\n" + said.join("\\n");
})();
</script>"""
SEARCHES = [["tlsmem_write", "tlsmem_write.3.html"], ["tlsmem_cipher_name", "tlsmem_protocol_name.3.html"],
            ["xn--bcher IDNA2008", "tlsmem_set_server_name.3.html"], ["no page has these words xyzzy", None]]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def browser(folder):
    """Opens all pages in Chromium, on a port of the loopback."""
    chromium = shutil.which("chromium")
    if chromium is None:
        return print("no chromium (Debian: apt-get install chromium)")
    names = sorted(path.name for path in folder.glob("*.html"))
    with tempfile.TemporaryDirectory() as place:
        site = pathlib.Path(place, "site")
        shutil.copytree(folder, site)
        (site / "probe.html").write_text(PROBE.replace("PAGES", json.dumps(names)).replace("SEARCHES", json.dumps(SEARCHES)), encoding="utf-8")
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=site)) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            made = subprocess.run(
                [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--enable-logging=stderr",
                 "--timeout=60000", "--virtual-time-budget=600000", f"--user-data-dir={place}/profile", "--dump-dom",
                 f"http://127.0.0.1:{server.server_address[1]}/probe.html"],
                capture_output=True, text=True, timeout=120, check=False)
            server.shutdown()
    for line in made.stderr.splitlines():
        if "CONSOLE" in line:
            print(line)
    said = re.search(r'<pre id="said">(.*?)</pre>', made.stdout, re.S)
    lines = said.group(1).split("\n") if said else ["nothing"]
    if lines[0] != f"done {len(names)}":
        print(f"the browser says: {lines[0]}")
    print("\n".join(lines[1:]), end="")


if __name__ == "__main__":
    {"links": links, "colours": colours, "browser": browser}[sys.argv[1]](pathlib.Path(sys.argv[2]))
