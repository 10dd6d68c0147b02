internal import CLinux
internal import CTLSMem
internal import OpenSSLHandles
internal import TLSEngine

/// What a connection waits for and what it has done: computed from its state, kept nowhere.
extension Connection {
    /// A call that calls nothing back has come upon an end: the next drive will report it.
    var hasNews: Bool {
        if case .ended = course { return true }
        if let decision = particulars?.decision, decision.isAnswered { return true }
        return engine.failure != nil && !isOver && failure == nil
    }

    /// Bytes wait to be sent, or would if the handshake were begun; or the program's loop is to call for on_drain's sake.
    var wantsOutput: Bool {
        if case .broken = transport { return false }
        if socket >= 0, drainIsOverdue { return true }
        guard connector == nil else { return false }
        return !engine.outgoing.isEmpty || (engine.phase == .new && engine.role == .client && !isOver)
    }

    var interest: CInt {
        guard socket >= 0 else { return 0 }
        if hasNews { return CInt(POLLIN | POLLOUT) }
        guard !isOver else { return 0 }
        return CInt((wantsInput ? POLLIN : 0) | (wantsOutput ? POLLOUT : 0))
    }

    var state: tlsmem_state {
        switch course {
        case .ended, .reported: return TLSMEM_STATE_CLOSED
        case .closing, .lingering: return TLSMEM_STATE_CLOSING
        case .going: break
        }
        if connector != nil { return TLSMEM_STATE_CONNECTING }
        switch engine.phase {
        case .new: return TLSMEM_STATE_NEW
        case .handshaking: return TLSMEM_STATE_HANDSHAKING
        case .open: return TLSMEM_STATE_OPEN
        case .failed: return TLSMEM_STATE_CLOSING
        }
    }

    func fill(_ want: inout tlsmem_want_info) {
        let waitingBytes = waitingCount
        let mayGo = !isOver && !isFreed
        want.state = state
        want.needs_ciphertext = wantsInput ? 1 : 0
        want.has_ciphertext = wantsOutput ? 1 : 0
        want.has_plaintext = waitingBytes > 0 ? 1 : 0
        want.accepts_plaintext = mayGo && engine.acceptsPlaintext && canStillSend ? 1 : 0
        want.peer_closed = engine.peerHasClosed ? 1 : 0
        want.paused = isPaused ? 1 : 0
        want.incoming_bytes = waitingBytes
        want.outgoing_bytes = engine.outgoing.count
        want.deferred_bytes = engine.deferredBytes
        want.deadline_ms = deadline
        want.congested = tellCongestion() ? 1 : 0
        want.waits_for = decision == nil ? TLSMEM_QUESTION_NONE : engine.ask { $0.question }.kind
    }

    func fill(_ stats: inout tlsmem_stats_info) {
        let seen = engine.observations
        let counts = engine.counts
        stats.recv_calls = receiveCalls
        stats.send_calls = sendCalls
        stats.records_in = seen.recordsIn
        stats.records_out = seen.recordsOut
        stats.plaintext_in = counts.received
        stats.plaintext_out = engine.encryptedBytes
        stats.ciphertext_in = ciphertextReceived
        stats.ciphertext_out = engine.outgoing.taken
        stats.key_updates_in = engine.updatesAsked
    }

    /// What went wrong first, also when it is not reported yet.
    var currentFailure: Failure? { failure ?? engine.failure.map { Failure(.engine($0)) } }

    /// Whose certificate was not good, if that is what failed.
    var subjectThatFailed: [UInt8]? {
        guard let depth = currentFailure?.engine?.verifyDepth, depth >= 0 else { return nil }
        return engine.ask { $0.subject(atDepth: depth) }
    }

    /// The handshake is done, or was.
    var wasEstablished: Bool { engine.wasEstablished }

    private var canStillSend: Bool { if case .broken = transport { false } else { true } }
}
