"""Turns the text of a comment into mdoc(7), which mandoc and groff read."""

import re
import textwrap

CLOSING = ".,:;)]?!"
MACROS = re.compile(r"[A-Z][a-z]$|[A-Z][a-z]{2}$|%.$")  # words that mdoc would take for a macro on a line of macros


def escaped(text):
    """Returns text that roff prints as it is."""
    text = text.replace("\\", r"\e")
    return r"\&" + text if text[:1] in (".", "'") else text


def argument(text):
    """Returns one argument of a macro."""
    text = escaped(text).replace('"', r"\(dq")
    if MACROS.match(text) or text in CLOSING or text in ("(", "[", "|"):
        text = r"\&" + text
    return f'"{text}"' if " " in text or not text else text


def paragraphs(text):
    """Cuts a comment into ("text", words), ("code", lines) and ("item", words)."""
    lines = []
    for line in [*text.split("\n"), ""]:
        kind = ("code" if line.startswith("    ") else "item" if line.startswith("- ") else
                "more" if line.startswith("  ") else "text" if line else None)
        if lines and (kind is None or kind == "item" or (kind != lines[0] and kind != "more")):
            if kind is None and lines[0] == "code":  # a blank line may be in the middle of code
                lines.append("")
                continue
            yield from finished(lines)
            lines = []
        if kind:
            lines = lines or [kind]
            lines.append(line)
    yield from finished(lines)


def finished(lines):
    if not lines:
        return
    kind, *lines = lines
    if kind == "code":
        yield kind, textwrap.dedent("\n".join(lines)).strip("\n").split("\n")
    else:
        yield kind, " ".join(" ".join(lines).removeprefix("- ").split())


def sentences(text):
    """Cuts a paragraph behind each full stop that ends a sentence."""
    return [part for part in re.split(r'(?<=[.!?])(?<!\.\.\.)\s+(?=[A-Z"(])|(?<=[.!?]["\)])\s+(?=[A-Z])', text) if part]


class Writer:
    """Writes text of one page; `header` knows which words are names, `own` are the functions that the page is about."""

    def __init__(self, header, own=(), parameters=()):
        self.header, self.own, self.parameters = header, own, set(parameters)

    def macro(self, word):
        """Returns the macro that a word is worth, as a list; None for an ordinary one."""
        header = self.header
        if word.startswith("`"):
            inner = word.strip("`")
            return ["Fa", inner] if inner in self.parameters else ["Ql", argument(inner)]
        if word in self.own:
            return ["Fn", word]
        if word in header.page_of:
            return ["Xr", word, "3"]
        if word in header.types and not word.startswith("TLSMEM"):
            return ["Vt", word]
        if re.fullmatch(r"TLSMEM_\w*[A-Z0-9]", word):
            return ["Dv", word]
        if "_" in word and (word in header.fields or word in self.parameters):
            return ["Va", word]
        return None

    def text(self, text):
        """Returns the lines of one paragraph."""
        lines, plain = [], []

        def flush():
            if plain:
                lines.extend(escaped(line) for line in textwrap.wrap(" ".join(plain), 78, break_on_hyphens=False,
                                                                     break_long_words=False))
                plain.clear()

        for sentence in sentences(text):
            quoted = re.sub(r"`[^`]*`", lambda match: match.group(0).replace(" ", "\0"), sentence)
            for word in (word.replace("\0", " ") for word in quoted.split()):
                opening, core, rest = re.match(r"^([(\[\"]*)(`[^`]*`|\w*)(.*)$", word, re.S).groups()
                macro = self.macro(core) if core else None
                if macro is None:
                    plain.append(word)
                    continue
                flush()
                lines.append("." + " ".join(self.delimited(opening, macro, rest)))
            flush()
        return lines

    @staticmethod
    def delimited(opening, macro, rest):
        """Returns a line of a macro with what stands before and behind it without a space."""
        closing = re.match(rf"[{re.escape(CLOSING)}]*$", rest)
        if opening == "(" and rest.startswith(")") and closing:
            return ["Pq", *macro, *rest[1:]]
        words = [*macro, *rest] if closing else [*macro, "Ns", argument(rest)]
        for letter in reversed(opening):
            words = ["No", argument(letter), "Ns", *words]
        return words

    def body(self, text):
        """Returns the lines of a whole comment."""
        lines, listed = [], False
        for number, (kind, content) in enumerate(paragraphs(text)):
            if listed and kind != "item":
                lines.append(".El")
            if kind == "code":
                lines += [".Bd -literal", *(escaped(line) for line in content), ".Ed"]
            elif kind == "item":
                lines += ([] if listed else [".Bl -bullet -compact"]) + [".It", *self.text(content)]
            else:
                lines += ([".Pp"] if number else []) + self.text(content)
            listed = kind == "item"
        return lines + ([".El"] if listed else [])
