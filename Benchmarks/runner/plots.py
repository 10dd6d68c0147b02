"""Draws results.tsv: plots.py RESULTS FOLDER. Run by a Python that has matplotlib, which need not be the one that runs the rest."""
import os
import shutil
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from runner import table, workloads  # noqa: E402

OURS, THEIRS, BARE = "#1f6f8b", "#b9b9b9", "#e3d5b8"
TITLES = {"growing crowd": "64 B echo, by connections", "growing echo": "echo on 16 connections, by size",
          "growing write": "download on 4 connections, by the size of a write"}
AXES = {"growing crowd": "connections", "growing echo": "bytes", "growing write": "bytes"}


def save(figure, folder, name):
    figure.tight_layout()
    for kind in ("svg", "png"):
        figure.savefig(os.path.join(folder, f"{name}.{kind}"), dpi=120)
    plt.close(figure)


def colour(peer):
    return OURS if peer.startswith("libtlsmem") else BARE if peer == "no TLS" else THEIRS


def bars(axes, results, w):
    """The first figure of a workload for each peer, with its spread."""
    shown = w.shows[0]
    metric = shown.lstrip("-")
    found = {peer: m[metric] for peer, m in results.values[w.name, w.parameter].items() if metric in m}
    names = list(found)[::-1]
    middles = [table.median(found[n]) for n in names]
    errors = [[m - min(found[n]) for m, n in zip(middles, names)], [max(found[n]) - m for m, n in zip(middles, names)]]
    axes.barh(names, middles, xerr=errors, color=[colour(n) for n in names], ecolor="#555555")
    axes.set_title(f"{w.name}, {w.parameter}", fontsize=10)
    better = "less" if shown.startswith("-") else "more"
    axes.set_xlabel(f"{metric}, {results.units[w.name, metric]} ({better} is better)", fontsize=8)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def growth(results, name, members, folder):
    """Per CPU time of the server, for each peer a line."""
    figure, axes = plt.subplots(figsize=(7, 4.5))
    metric = members[0].shows[0].lstrip("-")
    for peer in workloads.GROWING:
        points = [(w.x, results.median(w.name, w.parameter, peer, metric)) for w in members]
        points = [(x, y) for x, y in points if y is not None]
        if points:
            axes.plot(*zip(*points), marker="o", markersize=4, label=peer, linewidth=2.2 if peer.startswith("libtlsmem") else 1.2)
    axes.set(xscale="log", yscale="log", xlabel=AXES[name], title=TITLES[name],
             ylabel=f"{metric}, {results.units[name, metric]}")
    axes.grid(True, which="major", alpha=0.3)
    axes.legend(fontsize=8)
    save(figure, folder, name.replace(" ", "-"))


def main(path, folder):
    shutil.rmtree(folder, ignore_errors=True)  # pictures of another run
    os.makedirs(folder)
    with open(path, encoding="utf-8") as file:
        results = table.Results([line.rstrip("\n").split("\t") for line in file][1:])
    measured = [w for w in workloads.MAIN if (w.name, w.parameter) in results.values and w.name != "loops"]
    if measured:
        rows = -(-len(measured) // 3)
        figure, axes = plt.subplots(rows, 3, figsize=(17, 2.9 * rows), squeeze=False)
        for place, w in zip(axes.flat, measured):
            bars(place, results, w)
        for place in list(axes.flat)[len(measured):]:
            place.axis("off")
        save(figure, folder, "workloads")
    for name in TITLES:
        members = [w for w in workloads.GROWTH if w.name == name and (w.name, w.parameter) in results.values]
        if members:
            growth(results, name, members, folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
