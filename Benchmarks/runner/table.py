"""The table that is printed: medians, spread, and what each peer comes to beside libtlsmem."""
from statistics import median


def collect(rows):
    """{(workload, parameter): {peer: {metric: (unit, [values])}}}, in the order of the rows."""
    found = {}
    for workload, peer, parameter, metric, unit, _round, value in rows:
        peers = found.setdefault((workload, parameter), {})
        peers.setdefault(peer, {}).setdefault(metric, (unit, []))[1].append(value)
    return found


def spread(values):
    """Half of the range, in percent of the median."""
    m = median(values)
    return 50 * (max(values) - min(values)) / m if m else 0


def text(rows, workloads):
    lines = []
    found = collect(rows)
    for w in workloads:
        peers = found.get((w.name, w.parameter), {})
        if not peers:
            continue
        first = next(iter(peers))
        lines += ["", f"{w.name}, {w.parameter}   (ratios: {first} to the peer; above 1 it is ahead)"]
        units = [next(iter(peers.values()))[m][0] for m in (w.figure, w.per_cpu)]
        lines.append(f"  {'':24}{w.figure + ', ' + units[0]:>20}  spread  ratio {w.per_cpu + ', ' + units[1]:>30}  spread  ratio"
                     "   busy")
        for peer, metrics in peers.items():
            line = f"  {peer:24}"
            for metric, width in ((w.figure, 20), (w.per_cpu, 30)):
                values, ours = metrics[metric][1], peers[first][metric][1]
                ratio = median(ours) / median(values)
                if metric.startswith("server CPU"):
                    ratio = 1 / ratio
                line += f"{median(values):{width}.4g} {spread(values):6.1f}% {ratio:6.2f} "
            line += f"{median(metrics['server busy'][1]):5.0f}%"
            lines.append(line)
    return "\n".join(lines)
