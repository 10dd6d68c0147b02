internal import CLinux
internal import CTLSMem
internal import EventLoop
internal import OpenSSLHandles
internal import SocketTransport
internal import TLSEngine

/// Plaintext, and ciphertext in the buffers face.
extension Connection {
    // MARK: Plaintext

    func write(_ plaintext: UnsafeRawBufferPointer) -> Int {
        if isOver { return endStatus.count }
        if let failure = currentFailure { return failure.status.count }
        if case .broken = transport { return TLSMEM_ERESET.count }
        guard engine.acceptsWrites else { return TLSMEM_ESTATE.count }
        guard plaintext.count > 0 else { return 0 }
        let gathering = isDriving || hasLoop  // the end of the drive, or of the turn, sees to the rest
        let isGathered = unsafe (gathering || engine.corks > 0) && engine.gather(plaintext.bytes)
        let taken = isGathered ? plaintext.count : unsafe writeOut(plaintext, gathering)
        attend()
        if taken < plaintext.count || isCongested { owesDrain = true }
        if owesDrain { engine.letCorkedGo() }
        if taken < plaintext.count { probeLimit("outgoing_max") }
        if !isGathered { noteWaits() }
        if taken == 0 { return engine.failure.map { $0.kind.status.count } ?? TLSMEM_AGAIN.count }
        return taken
    }

    private func writeOut(_ plaintext: UnsafeRawBufferPointer, _ gathering: Bool) -> Int {
        var taken = 0
        withBench { bench in
            begin()
            while taken < plaintext.count {
                let rest = unsafe UnsafeRawBufferPointer(rebasing: plaintext[taken...])
                let count = unsafe engine.write(
                    rest.bytes, gathering: gathering, incoming: bench.incoming, bench.pool)
                taken &+= count
                let before = engine.outgoing.taken
                sendSoon(bench)
                if count == 0, engine.outgoing.taken == before { break }
                if taken < plaintext.count, engine.watchesKey { changeKeyIfDue(bench) }
            }
        }
        return taken
    }

    func write(_ pieces: UnsafeBufferPointer<iovec>) -> Int {
        let owedDrain = owesDrain
        let isCorked = engine.cork()
        var (taken, offered, refusal) = (0, 0, 0)
        for index in 0..<max(1, pieces.count) where taken == offered && refusal == 0 {
            let piece = unsafe index < pieces.count ? pieces[index] : iovec()
            let count = unsafe write(UnsafeRawBufferPointer(start: piece.iov_base, count: piece.iov_len))
            refusal = min(0, count)
            taken &+= max(0, count)
            if count >= 0 { offered &+= unsafe piece.iov_len }
        }
        if isCorked { _ = uncork() }
        // What one piece has congested may be on its way with the last.
        if taken == offered, refusal == 0, !isCongested { owesDrain = owedDrain }
        return taken > 0 ? taken : refusal
    }

    func cork() -> CInt {
        if isOver { return endStatus.code }
        if let failure = currentFailure { return failure.status.code }
        return (engine.cork() ? TLSMEM_OK : TLSMEM_ESTATE).code
    }

    func uncork() -> CInt {
        guard engine.uncork() else { return TLSMEM_ESTATE.code }
        if isOver { return endStatus.code }
        if let failure = currentFailure { return failure.status.code }
        guard engine.corks == 0, engine.deferredBytes > 0 else { return TLSMEM_OK.code }
        if !isDriving, !hasLoop {
            withBench { bench in
                settle(bench)
                flush(bench)
            }
            noteWaits()
        }
        attend()
        return TLSMEM_OK.code
    }

