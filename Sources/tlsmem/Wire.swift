internal import CLinux
internal import CTLSMem
internal import OpenSSLHandles

/// A `tlsmem_wire`: one direction of a stream of bytes that does what networks do. The same seed and the same calls give
/// the same faults.
@safe final class Wire {
    /// What is behind the bytes.
    private enum Ending { case open, ended, cut, reset }

    /// Bytes up to `end` can be taken from `moment` on.
    private struct Arrival {
        var end: UInt64
        let moment: Int64
    }

    private var faults: tlsmem_wire_faults
    private var random: SeededNumbers
    private let bytes = PlaintextQueue()
    private var ending = Ending.open
    /// Where the last byte ends that will arrive, counted from the first of all.
    private var last: UInt64 = 0
    /// Those that are on their way, in order, from `next` on.
    private var arrivals: [Arrival] = []
    private var next = 0
    /// The latest that has arrived.
    private var arrived = Arrival(end: 0, moment: 0)
    /// The latest of all.
    private var lastMoment: Int64 = 0
    private(set) var stats = tlsmem_wire_stats_info()

    init(_ faults: tlsmem_wire_faults) {
        self.faults = faults
        random = SeededNumbers(faults.seed)
        stats.size = MemoryLayout<tlsmem_wire_stats_info>.size
        endIfDue()
    }

    func setFaults(_ faults: tlsmem_wire_faults) {
        self.faults = faults
        random = SeededNumbers(faults.seed)
        endIfDue()
    }

    // MARK: The writer

    func put(_ source: UnsafeRawBufferPointer, now: Int64) -> Int {
        switch ending {
        case .reset: return TLSMEM_ERESET.count
        case .ended: return TLSMEM_ESTATE.count
        case .open, .cut: break
        }
        guard source.count > 0 else { return 0 }
        guard room > 0 else {
            stats.full &+= 1
            return TLSMEM_AGAIN.count
        }
        guard !refuses() else { return TLSMEM_AGAIN.count }
        let count = piece(of: min(source.count, room))
        if case .open = ending {
            let taken = unsafe UnsafeRawBufferPointer(start: source.baseAddress, count: count)
            guard unsafe bytes.append(taken.bytes) else { return TLSMEM_ENOMEM.count }
            last &+= UInt64(clamping: count)
            send(now)
            endIfDue()
        } else {
            stats.bytes_lost &+= UInt64(clamping: count)
        }
        stats.moves &+= 1
        stats.bytes_put &+= UInt64(clamping: count)
        return count
    }

    /// The writer puts no more.
    func end() -> CInt {
        if case .reset = ending { return TLSMEM_ERESET.code }
        if case .open = ending { ending = .ended }
        return TLSMEM_OK.code
    }

    /// Room for the writer.
    private var room: Int { (faults.capacity == 0 ? 65536 : faults.capacity) &- inFlight }

    /// What was put last is on its way.
    private func send(_ now: Int64) {
        let delay = random.number(from: UInt64(faults.delay_least_ms), to: UInt64(faults.delay_most_ms))
        if delay > 0 { stats.delays &+= 1 }
        let (moment, isNever) = now.addingReportingOverflow(Int64(clamping: delay))
        lastMoment = isNever ? .max : max(lastMoment, moment)
        if let latest = arrivals.last, latest.moment == lastMoment {
            arrivals[arrivals.count &- 1].end = last
        } else {
            arrivals.append(Arrival(end: last, moment: lastMoment))
        }
    }

    /// A cut or a reset whose place has been passed takes effect.
    private func endIfDue() {
        let place = min(faults.cut_after, faults.reset_after)
        guard last >= place, place != .max else { return }
        switch ending {
        case .open, .ended: ending = faults.reset_after <= faults.cut_after ? .reset : .cut
        case .cut, .reset: return
        }
        let kept = max(place, stats.bytes_taken)
        stats.bytes_lost &+= last &- kept
        last = kept
    }

    // MARK: The taker

