"""The Python package of examples-c/python: what it says of C, held against the compiler."""

import ctypes
import pathlib
import subprocess
import tempfile
import unittest

import asyncio_backends  # noqa: F401: says where package and library are
from support import BUILD, LIMIT, tool

from tlsmem import library, structs

HEADERS = BUILD / "stage" / "include"


class AgainstC(unittest.TestCase):
    """A program in C, made of what the package says, is compiled with the header and asked."""

    def _compile(self, text, *options):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        source, program = (pathlib.Path(folder.name, name) for name in ("said.c", "said"))
        source.write_text("#include <stdio.h>\n#include <tlsmem.h>\n" + text)
        command = [tool("gcc", "gcc"), "-std=c99", "-Wall", "-Werror", f"-I{HEADERS}", source, *options, "-o", program]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
        return program if done.returncode == 0 else None, done.stderr

    def _asked(self, statements):
        program, errors = self._compile(f"int main(void) {{\n{statements}\nreturn 0; }}\n")
        self.assertIsNotNone(program, errors)
        return subprocess.run([program], capture_output=True, check=True, timeout=LIMIT).stdout.decode().splitlines()

    def test_the_prototypes_are_those_of_the_header(self):
        program, errors = self._compile(library.PROTOTYPES, "-c")
        self.assertIsNotNone(program, errors)
        self.assertEqual(len(list(library.prototypes())), library.PROTOTYPES.count(";"))

    def test_a_prototype_that_is_another_is_seen(self):
        for right, wrong in (("size_t", "int"), ("tlsmem_ctx *", "tlsmem *"), ("const char *", "const void *")):
            program, errors = self._compile(library.PROTOTYPES.replace(right, wrong, 1), "-c")
            self.assertIsNone(program, f"{right} was {wrong}")
            self.assertIn("conflicting types", errors)

    def test_numbers_have_the_size_and_the_sign_that_they_have_in_c(self):
        numbers = {name: kind for name, kind in library.NUMBERS.items() if kind}
        numbers.update(dict.fromkeys(library.ENUMS, ctypes.c_int))
        shown = self._asked("\n".join(f'printf("%zu %d\\n", sizeof({name}), ({name})-1 < 0);' for name in numbers))
        for line, (name, kind) in zip(shown, numbers.items()):
            signed = name not in library.ENUMS and kind(-1).value < 0
            size, negative = map(int, line.split())
            self.assertEqual(size, ctypes.sizeof(kind), name)
            if name not in library.ENUMS:  # of which the numbers that are used are checked below
                self.assertEqual(bool(negative), signed, name)

    def test_enumerators_have_their_values(self):
        known = [*library.Status, *library.Constant]
        names = [name for group in (library.Status, library.Constant) for name in group.__members__]
        shown = self._asked("\n".join(f'printf("%d\\n", (int){name});' for name in names))
        expected = [int(value) for group in (library.Status, library.Constant) for value in group.__members__.values()]
        self.assertEqual(dict(zip(names, map(int, shown))), dict(zip(names, expected)))
        self.assertGreater(len(known), 20)

    def test_structs_are_laid_out_as_in_c(self):
        lines, expected = [], []
        for name, struct in structs.STRUCTS.items():
            lines.append(f'printf("%zu\\n", sizeof({name}));')
            expected.append(f"{ctypes.sizeof(struct)}")
            for field, kind in struct._fields_:
                place = f"(({name} *)0)->{field}"
                lines.append(f'printf("%zu %zu\\n", (size_t)&{place}, sizeof({place}));')
                expected.append(f"{getattr(struct, field).offset} {ctypes.sizeof(kind)}")
        self.assertEqual(self._asked("\n".join(lines)), expected)

    def test_members_have_the_sign_that_they_have_in_c(self):
        lines, expected = [], []
        for name, struct in structs.STRUCTS.items():
            for field, kind in struct._fields_:
                if hasattr(kind, "_length_") or field in ("state", "waits_for"):
                    continue
                lines.append(f'{{ {name} one; one.{field} = 0; one.{field}--; printf("{field} %d\\n", one.{field} < 0); }}')
                expected.append(f"{field} {int(kind(-1).value < 0)}")
        self.assertEqual(self._asked("\n".join(lines)), expected)

    def test_a_new_struct_is_what_its_macro_makes(self):
        for name, struct in structs.STRUCTS.items():
            macro = f"{name.upper()}_INIT"
            shown = self._asked("\n".join(
                f'{{ {name} one = {macro}; for (size_t i = 0; i < sizeof one.{field}; i++)'
                f' printf("%02x", ((unsigned char *)&one.{field})[i]); puts(""); }}' for field, _ in struct._fields_))
            made = struct()
            for line, (field, kind) in zip(shown, struct._fields_):
                place = getattr(struct, field)
                self.assertEqual(line, bytes(made)[place.offset:place.offset + place.size].hex(), f"{name}.{field}")
