"""Reads what callgrind has written: who spent how many instructions in a stretch, and who called whom how often."""

import collections
import pathlib
import re


class Stretch:
    """One part of the output. A function is a pair: the file name of its object, and its name."""

    def __init__(self, path):
        self.name = None
        self.spent = collections.Counter()  # function: instructions of its own
        self.below = collections.Counter()  # function: instructions of what it called
        self.calls = collections.Counter()  # (caller, function): how often
        where = into = function = None
        is_call = False
        for line in path.read_text(errors="replace").splitlines():
            key, _, value = line.partition("=")
            if key == "ob":
                where = into = pathlib.Path(value).name
            elif key == "fn":
                function, into = (where, value), where
            elif key == "cob":
                into = pathlib.Path(value).name
            elif key == "cfn":
                callee, into = (into, value), where
            elif key == "calls":
                self.calls[function, callee] += int(value.split()[0])
                is_call = True  # the next line says what was spent below
            elif line[:1].isdigit():
                (self.below if is_call else self.spent)[function] += int(line.split()[1])
                is_call = False
            elif line.startswith("desc: Trigger: Client Request: "):
                self.name = line.rsplit(": ", 1)[1]

    def instructions(self, ours):
        return sum(count for (where, _), count in self.spent.items() if where == ours)

    def called(self, pattern, by):
        """How often a function of such a name was called out of an object whose name begins with one of `by`."""
        return sum(count for (caller, function), count in self.calls.items()
                   if caller[0].startswith(by) and pattern.fullmatch(plain(function[1])))


def plain(name):
    """A function's name without its version (malloc@@GLIBC_2.2.5) and without the depth of its recursion (free'2)."""
    return re.split("[@']", name)[0]


def stretches(folder):
    """The stretches that have a name, by name."""
    found = [Stretch(path) for path in folder.iterdir()]
    return {stretch.name: stretch for stretch in found if stretch.name}
