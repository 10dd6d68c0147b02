"""The marks: what libtlsmem wants to reach, what it reaches in these results, and whether that is enough."""

# How many records one operation of a stretch of Tests/Costs is.
RECORDS = {"memory write 16384": 1, "memory read 16384": 1, "memory echo 64": 2, "socket echo 64": 2, "loop echo 64": 2,
           "loop download": 64, "loop upload": 64}


class _Figures:
    """Shorter questions to the results."""

    def __init__(self, results):
        self.results = results

    def of(self, workload, parameter, metric, peer="libtlsmem registry"):
        return self.results.median(workload, parameter, peer, metric)

    def memory(self, name):
        return self.of("in memory", "", name, "libtlsmem")

    def cost(self, stretch, measure):
        return self.of("costs", stretch, measure, "libtlsmem")

    def a_record(self, stretch, measure):
        cost = self.cost(stretch, measure)
        return None if cost is None else cost / RECORDS[stretch]

    def ahead(self, workload, parameter, metric, peer):
        """How many times better than a peer: per CPU time of the server, which is steadier than throughput."""
        ours, theirs = self.of(workload, parameter, metric), self.of(workload, parameter, metric, peer)
        if not ours or not theirs:
            return None
        return ours / theirs if metric.startswith("per ") else theirs / ours


def _total(*values):
    return None if None in values else sum(values)


def _most(values):
    known = [v for v in values if v is not None]
    return max(known) if known else None


def _share(part, whole):
    return 100 * part / whole if part and whole else None


def _all(results):
    """[(number, what, unit, figure or None, ">=" or "<=", mark)]"""
    f = _Figures(results)
    gb, echo, answer = "per server CPU second", "server CPU per echo", "server CPU per response"
    small, large = "64 connections, 64 B", "16 connections, 16384 B"
    yield 1, "in memory, 16 KiB records, against the textbook way", "x", f.memory("records/16384/libtlsmem-against-textbook"), ">=", 1.07
    yield 2, "the same, as a share of EVP sealing and opening alone", "%", f.memory("records/16384/libtlsmem-share-of-evp"), ">=", 83
    for turn, mark in ((16, 9), (64, 19), (256, 26)):
        yield 3, f"{turn} writes of 64 B in a turn, against a record each", "x", f.memory(f"gathered/{turn}/corked-against-each"), ">=", mark
    for parameter in ("1 connection", "16 connections"):
        for peer, mark in (("SSL_set_fd", 1.55), ("uSockets-like", 1.55), ("libevent", 1.9)):
            yield 4, f"download, {parameter}, against {peer}", "x", f.ahead("download", parameter, gb, peer), ">=", mark
    seal = f.memory("seal_send/65536/sender")
    yield 5, "download, 1 connection, as a share of sealing and sending alone", "%", _share(f.of("download", "1 connection", gb), seal), ">=", 87
    yield 6, "upload, against SSL_set_fd", "x", f.ahead("upload", "4 connections", gb, "SSL_set_fd"), ">=", 1.05
    for peer, mark in (("SSL_set_fd", 1.18), ("libevent", 1.5), ("no TLS", 0.77)):
        yield 7, f"echo, {small}, against {peer}", "x", f.ahead("echo", small, echo, peer), ">=", mark
    yield 8, "HTTPS, against nginx", "x", f.ahead("HTTPS", "64 connections, own client", answer, "nginx"), ">=", 1.36
    for peer, mark in (("SSL_set_fd", 1.08), ("libevent", 1.7), ("textbook memory BIO", 1.47)):
        yield 9, f"echo, {large}, against {peer}", "x", f.ahead("echo", large, echo, peer), ">=", mark
    ours, theirs = (f.of("new connections", "full", "server CPU per connection", p) for p in ("libtlsmem registry", "SSL_set_fd"))
    yield 10, "server CPU for a new connection, of SSL_set_fd's", "x", ours / theirs if ours and theirs else None, "<=", 0.95
    for size in (64, 16384):
        yield 11, f"memory of an idle connection, of 10,000, after {size} B", "KB", f.of("idle memory", f"10000 connections, after {size} B", "memory per connection"), "<=", 13.8
    yield 12, "own allocations for a record, the most of any stretch", "", _most(f.a_record(s, "allocations") for s in RECORDS), "<=", 0
    for call, mark in (("recv", 1), ("send", 1), ("epoll_wait", 0.05), ("epoll_ctl", 0)):
        yield 13, f"{call} calls for an echo of 64 B", "", f.cost("loop echo 64", call), "<=", mark
    for call in ("recv", "send"):
        yield 14, f"{call} calls for a full handshake", "", f.cost("loop handshake", call), "<=", 2
    yield 15, "own instructions for a record, echo of 64 B in the loop", "", f.a_record("loop echo 64", "instructions"), "<=", 500
    yield 16, "copies of a record, sent and received in the loop", "", _total(f.cost("loop download", "copies"), f.cost("loop upload", "copies")), "<=", 4.05
    yield 16, "clears of a record, sent and received in the loop", "", _total(f.cost("loop download", "clears"), f.cost("loop upload", "clears")), "<=", 0.05
    yield 17, "two loops on two cores against one on one", "x", f.memory("loops/two-against-one"), ">=", 1.9


def text(results):
    lines = ["", f"{'mark':>4}  {'':64}{'figure':>10}  {'wanted':>10}"]
    met = missed = 0
    for number, what, unit, figure, sign, mark in _all(results):
        wanted = f"{sign} {mark:g} {unit}".rstrip()
        if figure is None:
            lines.append(f"{number:>4}  {what:64}{'not measured':>10}  {wanted:>10}")
            continue
        holds = figure >= mark if sign == ">=" else figure <= mark
        met, missed = met + holds, missed + (not holds)
        lines.append(f"{number:>4}  {what:64}{figure:>10.3g}  {wanted:>10}  {'met' if holds else 'NOT MET'}")
    lines.append(f"marks: {met} met, {missed} not met")
    return "\n".join(lines)
