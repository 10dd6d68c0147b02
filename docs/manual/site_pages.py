"""The manual as a web site: each page by mandoc, the papers by Markdown, one frame around all, and an index for the search."""

import html
import json
import re
import shutil
import subprocess

import papers
import prose


def mandoc(text):
    """Returns a page as HTML, with its headings one step lower, for the page has its title above."""
    made = subprocess.run(["mandoc", "-Thtml", "-Ofragment,man=%N.%S.html"], input=text, stdout=subprocess.PIPE, check=True,
                          text=True, encoding="utf-8").stdout
    for step in (2, 1):
        made = re.sub(rf"<(/?)h{step}\b", rf"<\1h{step + 1}", made)
    return re.sub(r'<table class="(head|foot)">.*?</table>', "", made, flags=re.S)


def outside_tags(text, change):
    """Changes what is read, not the tags; and nothing in links and in programs."""
    parts, inside = re.split(r"(<[^>]*>)", text), 0
    for at, part in enumerate(parts):
        if part.startswith("<"):
            inside += bool(re.match(r"<(a|pre)\b", part)) - bool(re.match(r"</(a|pre)>", part))
        elif not inside:
            parts[at] = change(part)
    return "".join(parts)


def rfc(match):
    number, section = match.group(1), match.group(2)
    place = f"#section-{section}" if section and section[0].isdigit() else f"#appendix-{section}" if section else ""
    return f'<a href="https://www.rfc-editor.org/rfc/rfc{number}{place}">{match.group(0)}</a>'


def plain(text):
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())


class Site:
    def __init__(self, folder, root, header, functions, links):
        self.folder, self.root, self.header = folder, root, header
        self.functions, self.links = functions, links
        self.frame = (root / "docs/site/page.html").read_text(encoding="utf-8")
        self.index = []  # of the search
        self.guides = [path.stem for path in prose.pages(root)]
        self.papers = papers.papers(root)

    def address(self, name):
        """Returns where a name of section 3 is described."""
        page = self.links.get(name, name)
        kind = self.header.types.get(name)
        return f"{page}.3.html" + (f"#{name}" if kind and page != name else "")

    def linked(self, match):
        """Returns a reference to another page; to one that is not of ours, only its name."""
        address, text = match.groups()
        name, section = re.fullmatch(r"(.*)\.(\d)\.html", address).groups()
        if section == "3" and (name in self.functions or name in self.links):
            return f'<a class="Xr" href="{self.address(name)}">{text}</a>'
        if section == "7" and name in self.guides:
            return f'<a class="Xr" href="{name}.7.html">{text}</a>'
        return f'<span class="Xr">{text}</span>'

    def typed(self, match):
        return f'<a href="{self.address(match.group(1))}">{match.group(0)}</a>' if match.group(1) in self.links else match.group(0)

    def figure(self, name):
        return [".Pp", f"FIGURE:{name}"]

    def drawn(self, match):
        return f"<figure>{(self.root / 'docs/site' / (match.group(1) + '.svg')).read_text(encoding='utf-8')}</figure>"

    def manual_page(self, text):
        body = re.sub(r'<a class="Xr" href="([^"]*)">(.*?)</a>', self.linked, mandoc(text))
        body = re.sub(r'<var class="Vt">(tlsmem\w*)</var>', self.typed, body)
        body = re.sub(r'(?:<p class="Pp">)?\s*FIGURE:([a-z-]+)\s*(?:</p>)?', self.drawn, body)
        body = re.sub(r"(<table.*?</table>)", r'<div class="tables">\1</div>', body, flags=re.S)
        return outside_tags(body, lambda part: re.sub(r"RFC (\d{4,5})(?:, ([A-Z0-9][\d.]*\d|[A-Z0-9]))?", rfc, part))

    def nav(self, address):
        def link(to, text):
            return f'<li><a href="{to}"{" aria-current=page" if to == address else ""}>{html.escape(text)}</a></li>'
        lines = ["<h2>Guides</h2>", "<ul>", *(link(f"{name}.7.html", f"{name}(7)") for name in self.guides), "</ul>",
                 "<h2>Papers</h2>", "<ul>", *(link(to, title) for to, title, _ in self.papers), "</ul>", "<h2>Functions</h2>"]
        for group, functions in self.header.groups.items():
            here = any(f"{function.name}.3.html" == address for function in functions)
            lines += [f"<details{' open' if here else ''}><summary>{group}</summary>", "<ul>"]
            lines += [link(f"{function.name}.3.html", name) for function in functions for name in function.names]
            lines += ["</ul></details>"]
        return "\n".join(lines)

    def put(self, address, title, body, brief="", searched=True):
        text = self.frame
        for key, value in (("title", html.escape(title)), ("version", self.header.version), ("body", body),
                           ("nav", self.nav(address))):
            text = text.replace("{" + key + "}", value, 1)
        (self.folder / address).write_text(text, encoding="utf-8")
        if searched:
            self.index.append([title, address, brief, plain(body).lower()])

    def front(self):
        """Returns the first page: what it is, the guides, and all functions by their groups."""
        lines = [papers.introduction(self.root), "<h2>Guides</h2>", "<ul>"]
        lines += [f'<li><a href="{name}.7.html">{name}(7)</a> <span class="brief">{html.escape(self.brief(text))}</span></li>'
                  for name, text in ((path.stem, path.read_text(encoding="utf-8")) for path in prose.pages(self.root))]
        lines += ["</ul>"]
        for group, functions in self.header.groups.items():
            lines += [f"<h2>{group}</h2>", '<ul class="index">']
            lines += [f'<li><a href="{self.address(name)}"><code>{name}</code></a> <span class="brief">'
                      f'{html.escape(self.brief(self.functions[function.name]))}</span></li>'
                      for function in functions for name in function.names]
            lines += ["</ul>"]
        return "\n".join(lines)

    @staticmethod
    def brief(text):
        return re.search(r"^\.Nd (.*)$", text, re.M).group(1)

    def write(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        for name in ("style.css", "search.js"):
            shutil.copy(self.root / "docs/site" / name, self.folder)
        for name, text in self.functions.items():
            self.put(f"{name}.3.html", name, f"<h1>{name}(3)</h1>\n" + self.manual_page(text), self.brief(text))
        self.index += [[name, self.address(name), self.brief(self.functions[page]), ""] for name, page in self.links.items()]
        for path in prose.pages(self.root):
            text = prose.expanded(self.root, path, self.figure)
            self.put(f"{path.stem}.7.html", path.stem, f"<h1>{path.stem}(7)</h1>\n" + self.manual_page(text), self.brief(text))
        for address, title, path in self.papers:
            self.put(address, title, papers.page(self, path), title)
        self.put("index.html", "Manual", self.front(), searched=False)
        self.put("search.html", "Search", '<h1>Search</h1>\n<p><input type="search" aria-label="Words"></p>\n<p id="told"></p>\n'
                 '<ul id="found"></ul>\n<script src="index.js"></script>\n<script src="search.js"></script>', searched=False)
        (self.folder / "index.js").write_text(f"const pages = {json.dumps(self.index, ensure_ascii=False)};\n", encoding="utf-8")


def write(folder, root, header, functions, links):
    Site(folder, root, header, functions, links).write()
