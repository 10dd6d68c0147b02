internal import CLinux
internal import CTLSMem
internal import SocketTransport
internal import TLSEngine

/// How a connection comes to its end, and what is said about it.
extension Connection {
    /// How much of a failed peer's input is dropped before it is left alone.
    private static var lingerBytesMax: Int { 1_048_576 }

    // MARK: Asked for

    func close() -> CInt {
        guard case .going = course else { return TLSMEM_OK.code }
        _ = drive { connection, _ in connection.startClosing() }
        return TLSMEM_OK.code
    }

    func startClosing() {
        guard case .going = course else { return }
        // It is told of that just now, and calls tlsmem_close: the alert goes out all the same.
        if let failure = engine.failure { return fail(Failure(.engine(failure))) }
        if engine.phase != .open, engine.deferredBytes == 0, !engine.hasAnsweredEarly { return end(Failure(.aborted)) }
        course = .closing
        if !isUnwrapping { dropBeyondTLS() }
        engine.closeWriting()
        beginPhase()
    }

    func closeWrite() -> CInt {
        switch course {
        case .going:
            _ = drive { connection, _ in
                connection.engine.closeWriting()
                connection.noteChange()
            }
            return TLSMEM_OK.code
        case .closing: return TLSMEM_OK.code
        case .lingering, .ended, .reported: return TLSMEM_ESTATE.code
        }
    }

    func abort() -> CInt {
        guard !isOver else { return TLSMEM_OK.code }
        _ = drive { connection, bench in
            connection.engine.discardOutgoing(incoming: bench.incoming, bench.pool)
            connection.end(Failure(.aborted))
        }
        return TLSMEM_OK.code
    }

    // MARK: Noticed

    /// The program's transport has failed, both ways.
    func feedError(_ errno: CInt) -> CInt {
        guard errno > 0 else { return TLSMEM_EINVAL.code }
        guard !hasTransport else { return TLSMEM_ESTATE.code }
        guard !isOver else { return endStatus.code }
        return drive { connection, bench in
            if case .open = connection.input { connection.receiveFailed(errno) }
            switch connection.transport {
            case .working, .full: connection.sendFailed(errno, bench)  // full: an fd was, before it was taken back
            case .broken: break
            }
        }
    }

    /// Looks whether what has happened so far is an end. Called when nothing more can be done with what is there.
    func conclude() {
        switch course {
        case .going, .closing: break
        case .lingering: return concludeLingering()
        case .ended, .reported: return
        }
        if let cause = engine.failure { return fail(Failure(.engine(cause))) }
        // What was received is delivered before any end is told, and what stands still has not looked at all of it.
        guard !holdsBack, !owesEOF, decision == nil else { return }
        if let breakage = particulars?.breakage {
            // Nothing more can be sent. Whatever the peer sent is read up to its end.
            guard engine.peerHasClosed || inputIsOver else { return }
            return end(engine.peerHasClosed && !breakage.lostData ? nil : Failure(errno: breakage.errno))
        }
        if let failure = particulars?.inputFailure { return end(failure) }
        let isSent = engine.outgoing.isEmpty && engine.deferredBytes == 0
        if hasSaidAll { sendFIN() }
        if engine.isOver, isSent { return end(nil) }
        guard inputIsOver, let cause = engine.endOfFile() else { return }
        if !isClosing || isUnwrapping { return fail(Failure(.engine(cause))) }
        if engine.hasClosed, isSent { return end(nil) }  // we closed, and the peer simply went
        if engine.phase != .open || engine.waitsForHandshake { return fail(Failure(.engine(cause))) }
    }

    /// It closes, and everything has gone: all that is left to send is FIN.
    var hasSaidAll: Bool {
        isClosing && !isUnwrapping && engine.hasClosed && engine.outgoing.isEmpty && engine.deferredBytes == 0
    }

    private var isClosing: Bool { if case .closing = course { true } else { false } }

    private var inputIsOver: Bool { if case .open = input { false } else { true } }

    /// The program's bytes wait to be sent, or it may still write some.
    var owesMore: Bool { engine.owesApplicationData || engine.acceptsWrites }

    /// The program has taken a descriptor back that had not taken everything: the peer can make nothing of what is behind
    /// the hole.
    func discardBehindHole(_ bench: Bench) {
        if case .broken = transport, !isOver { engine.discardOutgoing(incoming: bench.incoming, bench.pool) }
    }

    /// FIN, once nothing more will be sent.
    func sendFIN() {
        guard socket >= 0, !finIsSent else { return }
        finIsSent = true
        Socket.shutdownWriting(socket)
    }

    /// Ends because of a failure; lets the peer have the alert first.
    func fail(_ failure: Failure) {
        guard !isOver else { return }
        self.failure = currentFailure ?? failure
        probeLimit(of: self.failure)
        withBench { flush($0) }
        let hasAlert = failure.engine?.alertSent != nil
        guard hasAlert, socket >= 0, !inputIsOver, timeout(.close) > 0, !isOver else { return end(failure) }
        course = .lingering
        note { $0.lingeringBytes = Self.lingerBytesMax }
        beginPhase()
        concludeLingering()
    }

    private func concludeLingering() {
        guard case .lingering = course else { return }
        if case .broken = transport { return end(nil) }
        guard engine.outgoing.isEmpty else { return }
        sendFIN()
        if inputIsOver || lingeringBytes <= 0 { end(nil) }
    }

    var lingeringBytes: Int { particulars?.lingeringBytes ?? 0 }

    /// It is over; the drive that is under way reports it. The first failure is the one that counts.
    func end(_ failure: Failure?) {
        guard !isOver else { return }
        self.failure = currentFailure ?? failure
        course = .ended
        countEnd()
    }

    // MARK: Said

    var report: tlsmem_report_info {
        var report = tlsmem_report_info()
        let counts = engine.counts
        report.size = MemoryLayout<tlsmem_report_info>.size
        report.status = (failure?.status ?? TLSMEM_OK).code
        report.close_notify_sent = engine.hasClosed ? 1 : 0
        report.close_notify_received = engine.peerHasClosed ? 1 : 0
        report.bytes_accepted = counts.accepted
        report.bytes_encrypted = engine.encryptedBytes
        report.bytes_received = counts.received
        report.ciphertext_sent = engine.outgoing.taken
        report.ciphertext_unsent = UInt64(clamping: engine.outgoing.count) &+ engine.outgoing.dropped
        report.ciphertext_received = ciphertextReceived
        return report
    }
}
