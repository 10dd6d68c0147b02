"""Makes a page of section 3 for each function of the header, and links for its twins and for types."""

import re

from briefs import BRIEFS
from mdoc import Writer, argument, sentences

# What the comments that stand before several functions are called, and which functions they are about.
NOTES = (
    ("Every setter returns", None, r"tlsmem_ctx_(set|add|remove|insecure|request|require)_"),
    ("Files are regular ones", "Files", r"tlsmem_ctx_(set|add)_(cert|key|pkcs12|keypair|ca|accepted_ca|crl|ocsp_response)(_(file|mem))?$"),
    ("Lists of ciphers", "Lists", r"tlsmem_ctx_set_(ciphers|groups|signature_algorithms)"),
    ("A fleet of servers", "Keys of a fleet", r"tlsmem_ctx_(add|remove|set)_ticket_keys?(_file|_mem)?$"),
    ("Questions of a handshake", "Questions", r"tlsmem_answer$|tlsmem_ctx_set_(client_hello|verify|ocsp|psk|ticket_key|sign|client_cert)_cb$|tlsmem_ctx_set_session_callbacks$"),
    ("Renewal without restart", "Renewal", r"tlsmem_ctx_(reload|stats)$|tlsmem_generation$"),
    ("A client that offers a session", "Sessions", r"tlsmem_session_|tlsmem_is_resumed$"),
    ("With a session of TLS 1.3", "Early data", r"early"),
    ("The peer's certificate, of", "The peer's certificate", r"tlsmem_(peer|verify|ocsp)_|tlsmem_.*_der$|tlsmem_.*san"),
    ("For a program's tests", "The test kit", r"tlsmem_(wire|pair)_"),
)

# The first word of a comment, which tells what the function does, and how it is said on a line of its own.
VERBS = {"Has": "have", "Does": "do", "Tells": "tell", "Fills": "fill"}
# Types that a page describes besides those of its arguments and of its comment.
ALSO = {"tlsmem_strerror": ("tlsmem_status",)}

# Sentences behind what is returned that are about something else.
AFTER = r"Lifetime:|Calls |May call back|Any thread|It calls nothing back"

SEE_MOST = 14


def verb(word):
    if word in VERBS:
        return VERBS[word]
    if re.fullmatch(r"[A-Z][a-z]+s", word):
        stem = word[:-1]
        if word.endswith("ies"):
            stem = word[:-3] + "y"
        elif re.search(r"(sses|shes|ches|xes)$", word):
            stem = word[:-2]
        return stem.lower()
    return word if word[1:2].isupper() else word[0].lower() + word[1:]


def brief(function):
    """Returns what a function does, on one line."""
    if function.name in BRIEFS:
        return BRIEFS[function.name]
    first, _, rest = sentences(" ".join(function.text.split()))[0].partition(" ")
    text = re.split(r"[.;:](?= |$)|, (?=which|so that|also|and |at |in |or )| \(", f"{verb(first)} {rest}")[0]
    while len(text) > 74 and "," in text:
        text = text.rpartition(",")[0]
    return text


def returned(text):
    """Cuts a comment into what the function does and what it returns."""
    does, returns, after = [], [], []
    for paragraph in re.split(r"\n\n+", text):
        parts = sentences(" ".join(paragraph.split())) if "\n    " not in paragraph and "\n- " not in paragraph else [paragraph]
        at = next((i for i, part in enumerate(parts) if re.match(r"Returns? ", part)), len(parts))
        does.append(" ".join(parts[:at]))
        returns.append(" ".join(part for part in parts[at:] if not re.match(AFTER, part)))
        after.append(" ".join(part for part in parts[at:] if re.match(AFTER, part)))
    return tuple("\n\n".join(filter(None, parts)) for parts in (does + after, returns))


