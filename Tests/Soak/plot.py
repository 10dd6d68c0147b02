"""Draws the table of a soak: plot.py TABLE PICTURE. Run by a Python that has matplotlib."""
import csv
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

COLOURS = {"server": "#1f6f8b", "clients": "#c2703d"}


def series(rows, kind, process, column):
    """Minutes, and the column in its unit, of the rows of a process that have it."""
    found = [(float(row["seconds"]) / 60, int(row[column])) for row in rows if (row["kind"], row["process"]) == (kind, process)]
    return [x for x, _ in found], [y for _, y in found]


def draw(rows, picture):
    figure, (resident, quiet, objects) = plt.subplots(3, 1, figsize=(10, 10), sharex=True)
    for process, colour in COLOURS.items():
        x, kilobytes = series(rows, "run", process, "resident_kb")
        resident.plot(x, [kb * 1024 / 1e6 for kb in kilobytes], color=colour, linewidth=0.8, label=f"{process}, at any time")
        x, kilobytes = series(rows, "quiet", process, "trimmed_kb")
        quiet.plot(x, [kb * 1024 / 1e6 for kb in kilobytes], "o-", color=colour, label=f"{process}, resident after malloc_trim")
        x, given_out = series(rows, "quiet", process, "given_out")
        quiet.plot(x, [n / 1e6 for n in given_out], "s--", color=colour, label=f"{process}, given out by malloc")
        x, alive = series(rows, "run", process, "alive")
        objects.plot(x, alive, color=colour, linewidth=0.8, label=f"{process}, connections")
        x, descriptors = series(rows, "run", process, "descriptors")
        objects.plot(x, descriptors, ":", color=colour, linewidth=0.8, label=f"{process}, descriptors")
    last = max(int(row["connections"]) for row in rows)
    resident.set(title=f"{last:,} connections: resident memory", ylabel="MB", ylim=(0, None))
    quiet.set(title="at the quiet points, when no connection is left", ylabel="MB", ylim=(0, None))
    objects.set(title="alive", xlabel="minutes", ylabel="number", ylim=(0, None))
    for axes in (resident, quiet, objects):
        axes.grid(True, alpha=0.3)
        axes.legend(fontsize=7, loc="center right" if axes is quiet else "upper right")
    figure.tight_layout()
    figure.savefig(picture, dpi=110)


if __name__ == "__main__":
    with open(sys.argv[1], newline="", encoding="utf-8") as table:
        draw(list(csv.DictReader(table, delimiter="\t")), sys.argv[2])
