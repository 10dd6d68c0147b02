package import OpenSSLHandles

/// What one step came to.
package enum Step {
    case established
    /// So many bytes of plaintext are in the buffer that was given.
    case plaintext(Int)
    /// The same of early data, while the handshake is under way: whoever has recorded it can send it again.
    case earlyPlaintext(Int)
    /// The peer's close_notify came; nothing more will be read.
    case peerClosed
    /// Everything that was fed is used up.
    case needsCiphertext
    /// The client has answered to a CertificateRequest, before that step.
    indirect case authenticated(Step)
    /// What is left of it came behind the peer's close_notify: it is no TLS, and whoever drives may have it.
    case beyondTLS
    /// The handshake stands still until it is answered; a step before that has the same to say.
    case asks(Question)
    indirect case failed(EngineFailure)
}

/// One TLS connection over two memory BIOs. Sans-I/O: it answers, and never calls.
///
/// A drive is `begin`, any number of calls, `end`. In between a pair of BIOs is attached: the incoming one belongs to
/// whoever drives, the outgoing one is the last slice of `outgoing`.
package struct Engine: ~Copyable {
    var ssl: OwnedSSL
    /// Session tickets that have not gone out yet.
    var ticketsDue: UInt8 = 0
    /// How many corks hold small writes back.
    package internal(set) var corks: UInt8 = 0
    /// Some of what is deferred does not wait for them.
    var ignoresCorks = false
    /// We want a renegotiation, and OpenSSL is not told yet.
    var renegotiationIsDue = false
    /// OpenSSL has used up what it was fed: a step would come to nothing.
    package private(set) var awaitsCiphertext = false
    package private(set) var hasServerName = false
    /// OpenSSL may have buffers that it does not give back by itself.
    package private(set) var holdsBuffers = false
    package internal(set) var configuration: Configuration
    var state = EngineState.new(.open)
    package internal(set) var outgoing = Outgoing()
    var tally = Tally()
    /// There from the first new keys on that one of the two wants.
    private(set) var rekeying: Rekeying?

    package init(_ configuration: Configuration) throws(OpenSSLError) {
        ssl = try OwnedSSL(configuration.context)
        self.configuration = configuration
    }

    package var limits: Limits { configuration.limits }
    package var role: Role { configuration.context.role }

    // MARK: A drive

    /// Attaches a pair, with a fresh slice when the last one is full; false when there is no memory for one.
    package mutating func begin(incoming: MemoryBIO, _ pool: BufferPool) -> Bool {
        holdsBuffers = limits.bufferMilliseconds > 0
        return outgoing.attach(ssl, incoming, pool)
    }

    /// The pair is attached, as it is from the beginning of the drive on until a slice is full.
    mutating func isAttached(_ incoming: MemoryBIO, _ pool: BufferPool) -> Bool {
        outgoing.takesMore || begin(incoming: incoming, pool)
    }

    /// Gives back what is empty, so that an idle connection owns no buffer.
    package mutating func end(_ pool: BufferPool) {
        if ssl.isInHandshake {
            ssl.detach()
        } else if !holdsBuffers, ssl.takeHandshake() {
            // For any message of a handshake, a ticket too, OpenSSL makes both buffers, and forgets the one not used.
            _ = ssl.releaseBuffers()
        }
        outgoing.giveBackEmpty(pool)
    }

    /// Has OpenSSL give its buffers back; false when it needs them: for a handshake, or for half a record.
    package mutating func releaseBuffers() -> Bool {
        holdsBuffers = false
        if ssl.isInHandshake, phase != .failed { return phase == .new }
        return ssl.releaseBuffers()
    }

    /// Bytes of ciphertext are on their way.
    package mutating func consumeOutgoing(_ count: Int, _ pool: BufferPool) {
        outgoing.consume(count, pool)
    }

    /// The transport takes no more: what waits is dropped. The slice that OpenSSL wrote to may be another's from now on.
    package mutating func discardOutgoing(incoming: MemoryBIO, _ pool: BufferPool) {
        outgoing.discard(pool)
        _ = begin(incoming: incoming, pool)
    }

    // MARK: One step

    /// Ciphertext was put into the incoming BIO.
    package mutating func fed() { awaitsCiphertext = false }

    /// Counts what OpenSSL has made in a step.
    ///
    /// It answers a KeyUpdate behind our close_notify too, where nothing may come any more (RFC 8446, 6.1): that is dropped. A
    /// peer that has closed would not read it, and so its kernel would reset what we have not received yet.
    @inline(never) private mutating func countMade() -> Int {
        let made = outgoing.countNew(ssl)
        guard state.writing == .closed else { return made }
        outgoing.takeBack(made)
        return 0
    }

    /// Makes OpenSSL do one thing with what was fed. `now` is asked only when the peer changes keys.
    package mutating func step(
        into plaintext: inout MutableRawSpan, incoming: MemoryBIO, _ pool: BufferPool, now: () -> Int64
    ) -> Step {
        if awaitsCiphertext { return .needsCiphertext }
        if case .new = state, let refusal = refusal() { return fail(refusal) }
        guard isAttached(incoming, pool) else { return fail(EngineFailure(.outOfMemory)) }
        let recordsBefore = ssl.observations.recordsOut
        let step = stepOnce(into: &plaintext, incoming)
        let made = ssl.observations.recordsOut == recordsBefore ? 0 : countMade()
        switch step {
        case .needsCiphertext: awaitsCiphertext = !renegotiationIsDue
        // Asking costs a fraction of a read that finds nothing.
        case .plaintext, .earlyPlaintext:
            awaitsCiphertext = !renegotiationIsDue && incoming.isEmpty && !ssl.hasPartialRecord
        case .failed: return step
        case .established, .peerClosed, .beyondTLS, .asks, .authenticated: break
        }
        let seen = ssl.takeUpdates()
        if made == 0, seen.isEmpty { return step }
        return limited(step, controlBytes: made, seen, now: now)
    }

    @inline(__always)
    private mutating func stepOnce(into plaintext: inout MutableRawSpan, _ incoming: MemoryBIO) -> Step {
        switch state {
        case .failed(let failure, _, _, _):
            return .failed(failure)
        case .new:
            return beginStep(into: &plaintext)
        case .handshaking:
            return nextHandshakeStep(into: &plaintext)
        case .open(.ended, _):
            return incoming.isEmpty ? .needsCiphertext : .beyondTLS
        case .open(.open, _):
            if renegotiationIsDue { beginRenegotiation() }
            return readStep(into: &plaintext)
        }
    }

    mutating func handshakeStep() -> Step {
        switch ssl.handshake() {
        case .done where lacksProtocol:
            // The server had the last word: OpenSSL has no alert any more that would tell it why we close.
            _ = ssl.sendCloseNotify()
            return fail(EngineFailure(.noCommonProtocol))
        case .done:
            state.established()
            outgoing.endEarly(isSent: ssl.earlyData == .accepted)
            if !mayBeAskedLater { ssl.stopAsking() }
            giveTickets()
            return .established
        case .wantsCiphertext:
            return .needsCiphertext
        case .closeNotify:
            return fail(EngineFailure(.endOfFileInHandshake))
        case .asks(let question):
            return .asks(question)
        case .failed(let cause):
            return fail(cause)
        }
    }

    /// Something comes after the handshake that the program may be asked about.
    private var mayBeAskedLater: Bool {
        ssl.isTLS13 ? configuration.context.authenticatesLater : configuration.context.allowsRenegotiation
    }

    /// A client learns at the end whether the server has chosen an application protocol, and that of its early data.
    private var lacksProtocol: Bool {
        role == .client && (configuration.context.requiresALPN && !ssl.hasALPN || earlyDataIsForAnother)
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
        case .asks(let question):
            return .asks(question)
        case .failed(let cause):
            return fail(cause)
        }
    }

    /// No ciphertext will come any more. Returns why that is a failure, or nil when the peer had closed properly.
    package mutating func endOfFile() -> EngineFailure? {
        switch state {
        case .open(.ended, _): return nil
        case .failed(let failure, _, _, _): return failure
        case .new, .handshaking: return EngineFailure(.endOfFileInHandshake)
        case .open(.open, _): return EngineFailure(.truncated)
        }
    }

    // MARK: Failures

    /// What must be there before a handshake begins.
    func refusal() -> EngineFailure? { refusal(of: configuration.context) }

    func refusal(of context: OwnedContext) -> EngineFailure? {
        switch role {
        case .client where context.verifies && !context.trustsSomebody && !context.usesKeys:
            return EngineFailure(.noTrust)
        // A key needs no name: where nobody is trusted, no certificate that comes in its place is.
        case .client where context.verifies && !hasServerName && context.trustsSomebody:
            return EngineFailure(.noServerName)
        case .server where context.verifies && !context.trustsSomebody: return EngineFailure(.noTrust)
        case .server where !context.mayServe: return EngineFailure(.noIdentity)
        case .client, .server: return nil
        }
    }

    mutating func fail(_ cause: OpenSSLError) -> Step {
        if cause.isOutOfMemory { ssl.ranOutOfMemory() }
        let isNegotiating = state.isHandshaking && !ssl.hasChosenCipher
        return fail(
            EngineFailure(
                cause, seen: ssl.observations, verifyResult: ssl.verifyResult, verifyDepth: ssl.verifyDepth,
                isNegotiating: isNegotiating, canSendAlerts: state.writing != .closed, isRefused: ssl.isRefused,
                staple: ssl.stapleVerdict))
    }

    mutating func fail(_ failure: EngineFailure) -> Step {
        state.failed(failure)
        if collects { ssl.reportLostSession() }
        ssl.giveUpQuestion()
        awaitsCiphertext = false
        return .failed(failure)
    }

    /// A peer may make us answer (KeyUpdate, tickets, alerts) and never read: OpenSSL sets no limit to that.
    private mutating func limited(
        _ step: Step, controlBytes made: Int, _ seen: Updates, now: () -> Int64
    ) -> Step {
        guard case .open = state else { return step }
        if case .established = step { return step }
        if made > 0, outgoing.addControl(made) > limits.controlMax { return fail(EngineFailure(.controlLimit)) }
        if seen.requests > 0, !ssl.isTLS13 { renegotiationWasBegun() }
        if seen.requests | seen.plain != 0, !keys.mayUpdate(seen, now: now()) {
            return fail(EngineFailure(.updateLimit))
        }
        return seen.hasFinished && role == .server && ssl.isTLS13 ? authenticated(step) : step
    }

    // MARK: New keys

    var keys: Rekeying {
        mutating get {
            if let rekeying { return rekeying }
            let fresh = Rekeying(limits)
            rekeying = fresh
            return fresh
        }
    }

    /// KeyUpdates and renegotiations that the peer began.
    package var updatesAsked: UInt64 { rekeying?.asked ?? 0 }

    // MARK: Settings

    /// The name of the server that a client wants was set, or not, by `set`.
    package mutating func setServerName(_ set: (borrowing OwnedSSL) -> Bool) -> Bool {
        guard set(ssl) else { return false }
        hasServerName = true
        return true
    }
}