    func read(_ target: UnsafeMutableRawBufferPointer) -> Int {
        guard target.count > 0 else { return 0 }
        let copied = showWaiting { bytes in
            let count = min(bytes.byteCount, target.count)
            unsafe bytes.withUnsafeBytes {
                unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<count]))
            }
            return count
        }
        guard let copied else { return nothingToRead(atEnd: TLSMEM_OK).count }
        return consumeRead(copied) == TLSMEM_OK.code ? copied : TLSMEM_EINVAL.count
    }

    /// Shows the plaintext that waits; nil when none does.
    func showWaiting<Result>(_ body: (borrowing RawSpan) -> Result) -> Result? {
        hasWaiting ? waiting?.use { body($0.bytes) } : nil
    }

    /// What a read says when no plaintext waits.
    func nothingToRead(atEnd: tlsmem_status) -> tlsmem_status {
        if engine.peerHasClosed { return atEnd }
        if let failure { return failure.status }
        if isOver { return atEnd }
        return TLSMEM_AGAIN
    }

    func consumeRead(_ count: Int) -> CInt {
        guard count >= 0, count <= waitingCount else { return TLSMEM_EINVAL.code }
        waiting?.use { $0.consume(count) }
        noteIncoming()
        noteWaits()
        if !isDriving, waiting != nil { Benches.withCurrent { giveBackWaiting($0.pool) } }
        attend()  // the socket may be read again
        return TLSMEM_OK.code
    }

    // MARK: Ciphertext

    func feed(_ ciphertext: UnsafeRawBufferPointer) -> Int {
        guard !hasTransport else { return TLSMEM_ESTATE.count }
        guard !isOver else { return endStatus.count }
        guard case .open = input else { return TLSMEM_ESTATE.count }
        guard ciphertext.count > 0 else { return Int(drive()) }
        guard feedRoom > 0 else { return TLSMEM_AGAIN.count }
        var taken = 0
        _ = drive { connection, bench in
            while taken < ciphertext.count, !connection.isOver, !connection.isFreed {
                let size = min(ciphertext.count &- taken, Bench.receiveBytes, connection.feedRoom)
                guard size > 0 else { break }
                connection.noteReceived(bench)
                connection.engine.fed()
                connection.ciphertextReceived &+= UInt64(clamping: size)
                let part = unsafe UnsafeRawBufferPointer(rebasing: ciphertext[taken..<taken &+ size])
                guard unsafe bench.incoming.append(part.bytes) else { return connection.end(Failure(.outOfMemory)) }
                unsafe connection.record(.bytes(part))
                taken &+= size
                if taken < ciphertext.count { connection.pump(bench) }
            }
        }
        return taken
    }

    /// What may be fed, less what a drive that is under way has not come to.
    private var feedRoom: Int {
        guard isDriving else { return incomingRoom }
        var held = 0
        withBench { held = $0.incoming.count }
        return incomingRoom &- held
    }

    func feedEnd() -> CInt {
        guard !hasTransport else { return TLSMEM_ESTATE.code }
        guard !isOver else { return endStatus.code }
        return drive { connection, _ in
            connection.record(.end)
            connection.input = .ended
        }
    }

    /// Shows the ciphertext to be sent first; nil when none waits, or no longer here: a callback has given it a socket.
    func showOutgoing<Result>(_ body: (borrowing RawSpan) -> Result) -> Result? {
        if case .new = engine.phase, engine.role == .client {
            return Held(self).use {  // the drive may call back, and whoever is called may free it
                _ = $0.drive()
                return $0.isFreed || $0.hasTransport ? nil : $0.engine.outgoing.withFirst(body)
            }
        }
        if isDriving { withBench { settle($0) } }  // written in this callback
        return engine.outgoing.withFirst(body)
    }

    func consumeOutgoing(_ count: Int) -> CInt {
        guard !hasTransport else { return TLSMEM_ESTATE.code }
        guard count >= 0, count <= engine.outgoing.withFirst({ $0.byteCount }) ?? 0 else { return TLSMEM_EINVAL.code }
        if nothingFollows {
            if count > 0 { noteMoved(received: false, sent: true) }
            Benches.withCurrent { benches in
                consumeOutgoing(count, benches.pool)
                engine.end(benches.pool)
            }
            noteWaits()
        } else {
            _ = drive { connection, bench in
                if count > 0 { connection.noteSent(bench) }
                connection.consumeOutgoing(count, bench.pool)
            }
        }
        return TLSMEM_OK.code
    }

    /// Open both ways, and nobody waits for output to go: a drive would find nothing to do.
    private var nothingFollows: Bool {
        guard case .going = course, case .open = input, !isDriving, !owesDrain, engine.phase == .open else {
            return false
        }
        return engine.acceptsWrites && !engine.peerHasClosed && engine.deferredBytes == 0 && !engine.isInHandshake
    }

    // MARK: Pace

    func pause() {
        if !isPaused { noteChange() }
        isPaused = true
        noteWaits()
    }

    func resume() {
        if isPaused { noteChange() }
        isPaused = false
        _ = drive()
    }

    // MARK: Keys

    func updateKey(askPeer: Bool) -> CInt {
        guard !isOver, engine.canUpdateKey else { return TLSMEM_ESTATE.code }
        guard engine.acceptsPlaintext else { return TLSMEM_AGAIN.code }
        var isDone = false
        withBench { bench in
            isDone = engine.updateKey(askPeer: askPeer, incoming: bench.incoming, bench.pool)
            sendSoon(bench)
        }
        noteWaits()
        attend()
        return (isDone ? TLSMEM_OK : TLSMEM_ESTATE).code
    }

    @inline(never)
    func changeKeyIfDue(_ bench: Bench) {
        guard !isOver else { return }
        guard isInTest else {
            return engine.changeKeyIfDue(incoming: bench.incoming, bench.pool, now: MonotonicClock.milliseconds)
        }
        let now = currentMilliseconds
        engine.changeKeyIfDue(incoming: bench.incoming, bench.pool, now: { now })
    }

    func renegotiate() -> CInt {
        guard !isOver, engine.renegotiate() else { return TLSMEM_ESTATE.code }
        _ = drive()
        return TLSMEM_OK.code
    }
}

