"""The papers of the repository, which are Markdown, as pages of the site; and the files that they speak of."""

import pathlib
import re
import shutil

import markdown

TITLES = {"README.md": "Read me", "CHANGELOG.md": "Changes", "SECURITY.md": "Security", "CONTRIBUTING.md": "Contributing"}


def papers(root):
    """Returns address, title and path of each paper."""
    found = [root / name for name in TITLES if (root / name).exists()] + sorted(root.glob("docs/*.md"))
    found.append(root / "Benchmarks/README.md")
    return [(address(root, path), title(path), path) for path in found if path.exists()]


def address(root, path):
    return str(path.relative_to(root).with_suffix("")).replace("/", "-").lower() + ".html"


def title(path):
    if path.name in TITLES and path.parent.name != "Benchmarks":
        return TITLES[path.name]
    return re.search(r"^# (.*)$", path.read_text(encoding="utf-8"), re.M).group(1)


def rendered(text):
    return markdown.markdown(text, extensions=["tables", "fenced_code", "toc", "sane_lists"])


def introduction(root):
    """Returns the README up to its first section."""
    return rendered((root / "README.md").read_text(encoding="utf-8").split("\n```", 1)[0])


def page(site, path):
    """Returns a paper as HTML. What it refers to is another page of the site, a file of which the site has a copy, or text."""
    known = {paper: to for to, _, paper in site.papers}

    def refer(match):
        attribute, to, rest = match.groups()
        if re.match(r"[a-z]+:|#", to):
            return match.group(0)
        name, _, place = to.partition("#")
        target = (path.parent / name).resolve()
        manual = re.fullmatch(r"(tlsmem[a-z_-]*)\.7", pathlib.Path(name).name)
        if target in known:
            return f'{attribute}="{known[target]}{"#" + place if place else ""}"{rest}'
        if manual and target.exists():
            return f'{attribute}="{manual.group(1)}.7.html"{rest}'
        if target.is_file():
            return f'{attribute}="{copied(site, target)}"{rest}'
        return f'data-file="{name}"{rest}'  # a folder

    body = re.sub(r'(href|src)="([^"]*)"([^>]*>)', refer, rendered(path.read_text(encoding="utf-8")))
    return re.sub(r"(<table.*?</table>)", r'<div class="tables">\1</div>', body, flags=re.S)


def copied(site, path):
    """Copies a file beside the pages, as one that a browser shows."""
    name = f"files/{path.relative_to(site.root)}"
    if path.suffix not in (".png", ".svg"):
        name += ".txt"
    (site.folder / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, site.folder / name)
    return name