class Pages:
    def __init__(self, header, date, examples):
        self.header, self.date, self.examples = header, date, examples
        self.described = {}  # in which page a type is first
        for note in header.notes:
            if not any(note.text.startswith(begin) for begin, _, _ in NOTES):
                raise SystemExit(f"docs/manual/pages.py: NOTES does not know: {note.text[:60]}")

    def notes(self, function):
        for begin, title, pattern in NOTES:
            if re.match(pattern, function.name) or (not pattern.startswith("tlsmem") and re.search(pattern, function.name)):
                yield title, next(note.text for note in self.header.notes if note.text.startswith(begin))

    def types(self, function):
        """Returns the types that a function's page has to describe: of its arguments, and those that its comment names."""
        spoken = " ".join(" ".join([kind, *args]) for kind, _, args in function.prototypes)
        named = re.findall(r"\btlsmem_\w+", spoken) + re.findall(r"\btlsmem_\w+", function.text)
        named += [kind.name for kind in self.header.types.values() if kind.kind == "enum" and kind.name != "tlsmem_status" and
                  any(re.search(rf"\b{member.name}\b", function.text) for member in kind.members)]
        found = []
        for name in [*named, *ALSO.get(function.name, ())]:
            self.add_type(found, name, name in ALSO.get(function.name, ()))
        return found

    def add_type(self, found, name, wanted=False):
        """Adds a type, and those that it is made of."""
        kind = self.header.types.get(name)
        if not kind or kind in found or kind.kind not in ("struct", "enum", "callback") or (name == "tlsmem_status" and not wanted):
            return
        found.append(kind)
        for declaration in [kind.declaration, *(member.declaration for member in kind.members if kind.kind == "struct")]:
            for inner in re.findall(r"\btlsmem_\w+", declaration):
                self.add_type(found, inner)

    def type_section(self, kind, writer):
        lines = [f".Ss {kind.name}"]
        if kind.kind == "callback":
            lines += [".Bd -literal", *folded(kind.declaration), ".Ed"]
            lines += [".Pp"] if kind.text else []
        lines += writer.body(kind.text)
        if kind.initialiser:
            says = "One is made with" if not any(member.value for member in kind.members) else "As below, one is made with"
            lines += [*([".Pp"] if kind.text else []), says, f".Dv {kind.initialiser} ."]
        members = [member for member in kind.members if member.name != "size"]
        if members:
            lines.append(".Bl -tag -width Ds")
            for member in members:
                default = f" No = {member.value}" if member.value else ""
                lines.append(f".It Dv {member.name}" if kind.kind == "enum" else f".It Vt {argument(member.declaration)}{default}")
                lines += writer.text(member.text)
            lines.append(".El")
        return lines

    def page(self, function, neighbours):
        header = self.header
        parameters = [re.search(r"\(\*(\w+)\)|(\w+)$", arg) for _, _, args in function.prototypes for arg in args if arg != "void"]
        writer = Writer(header, function.names, [match.group(1) or match.group(2) for match in parameters])
        does, returns = returned(function.text)
        lines = [r'.\" Made from include/tlsmem.h.', f".Dd {self.date}", f".Dt {function.name.upper()} 3",
                 ".Os", ".Sh NAME"]
        lines += [f".Nm {name}" + (" ," if name != function.names[-1] else "") for name in function.names]
        lines += [f".Nd {brief(function)}", ".Sh SYNOPSIS", ".In tlsmem.h"]
        for kind, name, args in function.prototypes:
            lines += [f".Ft {argument(kind)}", f".Fo {name}", *(f".Fa {argument(arg)}" for arg in args), ".Fc"]
        if not does:
            does, returns = returns, ""
        lines += [".Sh DESCRIPTION", *writer.body(does)]
        types = self.types(function)
        for kind in types:
            self.described.setdefault(kind.name, function.name)
            lines += self.type_section(kind, writer)
        for title, text in self.notes(function):
            about, shared = returned(text) if title else ("", text)
            if about:
                lines += [f".Ss {title}", *writer.body(about)]
            if shared and "TLSMEM_OK" not in returns and (does or not title):
                returns = "\n\n".join(filter(None, [returns, shared]))
        if returns:
            lines += [".Sh RETURN VALUES", *writer.body(returns)]
        if function.checked:
            lines += [".Pp", "The compiler warns where what it returns is not used."]
        lines += self.example_section(function)
        lines += self.errors(function, returns or does, writer)
        return lines + self.see_also(function, neighbours)

    def example_section(self, function):
        used = [path for path, text in self.examples.items() if any(re.search(rf"\b{name}\(", text) for name in function.names)]
        if not used:
            return []
        return [".Sh EXAMPLES", "Among the programs of", ".Pa examples-c", "these call it:",
                *(f".Pa {path}" + (" ," if path != used[:4][-1] else " .") for path in used[:4])]

    def errors(self, function, returns, writer):
        """Returns the section about the codes that a function returns, by what is said of that."""
        codes = [name for name in self.header.statuses if re.search(rf"\b{name}\b", returns)]
        if not any(kind in ("int", "ptrdiff_t") for kind, _, _ in function.prototypes) or codes == ["TLSMEM_AGAIN"]:
            return []
        codes = [name for name in codes if name != "TLSMEM_OK"]
        if not codes:
            return []
        lines = [".Sh ERRORS", "The codes that are spoken of above.", ".Xr tlsmem_strerror 3",
                 "has a sentence for each, and", ".Xr tlsmem-errors 7", "says what to do.", ".Bl -tag -width Ds"]
        for code in codes:
            lines += [f".It Dv {code}", *writer.text(self.header.statuses[code])]
        return [*lines, ".El"]

    def see_also(self, function, neighbours):
        mentioned = [name for name in re.findall(r"\btlsmem_\w+", function.text) if name in self.header.page_of]
        names = list(dict.fromkeys([*mentioned, *neighbours]))
        names = [name for name in names if name not in function.names][:SEE_MOST]
        links = [(name, 3) for name in sorted(names)] + [("tlsmem", 7), ("tlsmem-errors", 7)]
        return [".Sh SEE ALSO", *(f".Xr {name} {section}" + (" ," if (name, section) != links[-1] else "")
                                   for name, section in links)]

    def everything(self):
        """Returns the pages of section 3 by their names, and which name is said by which other page: twins, and types."""
        pages, links = {}, {}
        for functions in self.header.groups.values():
            for at, function in enumerate(functions):
                neighbours = [near.name for near in functions[max(0, at - 1):at + 2]]
                pages[function.name] = "\n".join(self.page(function, neighbours)) + "\n"
                links |= {twin: function.name for twin in function.names[1:]}
        for kind in self.header.types.values():
            if kind.kind in ("struct", "enum", "callback") and kind.name not in self.described:
                raise SystemExit(f"docs/manual/pages.py: no page describes {kind.name}")
        return pages, links | self.described


def folded(declaration):
    """Breaks a declaration behind its name and at commas, for 76 columns."""
    lines, indent = [""], " " * 4
    for word in re.split(r"(?<=,) ", declaration):
        if len(lines[-1]) + len(word) > 74:
            lines.append(indent)
        lines[-1] += word + ("" if word.endswith(";") else " ")
    return [line.rstrip() for line in lines]
