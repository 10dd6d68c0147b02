internal import CTLSMem
internal import SocketTransport
internal import TLSEngine

/// The deadlines: what each is measured from, and what happens when one passes.
extension Connection {
    /// What a connection may wait for no longer than so many milliseconds.
    enum Timeout: Int {
        case handshake, idle, read, write, close

        init?(_ which: tlsmem_timeout) {
            switch which {
            case TLSMEM_TIMEOUT_HANDSHAKE: self = .handshake
            case TLSMEM_TIMEOUT_IDLE: self = .idle
            case TLSMEM_TIMEOUT_READ: self = .read
            case TLSMEM_TIMEOUT_WRITE: self = .write
            case TLSMEM_TIMEOUT_CLOSE: self = .close
            default: return nil
            }
        }

        /// In tlsmem_limits.
        var name: StaticString {
            switch self {
            case .handshake: "handshake_ms"
            case .idle: "idle_ms"
            case .read: "read_ms"
            case .write: "write_ms"
            case .close: "close_ms"
            }
        }
    }

    /// What only those connections keep that read_ms or write_ms holds for, or that have a deadline of their own.
    final class Clocks {
        /// By `Timeout`; nil where the context's holds.
        var own: (UInt32?, UInt32?, UInt32?, UInt32?, UInt32?) = (nil, nil, nil, nil, nil)
        /// When the peer's bytes began to be waited for; -1 while they are not.
        var readingSince: Int64 = -1
        /// When output began to wait; -1 while none does.
        var sendingSince: Int64 = -1
        /// When bytes last came, and were last taken, since there are clocks.
        var lastReceived: Int64 = 0
        var lastSent: Int64 = 0

        subscript(which: Timeout) -> UInt32? {
            get {
                switch which {
                case .handshake: own.0
                case .idle: own.1
                case .read: own.2
                case .write: own.3
                case .close: own.4
                }
            }
            set {
                switch which {
                case .handshake: own.0 = newValue
                case .idle: own.1 = newValue
                case .read: own.2 = newValue
                case .write: own.3 = newValue
                case .close: own.4 = newValue
                }
            }
        }
    }

    /// Milliseconds; 0 for no deadline.
    func timeout(_ which: Timeout) -> UInt32 {
        if let own = clocks?[which] { return own }
        switch which {
        case .handshake: return limits.handshakeMilliseconds
        case .idle: return limits.idleMilliseconds
        case .read: return limits.readMilliseconds
        case .write: return limits.writeMilliseconds
        case .close: return limits.closeMilliseconds
        }
    }

    func setTimeout(_ which: Timeout, _ milliseconds: UInt32) {
        if !times { lastMoved = currentMilliseconds }  // it was idle since now
        let clocks = self.clocks ?? Clocks()
        clocks[which] = milliseconds
        self.clocks = clocks
        noteWaits()
        loop?.updateDeadline(self)
    }

    var clocks: Clocks? {
        get { particulars?.clocks }
        set { if newValue !== clocks { note { $0.clocks = newValue } } }
    }

    // MARK: What passes

    /// A deadline is measured from when bytes go by. Who has none pays for no clock.
    var times: Bool { limitsAreTimed || clocks != nil }

    /// And it was so from the beginning.
    var limitsAreTimed: Bool {
        let limits = self.limits
        let all =
            limits.idleMilliseconds | limits.readMilliseconds | limits.writeMilliseconds | limits.bufferMilliseconds
        return all != 0
    }

    /// Bytes have come. When, is noted at the end of the drive: what our callbacks take is not the peer's time.
    func noteReceived(_ bench: Bench) { if times { bench.hasReceived = true } }

    /// Bytes were taken.
    func noteSent(_ bench: Bench) { if times { bench.hasSent = true } }

    /// The same for what has moved since a bench was lent.
    @inline(__always)
    func noteMoved(_ bench: Bench) {
        guard bench.hasReceived || bench.hasSent else { return }
        noteMoved(received: bench.hasReceived, sent: bench.hasSent)
        (bench.hasReceived, bench.hasSent) = (false, false)
    }

    /// Bytes have come, were taken, by now.
    func noteMoved(received: Bool, sent: Bool) {
        guard times else { return }
        lastMoved = currentMilliseconds
        guard let clocks else { return }
        if received { clocks.lastReceived = lastMoved }
        if sent { clocks.lastSent = lastMoved }
    }

    /// It waits for something else from now on: for whoever asks since when, where nobody asks when bytes move.
    func noteChange() { if !times { lastMoved = currentMilliseconds } }

    // MARK: Beginnings

    /// The handshake, or the closing, begins now.
    func beginPhase() {
        phaseBegan = currentMilliseconds
    }

    /// The first drive starts the clock of the handshake.
    func begin() {
        guard engine.phase == .new, phaseBegan < 0, connector == nil else { return }
        beginHandshake()
    }

    /// The handshake begins now.
    func beginHandshake() {
        beginPhase()
        lastMoved = phaseBegan
        probeBegin()
    }

