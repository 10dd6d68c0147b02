#!/usr/bin/env python3
"""Says which lines of Sources were reached, and holds what was not against `reasons`.

    Tests/Coverage/report.py LLVM-BIN FOLDER PART... [--tidy]

FOLDER has debug/libtlsmem.so and counters/PART/*.profraw. Prints the sum after each part, a table of files, and the regions
that nothing has reached and that have no reason: lines behind each other, told by their file and by the text of the first.
A line is reached when any of it is; what of such lines was not reached (what follows the else of a guard, above all) is
counted, and in FOLDER/within. With --tidy the reasons for what is reached by now, or gone, leave the list: what is gone is a failure, and what is reached may be so by
chance, of threads or of which faults a sweep tries. The last line is
"coverage: N passed, M failed".
"""

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
REASONS = pathlib.Path(__file__).resolve().parent / "reasons"
LEAST = 95.0  # percent of the lines


class File:
    """What was counted in one file: its lines with code as {number: reached}, and the regions without a count."""

    def __init__(self, entry):
        path = pathlib.Path(entry["filename"])
        self.name = str(path.relative_to(ROOT))
        self.text = path.read_text().splitlines()
        self.lines = {}
        parts = set()  # lines of which something was not reached
        ends = [segment[:2] for segment in entry["segments"][1:]]
        for (line, column, count, is_counted, *_), (line_after, column_after) in zip(entry["segments"], ends):
            for number in range(line, line_after + 1) if is_counted else ():
                if is_code(self.part(number, line, column, line_after, column_after)):
                    self.lines[number] = self.lines.get(number, False) or count > 0
                    if count == 0:
                        parts.add(number)
        self.regions, is_behind = [], False
        for number in sorted(self.lines):
            if self.lines[number]:
                is_behind = False
            elif is_behind:
                self.regions[-1][1] = number
            else:
                self.regions.append([number, number])
                is_behind = True
        self.within = sorted(number for number in parts if self.lines[number])

    def part(self, number, line, column, line_after, column_after):
        """Returns what of a line lies between two places."""
        return self.text[number - 1][column - 1 if number == line else 0:column_after - 1 if number == line_after else None]

    def key(self, region):
        return f"{self.name}: {self.text[region[0] - 1].strip()}"


def is_code(text):
    text = text.split("//")[0]
    return any(character.isalnum() for character in text)


def counted(tools, folder, parts):
    """What was counted by these parts together."""
    merged = folder / "merged.profdata"
    raw = [path for part in parts for path in sorted((folder / "counters" / part).glob("*.profraw"))]
    subprocess.run([tools / "llvm-profdata", "merge", "-o", merged, *raw], check=True)
    exported = subprocess.run([tools / "llvm-cov", "export", "-format=text", "-skip-expansions", "-skip-functions",
                               folder / "debug/libtlsmem.so", f"-instr-profile={merged}"],
                              check=True, stdout=subprocess.PIPE).stdout
    files = [File(entry) for entry in json.loads(exported)["data"][0]["files"] if "/Sources/" in entry["filename"]]
    return sorted(files, key=lambda file: file.name)


def reasons():
    """{a region's key: why nothing reaches it}"""
    table, reason = {}, None
    for text in REASONS.read_text().splitlines():
        if text and not text.startswith(("#", " ")):
            reason = text
        elif text.startswith(" "):
            table[text.strip()] = reason
    return table


def tidy(unused):
    """Takes regions out of the list of reasons, and with the last of its regions a reason."""
    kept = []
    for block in REASONS.read_text().split("\n\n"):
        lines = [text for text in block.splitlines() if text.strip() not in unused]
        if block.startswith("#") or any(text.startswith(" ") for text in lines):
            kept.append("\n".join(lines))
    REASONS.write_text("\n\n".join(kept) + "\n")


def row(name, lines):
    return f"{name:48s} {len(lines):6d} {sum(lines):6d} {percent(lines):6.1f}"


def percent(lines):
    return 100 * sum(lines) / len(lines) if lines else 100.0


def all_lines(files):
    return [reached for file in files for reached in file.lines.values()]


def unexplained(files, table):
    """Prints each region that has no reason; returns how many, and the reasons that were used."""
    used, count = set(), 0
    for file in files:
        for region in file.regions:
            if file.key(region) in table:
                used.add(file.key(region))
                continue
            count += 1
            print(f"{file.name}:{region[0]}" + (f"-{region[1]}" if region[1] > region[0] else ""))
            print("\n".join(f"    {text}" for text in file.text[region[0] - 1:region[1]]))
    return count, used


def main():
    tools, folder, parts = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
    if parts[-1] == "--tidy":
        parts.pop()
    print(f"{'':48s}  lines reached percent")
    for count in range(1, len(parts) + 1):
        files = counted(tools, folder, parts[:count])
        print(row(("and " if count > 1 else "") + parts[count - 1], all_lines(files)))
    print()
    for file in files:
        print(row(file.name, list(file.lines.values())))
    total = all_lines(files)
    print(row("all", total), end="\n\n")

    table = reasons()
    count, used = unexplained(files, table)
    unused = sorted(table.keys() - used)
    there = {f"{file.name}: {text.strip()}" for file in files for text in file.text}
    gone = [key for key in unused if key not in there]
    for key in unused:
        print(f"{'gone' if key in gone else 'reached this time'}, and has a reason: {key}")
    if sys.argv[-1] == "--tidy":
        tidy(unused)
    within = [f"{file.name}:{number}: {file.text[number - 1].strip()}" for file in files for number in file.within]
    (folder / "within").write_text("\n".join(within) + "\n")
    held = [percent(total) >= LEAST, count == 0, not gone]
    print(f"\n{percent(total):.2f} % of {len(total)} lines; of the regions that nothing reaches {len(used)} have a reason and "
          f"{count} have none; {len(gone)} reasons are for what is gone; of {len(within)} lines only a part is reached")
    print(f"coverage: {sum(held)} passed, {len(held) - sum(held)} failed")
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
