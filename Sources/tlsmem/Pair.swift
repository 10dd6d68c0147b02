internal import CTLSMem
internal import OpenSSLHandles
internal import TLSEngine

/// A `tlsmem_pair`: two connections over two wires, in a time of their own. Both are driven in turns, and when neither can do
/// anything more at this moment time goes on to the next.
@safe final class Pair {
    /// Time stands still while bytes move, but not for ever: who always has an answer is to come to his end, too.
    private static let turnsPerMillisecond: UInt64 = 1000

    let clock: VirtualClock
    let sides: (PairSide, PairSide)
    private(set) var isFreed = false
    private var isRunning = false
    private var turns: UInt64 = 0

    convenience init?(_ one: Context, _ other: Context) {
        guard one.openSSL.role != other.openSSL.role else { return nil }
        let clock = VirtualClock()
        guard let first = PairSide(one, clock) else { return nil }
        guard let second = PairSide(other, clock) else {
            first.free()
            return nil
        }
        self.init(clock, (first, second))
    }

    private init(_ clock: VirtualClock, _ sides: (PairSide, PairSide)) {
        (self.clock, self.sides) = (clock, sides)
    }

    /// Also from inside its callbacks.
    func free() {
        isFreed = true
        sides.0.free()
        sides.1.free()
    }

    /// By its number; nil for another.
    func side(_ number: CInt) -> PairSide? {
        guard !isFreed else { return nil }
        switch number {
        case 0: return sides.0
        case 1: return sides.1
        default: return nil
        }
    }

    /// Until nothing can happen any more, or it would be later than `until`. Nil from inside itself.
    func run(until: Int64) -> tlsmem_pair_outcome? {
        guard !isRunning else { return nil }
        isRunning = true
        defer { isRunning = false }
        var outcome = TLSMEM_PAIR_MOVED
        while outcome == TLSMEM_PAIR_MOVED { outcome = step(until: until) }
        return outcome
    }

    /// One turn. Nil from inside itself.
    func step() -> tlsmem_pair_outcome? {
        guard !isRunning else { return nil }
        isRunning = true
        defer { isRunning = false }
        return step(until: .max)
    }

    private func step(until: Int64) -> tlsmem_pair_outcome {
        if isFreed { return TLSMEM_PAIR_DONE }
        let refusals = self.refusals
        var hasMoved = turn(sides.0, sides.1.wire)
        if !isFreed, turn(sides.1, sides.0.wire) { hasMoved = true }
        if isFreed { return TLSMEM_PAIR_DONE }
        if hasMoved {
            turns &+= 1
            guard turns % Self.turnsPerMillisecond == 0 else { return TLSMEM_PAIR_MOVED }
        }
        guard let next = hasMoved || refusals != self.refusals ? clock.now &+ 1 : next else {
            return sides.0.isOver && sides.1.isOver ? TLSMEM_PAIR_DONE : TLSMEM_PAIR_STALLED
        }
        clock.now = max(clock.now, min(next, until))
        return next <= until ? TLSMEM_PAIR_MOVED : TLSMEM_PAIR_TIME
    }

    private func turn(_ side: PairSide, _ incoming: Wire) -> Bool {
        var hasMoved = side.receive(from: incoming, clock.now)
        if !isFreed, side.tick(clock.now) { hasMoved = true }
        if !isFreed, side.send(clock.now) { hasMoved = true }
        return hasMoved
    }

    private var refusals: UInt64 { sides.0.wire.stats.refusals &+ sides.1.wire.stats.refusals }

    /// The next moment at which something happens by itself.
    private var next: Int64? {
        let one = sides.0.next(sides.1.wire, after: clock.now)
        guard let other = sides.1.next(sides.0.wire, after: clock.now) else { return one }
        return one.map { min($0, other) } ?? other
    }
}

extension Pair {
    /// One sentence about who waits for what.
    func tell(_ target: UnsafeMutableRawBufferPointer) {
        var sentence = unsafe Sentence(target)
        unsafe sentence.append("at ")
        sentence.append(Int(clock.now))
        unsafe sentence.append(" ms ")
        tell(sides.0, sides.1.wire, &sentence)
        unsafe sentence.append(", and ")
        tell(sides.1, sides.0.wire, &sentence)
    }

    private func tell(_ side: PairSide, _ incoming: Wire, _ sentence: inout Sentence) {
        let connection = side.connection
        let who: StaticString = connection.engine.role == .client ? "the client " : "the server "
        sentence.append(who)
        if connection.isFreed { return unsafe sentence.append("is freed") }
        switch connection.state {
        case TLSMEM_STATE_NEW: unsafe sentence.append("has not begun")
        case TLSMEM_STATE_HANDSHAKING: unsafe sentence.append("is in its handshake")
        case TLSMEM_STATE_OPEN: unsafe sentence.append("is open")
        case TLSMEM_STATE_CLOSING: unsafe sentence.append("is closing")
        default:
            unsafe sentence.append("has ended: ")
            return sentence.append((connection.failure?.status ?? TLSMEM_OK).name)
        }
        if connection.decision != nil { unsafe sentence.append(", waits for an answer") }
        if connection.isPaused { unsafe sentence.append(", is paused") }
        for (count, what) in counts(connection, incoming) where count > 0 {
            unsafe sentence.append(", ")
            sentence.append(count)
            sentence.append(what)
        }
    }

    private func counts(_ connection: Connection, _ incoming: Wire) -> [(Int, StaticString)] {
        [
            (connection.waitingCount, " bytes wait to be read"),
            (connection.engine.outgoing.count, " bytes wait to be sent"),
            (incoming.inFlight, " bytes are on their way to it"),
        ]
    }
}
