package import OpenSSLHandles

/// What one step came to.
package enum Step {
    case established
    /// So many bytes of plaintext are in the buffer that was given.
    case plaintext(Int)
    /// The peer's close_notify came; nothing more will be read.
    case peerClosed
    /// Everything that was fed is used up.
    case needsCiphertext
    case failed(EngineFailure)
}

/// One TLS connection over two memory BIOs. Sans-I/O: it answers, and never calls.
///
/// A drive is `begin`, any number of calls, `end`. In between a pair of BIOs is attached: the incoming one belongs to
/// whoever drives, the outgoing one is the last slice of `outgoing`.
package struct Engine: ~Copyable {
    let ssl: OwnedSSL
    let configuration: Configuration
    var state = EngineState.new(.open)
    package internal(set) var outgoing = Outgoing()
    /// Plaintext that OpenSSL could not take yet, or that is being gathered; exists only while there is some.
    var deferred: PlaintextQueue?
    /// How many corks hold small writes back.
    package internal(set) var corks: UInt8 = 0
    var tally = Tally()
    package private(set) var hasServerName = false
    private var updates: TokenBucket
    private var updatesSeen: UInt64 = 0
    private var updateRequestsSeen: UInt64 = 0
    /// KeyUpdates of ours that the peer was asked to answer and has not.
    var updateAnswersDue: UInt64 = 0
    /// Renegotiations that a server asked for and the client has not begun.
    var helloAnswersDue: UInt64 = 0
    /// The handshake is done, or was before a failure.
    package private(set) var wasEstablished = false
    /// KeyUpdates and renegotiations that the peer began.
    package private(set) var updatesAsked: UInt64 = 0
    /// Ciphertext that answers the peer and that nobody took yet, and where in the stream of ciphertext it ends.
    private var controlBytes = 0
    private var controlEnd: UInt64 = 0
    /// Session tickets that go out with the first application write.
    var ticketsDue = 0
    /// We want a renegotiation, and OpenSSL is not told yet.
    var renegotiationIsDue = false

    package init(_ configuration: Configuration) throws(OpenSSLError) {
        ssl = try OwnedSSL(configuration.context)
        self.configuration = configuration
        updates = TokenBucket(burst: configuration.limits.updateBurst)
    }

    package var limits: Limits { configuration.limits }
    package var role: Role { configuration.context.role }

    // MARK: A drive

    /// Attaches a pair, or a fresh slice when the last one is full; false when there is no memory for one.
    package mutating func begin(incoming: MemoryBIO, _ pool: BufferPool) -> Bool {
        guard let target = outgoing.target(pool) else { return false }
        ssl.attach(incoming: incoming, outgoing: target)
        return true
    }

    /// Gives back what is empty, so that an idle connection owns no buffer.
    package mutating func end(_ pool: BufferPool) {
        if ssl.isInHandshake { ssl.detach() }
        if outgoing.isEmpty { outgoing.discard(pool) }
        if let waiting = deferred, waiting.isEmpty {
            pool.giveBack(waiting)
            deferred = nil
        }
    }

    /// Bytes of ciphertext are on their way.
    package mutating func consumeOutgoing(_ count: Int, _ pool: BufferPool) {
        outgoing.consume(count, pool)
    }

    /// The transport takes no more: what waits is dropped.
    package mutating func discardOutgoing(_ pool: BufferPool) {
        outgoing.discard(pool)
        if let waiting = deferred { pool.giveBack(waiting) }
        deferred = nil
    }

    // MARK: One step

    /// Makes OpenSSL do one thing with what was fed.
    package mutating func step(
        into plaintext: inout MutableRawSpan, incoming: MemoryBIO, _ pool: BufferPool, now: Int64
    ) -> Step {
        if let refusal = refusal() { return fail(refusal) }
        guard begin(incoming: incoming, pool) else { return fail(EngineFailure(.outOfMemory)) }
        let madeBefore = outgoing.made
        if outgoing.gone >= controlEnd { controlBytes = 0 }
        let step = stepOnce(into: &plaintext, incoming)
        if case .failed = step { return step }
        return limited(step, controlBytes: Int(clamping: outgoing.made &- madeBefore), now: now)
    }

    private mutating func stepOnce(into plaintext: inout MutableRawSpan, _ incoming: MemoryBIO) -> Step {
        switch state {
        case .failed(let failure, _, _):
            return .failed(failure)
        case .new:
            state.began()
            return handshakeStep()
        case .handshaking:
            return handshakeStep()
        case .open(.ended, _):
            incoming.consume(incoming.count)  // whatever follows a close_notify is ignored (RFC 8446, 6.1)
            return .needsCiphertext
        case .open(.open, _):
            beginRenegotiation()
            return readStep(into: &plaintext)
        }
    }

    private mutating func handshakeStep() -> Step {
        switch ssl.handshake() {
        case .done:
            state.established()
            wasEstablished = true
            updateRequestsSeen = ssl.observations.updateRequestsIn
            if role == .server, ssl.isTLS13 {
                let wanted = configuration.context.ticketCount
                ticketsDue = ssl.isResumed ? min(wanted, 1) : wanted
            }
            return .established
        case .wantsCiphertext:
            return .needsCiphertext
        case .closeNotify:
            return fail(EngineFailure(.endOfFileInHandshake))
        case .failed(let cause):
            return fail(cause)
        }
    }

    private mutating func readStep(into plaintext: inout MutableRawSpan) -> Step {
        switch ssl.read(into: &plaintext) {
        case .done(let count):
            tally.received &+= UInt64(clamping: count)
            return .plaintext(count)
        case .wantsCiphertext:
            return .needsCiphertext
        case .closeNotify where ssl.isInHandshake || (role == .client && ssl.isRenegotiationPending):
            return fail(EngineFailure(.endOfFileInHandshake))  // a renegotiation can no more be finished, nor a write
        case .closeNotify:
            state.peerClosed()
            return .peerClosed
        case .failed(let cause):
            return fail(cause)
        }
    }

    /// No ciphertext will come any more. Returns why that is a failure, or nil when the peer had closed properly.
    package mutating func endOfFile() -> EngineFailure? {
        switch state {
        case .open(.ended, _): return nil
        case .failed(let failure, _, _): return failure
        case .new, .handshaking: return EngineFailure(.endOfFileInHandshake)
        case .open(.open, _): return EngineFailure(.truncated)
        }
    }

    // MARK: Failures

    /// What must be there before a handshake begins.
    private func refusal() -> EngineFailure? {
        guard case .new = state else { return nil }
        let context = configuration.context
        switch role {
        case .client where context.verifies && !context.trustsSomebody: return EngineFailure(.noTrust)
        case .client where context.verifies && !hasServerName: return EngineFailure(.noServerName)
        case .server where context.verifies && !context.trustsSomebody: return EngineFailure(.noTrust)
        case .server where !context.identity.isComplete: return EngineFailure(.noIdentity)
        case .client, .server: return nil
        }
    }

    mutating func fail(_ cause: OpenSSLError) -> Step {
        let isNegotiating = state.isHandshaking && !ssl.hasChosenCipher
        return fail(
            EngineFailure(
                cause, seen: ssl.observations, verifyResult: ssl.verifyResult, isNegotiating: isNegotiating,
                canSendAlerts: state.writing != .closed))
    }

    mutating func fail(_ failure: EngineFailure) -> Step {
        state.failed(failure)
        return .failed(failure)
    }

    /// A peer may make us answer (KeyUpdate, tickets, alerts) and never read: OpenSSL sets no limit to that.
    private mutating func limited(_ step: Step, controlBytes made: Int, now: Int64) -> Step {
        guard case .open = state else { return step }
        if case .established = step { return step }
        if made > 0 {
            controlBytes += made
            controlEnd = outgoing.made
        }
        guard controlBytes <= limits.controlMax else { return fail(EngineFailure(.controlLimit)) }
        let begun = updatesBegunByPeer()
        updatesAsked &+= begun
        let isAllowed =
            begun == 0
            || updates.take(
                Int64(clamping: begun), now: now, perSecond: limits.updatesPerSecond, burst: limits.updateBurst)
        return isAllowed ? step : fail(EngineFailure(.updateLimit))
    }

    /// New keys that came since the last step; what answers our own requests is not the peer's doing.
    private mutating func updatesBegunByPeer() -> UInt64 {
        let seen = ssl.observations
        let plain = seen.updatesIn &- updatesSeen
        let requests = seen.updateRequestsIn &- updateRequestsSeen
        (updatesSeen, updateRequestsSeen) = (seen.updatesIn, seen.updateRequestsIn)
        let answers = min(plain, updateAnswersDue)
        let hellos = min(requests, helloAnswersDue)
        updateAnswersDue -= answers
        helloAnswersDue -= hellos
        return (requests - hellos) &+ (plain - answers)
    }

    // MARK: Settings

    /// The name of the server that a client wants was set, or not, by `set`.
    package mutating func setServerName(_ set: (borrowing OwnedSSL) -> Bool) -> Bool {
        guard set(ssl) else { return false }
        hasServerName = true
        return true
    }
}
