"""tlsmem_load, and what it says of what does not serve: no library, another, an incomplete one, an older one."""

import pathlib
import re
import subprocess
import tempfile
import unittest

from plugin_support import HEADERS, HERE, LIBRARY, made
from support import LIMIT

OK, ESYSTEM, ECONFIG = 0, -6, -7
NAMES = [line.split()[0] for line in (HERE.parent / "ABI/symbols.txt").read_text(encoding="utf-8").splitlines()]
VERSION = tuple(int(number) for number in re.findall(
    r"#define TLSMEM_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", (HEADERS / "tlsmem.h").read_text(encoding="utf-8")))
MAJOR, MINOR, PATCH = VERSION


def text(version):
    return ".".join(map(str, version))


def run(*command, **how):
    return subprocess.run([str(word) for word in command], check=True, timeout=4 * LIMIT, capture_output=True, text=True,
                          **how).stdout


class Load(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def library(self, name="libtlsmem.so.0", version=VERSION, without=(), symbols="TLSMEM_0"):
        """Builds a library with these functions, all of which do nothing, but for tlsmem_version and tlsmem_version_string."""
        major, minor, patch = version
        bodies = {name: f"void {name}(void) {{}}" for name in NAMES if name not in without}
        if "tlsmem_version" in bodies:
            bodies["tlsmem_version"] = f"unsigned tlsmem_version(void) {{ return {major << 16 | minor << 8 | patch}; }}"
        if "tlsmem_version_string" in bodies:
            bodies["tlsmem_version_string"] = f'const char *tlsmem_version_string(void) {{ return "{text(version)}"; }}'
        (self.folder / "map").write_text(f"{symbols} {{ global: tlsmem_*; local: *; }};\n", encoding="utf-8")
        path = self.folder / name
        run("gcc", "-shared", "-fPIC", "-x", "c", "-o", path, f"-Wl,-soname={path.name}",
            f"-Wl,--version-script={self.folder / 'map'}", "-", input="\n".join(bodies.values()))
        return path

    def says(self, *paths, program=None, stay=False):
        """Loads each and gives it back, whether or not it served; returns the status, and the version or the sentence."""
        lines = [line.split(" ", 2) for line in run(program or made() / "load", *paths).splitlines()]
        self.assertEqual([what for _, what, _ in lines], ["stays" if stay else "goes"] * len(paths))
        return [(int(status), said) for status, _, said in lines]

    def newer(self, version):
        """Builds load.c against a header of another version."""
        include = self.folder / "include"
        include.mkdir(exist_ok=True)
        header = (HEADERS / "tlsmem.h").read_text(encoding="utf-8")
        for part, number in zip(("MAJOR", "MINOR", "PATCH"), version):
            header = re.sub(rf"#define TLSMEM_VERSION_{part} \d+", f"#define TLSMEM_VERSION_{part} {number}", header)
        (include / "tlsmem.h").write_text(header, encoding="utf-8")
        (include / "tlsmem_dynamic.h").write_text((HEADERS / "tlsmem_dynamic.h").read_text(encoding="utf-8"), encoding="utf-8")
        program = self.folder / f"load-{text(version)}"
        run("gcc", f"-I{include}", HERE / "plugins/load.c", "-ldl", "-o", program)
        return program

    def test_the_library_itself_by_its_path_and_by_its_soname(self):
        self.assertEqual(self.says(LIBRARY, "libtlsmem.so.0", LIBRARY, stay=True), [(OK, text(VERSION))] * 3)

    def test_files_that_are_no_library(self):
        (self.folder / "text").write_text("hello\n", encoding="utf-8")
        missing, folder, words, long = self.folder / "missing", self.folder, self.folder / "text", "/" + "x" * 3000
        said = self.says(missing, folder, words, long)
        self.assertEqual([status for status, _ in said], [ESYSTEM] * 4)
        self.assertEqual(said[0][1], f"{missing}: cannot open shared object file: No such file or directory")
        for path, (_, sentence) in zip((folder, words), said[1:3]):
            self.assertRegex(sentence, rf"^{re.escape(str(path))}: \w+")
        self.assertEqual(len(said[3][1]), 255)

    def test_libraries_of_other_people(self):
        # The last of them is the program itself. Those but the first are never unmapped, or are there anyway.
        for name in ("libz.so.1", "libssl.so.3", "libc.so.6", ""):
            with self.subTest(name=name):
                self.assertEqual(self.says(name, stay=name != "libz.so.1"), [
                    (ECONFIG, f"{name} is no libtlsmem: it has no tlsmem_version")])

    def test_a_library_that_lacks_a_function_is_refused_with_its_name(self):
        path = self.library()
        self.assertEqual(self.says(path), [(OK, text(VERSION))])  # so far nothing is wrong with it
        for name in ("tlsmem_version_string", "tlsmem_feed", NAMES[-1]):
            path = self.library(without=[name])
            self.assertEqual(self.says(path), [
                (ECONFIG, f"{path} is version {text(VERSION)}, this was built for {text(VERSION)}, and it has no {name}")])

    def test_a_library_with_another_binary_interface_is_refused(self):
        path = self.library("libtlsmem.so.1", version=(MAJOR, MINOR + 1, 0), symbols="TLSMEM_1")
        self.assertEqual(self.says(path), [
            (ECONFIG, f"{path} has another binary interface than TLSMEM_0, that of libtlsmem.so.0")])

    def test_an_older_minor_version_is_refused_and_an_older_patch_is_not(self):
        wanted = (MAJOR, MINOR + 2, 3)
        program = self.newer(wanted)
        for version, without, rest in (((MAJOR, MINOR + 1, 9), [], ""),
                                       ((MAJOR, MINOR + 1, 9), ["tlsmem_writev"], ", and it has no tlsmem_writev")):
            path = self.library(version=version, without=without)
            self.assertEqual(self.says(path, program=program), [
                (ECONFIG, f"{path} is version {text(version)}, this was built for {text(wanted)}{rest}")])
        self.assertEqual(self.says(LIBRARY, program=program, stay=True), [
            (ECONFIG, f"{LIBRARY} is version {text(VERSION)}, this was built for {text(wanted)}")])
        for version in ((MAJOR, MINOR + 2, 0), wanted, (MAJOR, MINOR + 3, 0), (MAJOR + 1, 0, 0)):
            self.assertEqual(self.says(self.library(version=version), program=program), [(OK, text(version))])


if __name__ == "__main__":
    unittest.main()
