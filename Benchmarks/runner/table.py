"""The table that is printed: medians, spread, and what each peer comes to beside the first."""
from statistics import median


class Results:
    """Rows of results.tsv, to be asked for medians."""

    def __init__(self, rows):
        self.values, self.units = {}, {}
        for workload, peer, parameter, metric, unit, _round, value in rows:
            self.values.setdefault((workload, parameter), {}).setdefault(peer, {}).setdefault(metric, []).append(float(value))
            self.units[workload, metric] = unit

    def median(self, workload, parameter, peer, metric):
        """None when it was not measured."""
        values = self.values.get((workload, parameter), {}).get(peer, {}).get(metric)
        return median(values) if values else None


def spread(values):
    """Half of the range, in percent of the median."""
    middle = median(values)
    return 50 * (max(values) - min(values)) / middle if middle else 0


def _cells(metrics, first, shown):
    metric, sign = shown.lstrip("-"), -1 if shown.startswith("-") else 1
    values, firsts = metrics.get(metric), first.get(metric)
    if not values:
        return f"{'':>30}"
    ratio = (median(firsts) / median(values)) ** sign if firsts and median(values) and median(firsts) else 0
    return f"{median(values):12.4g} {spread(values):7.1f}% {ratio:7.2f}x "


def text(results, workloads):
    """One block for each workload that was measured."""
    lines = []
    for w in workloads:
        found = results.values.get((w.name, w.parameter))
        if not found:
            continue
        first = next(iter(found))
        lines += ["", f"{w.name}, {w.parameter}"]
        lines.append(f"  {'':24}" + "".join(f"{s.lstrip('-') + ', ' + results.units[w.name, s.lstrip('-')]:>30} " for s in w.shows))
        lines.append(f"  {'':24}" + f"{'median  spread    ahead':>30} " * len(w.shows))
        for peer, metrics in found.items():
            busy = f"   busy {median(metrics['server busy']):.0f}%" if "server busy" in metrics else ""
            lines.append(f"  {peer:24}" + " ".join(_cells(metrics, found[first], s) for s in w.shows) + busy)
    return "\n".join(lines)


def beside(results, workloads, name):
    """All of a name in one table, a column for each peer, with the figures that are no CPU time."""
    measured = [w for w in workloads if w.name == name and (w.name, w.parameter) in results.values]
    names = list(dict.fromkeys(peer for w in measured for peer in results.values[w.name, w.parameter]))
    lines = ["", f"{name:68}" + "".join(f"{peer:>22}" for peer in names)] if measured else []
    for w in measured:
        metric = next(m for m in (shown.lstrip("-") for shown in w.shows) if "CPU" not in m)
        medians = (results.median(w.name, w.parameter, peer, metric) for peer in names)
        what = f"  {w.parameter}: {metric}, {results.units[w.name, metric]}"
        lines.append(f"{what:68}"[:68] + "".join(f"{'' if m is None else format(m, '.4g'):>22}" for m in medians))
    return "\n".join(lines)