    /// A renegotiation has the handshake's deadline: writes wait for it, and the peer might never answer.
    func timeRenegotiation() {
        guard case .going = course, engine.phase == .open else { return }
        if !engine.waitsForHandshake {
            if phaseBegan >= 0, !engine.awaitsCertificate { phaseBegan = -1 }
        } else if phaseBegan < 0 {
            beginPhase()
        }
    }

    /// Notes since when the peer's bytes are waited for, and output waits. To be called wherever that may have changed;
    /// who uses neither of the two deadlines pays for a comparison.
    func noteWaits() {
        if clocks == nil, limits.readMilliseconds | limits.writeMilliseconds == 0 { return }
        guard timeout(.read) > 0 || timeout(.write) > 0 else {
            clocks?.readingSince = -1  // what is not watched is not known either
            clocks?.sendingSince = -1
            return
        }
        let clocks = self.clocks ?? Clocks()
        self.clocks = clocks
        if !isReading {
            clocks.readingSince = -1
        } else if clocks.readingSince < 0 {
            clocks.readingSince = currentMilliseconds
        }
        if !isSending {
            clocks.sendingSince = -1
        } else if clocks.sendingSince < 0 {
            clocks.sendingSince = currentMilliseconds
        }
    }

    /// Established, and the peer's bytes are waited for.
    private var isReading: Bool { engine.phase == .open && !engine.peerHasClosed && !isPaused && wantsInput }

    /// Established, and output waits to be taken.
    private var isSending: Bool { engine.phase == .open && !engine.outgoing.isEmpty }

    // MARK: Ends

    /// The next moment at which a tick changes something; -1 for never.
    var deadline: Int64 {
        if hasNews || drainIsOverdue { return 0 }
        var next = nextTimeout?.moment ?? -1
        func consider(_ moment: Int64) {
            if moment >= 0, next < 0 || moment < next { next = moment }
        }
        consider(buffersDeadline)
        if let connector, !isOver { consider(connector.deadline) }
        return next
    }

    /// The deadline that passes first.
    @inline(__always)
    var nextTimeout: (moment: Int64, which: Timeout)? {
        if particulars == nil, limits.idleMilliseconds == 0 { return nil }  // nothing has begun
        var next: (moment: Int64, which: Timeout)?
        func consider(_ which: Timeout, since began: Int64) {
            let milliseconds = timeout(which)
            guard began >= 0, milliseconds > 0 else { return }
            let moment = began &+ Int64(milliseconds)
            if let next, next.moment <= moment { return }
            next = (moment, which)
        }
        switch course {
        case .ended, .reported: break
        case .closing, .lingering: consider(.close, since: phaseBegan)
        case .going:
            consider(.handshake, since: phaseBegan)
            guard engine.phase == .open else { break }
            consider(.idle, since: lastMoved)
            guard let clocks else { break }
            if isReading, clocks.readingSince >= 0 {
                consider(.read, since: max(clocks.readingSince, clocks.lastReceived))
            }
            if isSending, clocks.sendingSince >= 0 {
                consider(.write, since: max(clocks.sendingSince, clocks.lastSent))
            }
        }
        return next
    }

    func tick(_ now: Int64) -> CInt {
        giveBuffersBack(now)
        guard deadline >= 0, now >= deadline else { return progress }
        return drive { connection, bench in
            connection.record(.tick)
            if connection.isFreed { return }
            guard connection.looksFirst(now) else { return connection.deadlineHasPassed(now) }
            connection.socketIsWritable()
            (bench.receiveIsDue, bench.tickIsDue) = (true, now)
        }
    }

    /// Before somebody is said to have been silent, the socket is looked at once: the program may have been busy, and not
    /// the peer. A handshake has so much time in all, and whoever has used it up is not given more work.
    private func looksFirst(_ now: Int64) -> Bool {
        guard let next = nextTimeout, now >= next.moment else { return false }
        switch (next.which, course) {
        case (.idle, _), (.read, _), (.write, _), (.close, .closing): return true
        case (.handshake, _), (.close, _): return false
        }
    }

    /// It was looked at.
    func judgeDeadline(_ bench: Bench) {
        guard !isFreed, !isOver else { return }
        noteMoved(bench)
        deadlineHasPassed(bench.tickIsDue)
    }

    private func deadlineHasPassed(_ now: Int64) {
        if connectDeadlineHasPassed(now) { return }
        guard let next = nextTimeout, now >= next.moment else { return }  // there are only news
        probeLimit(next.which.name)
        switch next.which {
        case .handshake: end(Failure(.handshakeDeadline))
        case .idle: endProperly(Failure(.idleDeadline))
        case .read: endProperly(Failure(.readDeadline))
        case .write: end(Failure(.writeDeadline))  // a close_notify would only wait behind the rest
        case .close:
            if case .lingering = course { return end(nil) }  // it has failed: the peer had its time to take the alert
            end(Failure(.closeDeadline))
        }
    }

    /// The peer is silent, but may well be there: it is told.
    private func endProperly(_ failure: Failure) {
        engine.closeWriting()
        flushAll()
        end(failure)
    }
}
