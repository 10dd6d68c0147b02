"""Reads include/tlsmem.h: what is declared there, and what the comments say of it."""

import dataclasses
import re


@dataclasses.dataclass
class Member:
    """A field of a struct, or a value of an enum."""
    name: str
    declaration: str  # of a field; of a value its number
    text: str
    value: str = ""   # of a field that the program sets: what its _INIT macro gives it


@dataclasses.dataclass
class Type:
    name: str
    kind: str         # "struct", "enum", "callback", "handle", "macro"
    declaration: str
    text: str
    members: list = dataclasses.field(default_factory=list)
    initialiser: str = ""


@dataclasses.dataclass
class Function:
    """One comment, and the functions that it is of: as a rule one."""
    names: list
    prototypes: list  # (type, name, [argument])
    text: str
    group: str
    checked: bool = False  # the compiler warns where the result is not used

    @property
    def name(self):
        return self.names[0]


@dataclasses.dataclass
class Note:
    """A comment about what follows it."""
    text: str
    group: str


@dataclasses.dataclass
class Header:
    functions: list
    types: dict
    notes: list
    version: str

    def __post_init__(self):
        self.page_of = {name: function.name for function in self.functions for name in function.names}
        self.statuses = {m.name: m.text for m in self.types["tlsmem_status"].members}
        self.fields = {m.name for t in self.types.values() if t.kind == "struct" for m in t.members} - {"size"}

    @property
    def groups(self):
        """Returns the sections of the header with their functions, in order."""
        groups = {}
        for function in self.functions:
            groups.setdefault(function.group, []).append(function)
        return groups


def uncomment(comment):
    """Returns the text of a comment, with its paragraphs and its indented lines, without the stars."""
    inner = re.sub(r"^/\*\*?<?|\*/$", "", comment.strip())
    lines = [re.sub(r"^\s*\* ?", "", line) for line in inner.split("\n")]
    lines = [re.sub(r"^ (?! )", "", line).rstrip() for line in lines]
    text = "\n".join(lines).strip("\n")
    return re.sub(r"(?<=[.)])\n(?=Returns |Lifetime:|Calls |May call back|With an fd)", "\n\n", text)


def joined(text):
    return " ".join(text.split())


def members_of(body, enum):
    """Returns the members between the braces of a struct or an enum."""
    pattern = r"/\*\*<.*?\*/|/\*\*.*?\*/|[^/,;]+=[^/,]*,?|[^/;]+;" if enum else r"/\*\*<.*?\*/|/\*\*.*?\*/|[^/;]+;"
    members, leading = [], ""
    for piece in (match.group(0).strip() for match in re.finditer(pattern, body, re.S)):
        if piece.startswith("/**<"):
            members[-1].text = joined(uncomment(piece))
        elif piece.startswith("/**"):
            leading = joined(uncomment(piece))
        elif enum:
            name, _, value = piece.rstrip(",").partition("=")
            members.append(Member(name.strip(), value.strip(), leading))
            leading = ""
        else:
            declaration = joined(piece.rstrip(";"))
            name = re.search(r"\(\*(\w+)\)|(\w+)(?:\[\d+\])?$", declaration)
            members.append(Member(name.group(1) or name.group(2), declaration, leading))
            leading = ""
    return members


def arguments(text):
    """Splits the arguments of a function at the commas that are in no parentheses."""
    parts, depth, part = [], 0, ""
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append(part.strip())
            part = ""
        else:
            part += letter
    return [*parts, part.strip()]


def chunks(source):
    """Cuts the header into comments, macros and declarations, each with the line that it begins on."""
    pattern = re.compile(r"/\*.*?\*/|^#(?:[^\n]*\\\n)*[^\n]*|typedef (?:struct|enum) \w+ \{.*?\} \w+;|[^\s/#}][^;/]*;",
                         re.S | re.M)
    for match in pattern.finditer(source):
        yield match.group(0), source.count("\n", 0, match.start()), source.count("\n", 0, match.end())


def read(path):
    with open(path, encoding="utf-8") as file:
        source = file.read()
    number = {part: re.search(rf"#define TLSMEM_VERSION_{part} (\d+)", source).group(1) for part in ("MAJOR", "MINOR", "PATCH")}
    functions, types, notes = [], {}, []
    group = pending = None
    last, last_line = None, -1  # what a comment behind a declaration, or a macro, or a twin belongs to
    for chunk, begin, end in chunks(source[source.index("/* ---"):]):
        if chunk.startswith("/* ---"):
            group, pending = chunk.strip("/* -\n"), None
        elif chunk.startswith("/**<"):
            last.text = joined(uncomment(chunk))
        elif chunk.startswith("/**"):
            pending = uncomment(chunk)
        elif chunk.startswith("/*"):
            if not chunk.startswith("/* TLSMEM_H"):
                notes.append(Note(uncomment(chunk), group))
        elif chunk.startswith("#define"):
            name = re.match(r"#define (\w+)", chunk).group(1)
            if name.endswith("_INIT"):
                last.initialiser = name
                set_defaults(last, chunk)
            elif re.match(r"TLSMEM_\w+$", name) and name != "TLSMEM_CHECK":
                types[name] = Type(name, "macro", joined(chunk.replace("\\\n", " ")), joined(pending or ""))
            pending = None
        elif chunk.startswith("typedef"):
            last = read_type(chunk, pending or "")
            types[last.name] = last
            pending = None
        elif chunk.startswith("#") or "tlsmem_" not in chunk:
            continue
        else:
            kind, name, rest = re.match(r"(.*?)\b(tlsmem_\w+)\((.*)\)\s*(?:TLSMEM_CHECK)?;$", joined(chunk)).groups()
            prototype = kind.strip(), name, arguments(rest)
            if pending is None and isinstance(last, Function) and begin == last_line + 1:
                last.names.append(name)
                last.prototypes.append(prototype)
            else:
                last = Function([name], [prototype], pending or "", group, "TLSMEM_CHECK" in chunk)
                functions.append(last)
            pending = None
        last_line = end
    return Header(functions, types, notes, ".".join(number.values()))


def set_defaults(kind, macro):
    """Notes what the macro of a struct gives its fields, if these are the program's to set."""
    if not re.search(r"_(limits|options|faults)$", kind.name):
        return
    values = arguments(re.search(r"\{(.*)\}", macro.replace("\\\n", " "), re.S).group(1))
    for member, value in zip(kind.members[1:], values[1:], strict=True):
        if re.fullmatch(r"-?\d+|\w+", value) and "(*" not in member.declaration and "*" not in member.declaration:
            member.value = value


def read_type(chunk, text):
    match = re.match(r"typedef (struct|enum) (\w+) \{(.*)\} \w+;", chunk, re.S)
    if match:
        kind, name, body = match.groups()
        return Type(name, kind, f"{kind} {name}", text, members_of(body, kind == "enum"))
    match = re.match(r"typedef struct (\w+) \w+;", chunk)
    if match:
        return Type(match.group(1), "handle", joined(chunk), text)
    return Type(re.search(r"\(\*(\w+)\)", chunk).group(1), "callback", joined(chunk), text)