extension Connection {
    /// Sends at once where nobody else will: a drive sends at its end, a loop at the end of the turn.
    func sendSoon(_ bench: Bench) {
        if !hasLoop, !bench.isPumping { flush(bench) } else { flushIfMuch(bench) }
    }

    /// Has the loop look at us at the end of the turn; a drive that is under way looks by itself.
    func attend() {
        if !isDriving { heldLoop?.use { $0.registry.attend(self) } }
    }
}

/// The socket, and the beginning and the end of a connection.
extension Connection {
    func setSocket(_ fd: CInt) -> CInt {
        guard fd >= 0 else { return TLSMEM_EINVAL.code }
        guard !hasTransport, !isOver, case .open = input, !finIsSent else { return TLSMEM_ESTATE.code }
        if case .broken = transport { return TLSMEM_ESTATE.code }  // what was dropped leaves a hole
        socket = fd
        transport = .working
        begin()
        return TLSMEM_OK.code
    }

    func takeSocket() -> CInt {
        guard socket >= 0 else { return -1 }
        leaveLoop()
        defer {
            socket = -1
            ownsSocket = false
        }
        return socket
    }

    /// Goes out of its loop, into the program's hands. What was gathered for the end of the turn is encrypted at once:
    /// nothing else would come to see to it.
    func leaveLoop() {
        guard let loop else { return }
        loop.remove(self)
        guard !isDriving, engine.deferredBytes > 0 else { return }
        withBench { settle($0) }
        noteWaits()
    }

    /// For the verbs of the fd face: the loop has them to itself while it drives.
    func socketIsReady(_ readiness: Readiness) -> CInt {
        guard socket >= 0 || isOver, !hasLoop else { return TLSMEM_ESTATE.code }
        return exchange(readiness)
    }

    func flushSocket() -> CInt {
        guard socket >= 0 || isOver else { return TLSMEM_ESTATE.code }
        return drive { connection, bench in
            connection.socketIsWritable()
            connection.settle(bench, all: true)
            connection.flush(bench)
        } answer: {
            guard $0.progress == TLSMEM_OK.code else { return $0.progress }
            return ($0.engine.outgoing.isEmpty ? TLSMEM_OK : TLSMEM_AGAIN).code
        }
    }

    func handshake() -> CInt {
        drive(answer: {
            guard $0.progress == TLSMEM_OK.code else { return $0.progress }
            if let failure = $0.currentFailure { return failure.status.code }  // the alert is on its way
            return ($0.wasEstablished ? TLSMEM_OK : TLSMEM_AGAIN).code
        })
    }
}