    func take(_ target: UnsafeMutableRawBufferPointer, now: Int64) -> Int {
        guard target.count > 0 else { return TLSMEM_EINVAL.count }
        arrive(now)
        guard ready > 0 else {
            guard readyAt >= 0, readyAt <= now else { return TLSMEM_AGAIN.count }
            if case .reset = ending { return TLSMEM_ERESET.count }
            return 0
        }
        guard !refuses() else { return TLSMEM_AGAIN.count }
        let count = piece(of: min(target.count, ready))
        bytes.withFirst(count) { unsafe $0.withUnsafeBytes { unsafe target.copyMemory(from: $0) } }
        bytes.consume(count)
        let (flipped, isBehind) = faults.flip_at.subtractingReportingOverflow(stats.bytes_taken)
        if !isBehind, flipped < UInt64(clamping: count) { unsafe target[Int(flipped)] ^= 1 }
        stats.bytes_taken &+= UInt64(clamping: count)
        stats.moves &+= 1
        return count
    }

    /// Time has come to here.
    private func arrive(_ now: Int64) {
        while next < arrivals.count, arrivals[next].moment <= now {
            arrived = arrivals[next]
            next &+= 1
        }
        if next == arrivals.count {
            arrivals.removeAll(keepingCapacity: true)
            next = 0
        } else if next > 64, next > arrivals.count / 2 {
            arrivals.removeFirst(next)
            next = 0
        }
    }

    /// Bytes that can be taken now.
    private var ready: Int {
        let end = min(arrived.end, last, faults.stall_after)
        return end > stats.bytes_taken ? Int(clamping: end &- stats.bytes_taken) : 0
    }

    // MARK: What could be done

    var inFlight: Int { Int(clamping: last &- stats.bytes_taken) }

    /// When something can be taken; -1 for never.
    var readyAt: Int64 {
        if stats.bytes_taken >= faults.stall_after { return -1 }
        if ready > 0 { return arrived.moment }
        if inFlight > 0 { return next < arrivals.count ? arrivals[next].moment : -1 }
        if case .open = ending { return -1 }
        return lastMoment
    }

    /// In the bits of poll.
    func readiness(_ now: Int64) -> CInt {
        arrive(now)
        var events: CInt = 0
        if readyAt >= 0, readyAt <= now { events |= CInt(POLLIN) }
        if room > 0 || refusesAll { events |= CInt(POLLOUT) }
        guard stats.bytes_taken &+ UInt64(clamping: ready) == last, last < faults.stall_after, lastMoment <= now else {
            return events
        }
        switch ending {
        case .open: break
        case .ended, .cut: events |= clinux_peer_has_ended()
        case .reset: if inFlight == 0 { events |= CInt(POLLERR) }
        }
        return events
    }

    /// The writer is told so, whether there is room or not.
    private var refusesAll: Bool {
        switch ending {
        case .open, .cut: false
        case .ended, .reset: true
        }
    }

    /// At once, for both.
    func reset() {
        stats.bytes_lost &+= last &- stats.bytes_taken
        last = stats.bytes_taken
        bytes.empty(keeping: 0)
        arrivals.removeAll()
        next = 0
        lastMoment = 0
        faults.stall_after = .max
        ending = .reset
    }

    // MARK: Chance

    private func refuses() -> Bool {
        guard faults.refuse_permille > 0, random.next() % 1000 < UInt64(faults.refuse_permille) else { return false }
        stats.refusals &+= 1
        return true
    }

    /// How many of so many are moved at once.
    private func piece(of count: Int) -> Int {
        guard faults.chunk_most > 0 else { return count }
        let most = random.number(from: UInt64(max(1, faults.chunk_least)), to: UInt64(faults.chunk_most))
        guard most < UInt64(clamping: count) else { return count }
        stats.cuts &+= 1
        return Int(most)
    }
}

extension tlsmem_wire_faults {
    /// None.
    static var none: tlsmem_wire_faults {
        var none = tlsmem_wire_faults()
        none.size = MemoryLayout<tlsmem_wire_faults>.size
        (none.stall_after, none.cut_after, none.reset_after, none.flip_at) = (.max, .max, .max, .max)
        return none
    }

    /// They make sense. A size_t comes as an Int here: one that is too large is below 0.
    var isGood: Bool {
        size == MemoryLayout<tlsmem_wire_faults>.size && capacity >= 0 && chunk_least >= 0 && chunk_least <= chunk_most
            && delay_least_ms <= delay_most_ms && refuse_permille <= 999
    }
}
