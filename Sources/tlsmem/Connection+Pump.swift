internal import CLinux
internal import CTLSMem
internal import EventLoop
internal import OpenSSLHandles
internal import SocketTransport
internal import TLSEngine

/// The two straight pipes: recv -> feed -> step -> deliver, and write -> flush -> send.
extension Connection {
    /// The laws: feed, step, flush, deliver, in that order; step until the engine needs ciphertext; flush before an
    /// end is reported. Callbacks run between steps, so whatever they did is seen by the next round.
    func pump(_ bench: Bench) {
        guard !bench.isPumping else { return }
        bench.isPumping = true
        defer { bench.isPumping = false }
        var (hasDrained, hasTold) = (false, false)
        while isMoving {
            if deliverWaiting(bench) || deliverEOF() { continue }
            if particulars?.decision != nil, !applyAnswer(bench) { break }
            if particulars?.early != nil, showKeptEarly(bench) { continue }
            let step = step(bench)
            if engine.collects, tellReports(), !isMoving { break }
            switch step {
            case .plaintext(let count):
                flushIfMuch(bench)
                deliver(count, bench)
            case .earlyPlaintext(let count):
                flushIfMuch(bench)
                deliverEarly(count, bench)
            case .established:
                endEarly()
                handshakeIsDone()
                let sends = sendCalls
                settle(bench)
                flush(bench)
                // A client that waits for its last flight to be acknowledged would wait 40 ms with its request.
                if engine.role == .server, socket >= 0, sendCalls == sends { Socket.acknowledge(socket) }
                unsafe callbacks.on_established?(handle, user)
            case .peerClosed:
                owesEOF = true
                noteChange()
            case .authenticated(let next):
                deliverAuthentication()
                guard isMoving else { break }
                if case .plaintext(let count) = next { deliver(count, bench) }
                if case .peerClosed = next { owesEOF = true }
            case .beyondTLS:
                keepBeyondTLS(bench)
            case .failed(let cause):
                fail(Failure(.engine(cause)))
            case .asks(let question):
                put(question, bench)
            case .needsCiphertext:
                settle(bench)
                flush(bench)
                // Once: whoever writes all that fits into each on_drain would otherwise keep the loop for itself.
                if !hasDrained, deliverDrain() {
                    hasDrained = true
                    continue
                }
                if engine.collects {
                    let tells = !hasTold && tellReports()
                    hasTold = hasTold || tells
                    if tells || holdsBack && !isPaused { continue }  // whoever is told may call tlsmem_resume
                }
                conclude()
                return
            }
        }
        guard !isFreed else { return }
        flush(bench)
        conclude()
    }

    /// There may be something to do: neither freed, nor failed, nor over, nor still connecting.
    private var isMoving: Bool {
        guard !isFreed, connector == nil else { return false }
        switch course {
        case .going, .closing: return true
        case .lingering, .ended, .reported: return false
        }
    }

    /// Encrypts what was deferred, slice by slice, and sends as it goes.
    @inline(__always)
    func settle(_ bench: Bench, all: Bool = false) {
        while engine.settle(incoming: bench.incoming, bench.pool, all: all) { hasSettled(bench) }
    }

    @inline(never)
    private func hasSettled(_ bench: Bench) {
        flushIfMuch(bench)
        if engine.watchesKey { changeKeyIfDue(bench) }
    }

    /// Settles and sends at the very end, when no more rounds follow.
    func flushAll() {
        withBench { bench in
            settle(bench)
            flush(bench)
        }
    }

    // MARK: Incoming

    /// Receives what the kernel has, within the budget of one wake-up.
    func receive(_ bench: Bench) {
        var budget = limits.wakeMax
        while budget > 0, socket >= 0, wantsInput {
            let size = min(Bench.receiveBytes, budget, isLingering ? Bench.receiveBytes : incomingRoom)
            guard let target = unsafe bench.incoming.room(max(1, size), isEmpty: engine.awaitsCiphertext) else {
                return end(Failure(.outOfMemory))
            }
            receiveCalls &+= 1
            let outcome: Transfer
            do {
                outcome = try unsafe Socket.receive(socket, into: target)
            } catch {
                return receiveFailed(error.code)
            }
            switch outcome {
            case .wouldBlock:
                return exhausted(.read)
            case .endOfStream:
                input = .ended
                record(.end)
                return
            case .moved(let count):
                budget -= count
                noteReceived(bench)
                engine.fed()
                if case .lingering = course {
                    note { $0.lingeringBytes &-= count }
                } else {
                    ciphertextReceived &+= UInt64(count)
                    guard bench.incoming.appended(count) else { return end(Failure(.outOfMemory)) }
                    unsafe record(.bytes(UnsafeRawBufferPointer(rebasing: target[..<count])))
                }
                if count < target.count, manner != .edge { return }  // level-triggered, what is left is a new event
                pump(bench)
            }
        }
    }

    private var isLingering: Bool { if case .lingering = course { true } else { false } }

    /// Ciphertext is to be had: the peer may still speak, and what it says has room.
    ///
    /// Never held back because output waits: two peers that both did that would wait for each other for ever.
    var wantsInput: Bool {
        guard case .open = input, !isFreed, connector == nil else { return false }
        switch course {
        case .going: return incomingRoom > 0
        case .closing: return incomingRoom > 0 && !(engine.peerHasClosed && isUnwrapping)  // it is the program's
        case .lingering: return lingeringBytes > 0
        case .ended, .reported: return false
        }
    }

    /// Bytes of plaintext that may still be queued. Plaintext is never longer than its ciphertext.
    var incomingRoom: Int { incomingIsFull ? 0 : max(0, limits.incomingMax &- waitingCount) }

    /// Notes how much waits to be read: full at incoming_max, and no more at incoming_low, which is below it.
    func noteIncoming() {
        let count = waitingCount
        if count >= limits.incomingMax {
            if !incomingIsFull { probeLimit("incoming_max") }
            incomingIsFull = true
        } else if count <= limits.incomingLow || limits.incomingLow >= limits.incomingMax {
            incomingIsFull = particulars.map { $0.beyondTLS != nil || $0.decision != nil } ?? false
        }
    }

    @inline(never)
    func receiveFailed(_ errno: CInt) {
        record(.error(errno))
        // A peer that has closed properly and does not wait for our close_notify: nothing is lost by that.
        let isHarmless = errno == ECONNRESET && engine.peerHasClosed && !owesMore
        input = isHarmless ? .ended : .failed
        if !isHarmless { note { $0.inputFailure = Failure(errno: errno) } }
    }

    private func deliver(_ count: Int, _ bench: Bench) {
        let plaintext = unsafe UnsafeRawBufferPointer(rebasing: bench.plaintext[..<count])
        if let onData = unsafe callbacks.on_data, !isPaused, !hasWaiting {
            return unsafe onData(handle, plaintext.baseAddress, count, user)
        }
        if waiting == nil { waiting = Held(bench.pool.takeQueue()) }
        let isKept = waiting?.use { unsafe $0.append(plaintext.bytes) } ?? false
        guard isKept else { return end(Failure(.outOfMemory)) }
        noteIncoming()
    }

    /// Delivers what was queued while paused, a buffer at a time: the callback may change the queue.
    private func deliverWaiting(_ bench: Bench) -> Bool {
        guard hasWaiting, !isPaused, let onData = unsafe callbacks.on_data else { return false }
        let count = unsafe min(waitingCount, bench.plaintext.count)
        waiting?.use { queue in
            queue.withFirst(count) { unsafe $0.withUnsafeBytes { unsafe bench.plaintext.copyMemory(from: $0) } }
            queue.consume(count)
        }
        noteIncoming()
        unsafe onData(handle, bench.plaintext.baseAddress, count, user)
        return true
    }

    /// Plaintext waits for tlsmem_resume; what comes after it waits too.
    var holdsBack: Bool { unsafe hasWaiting && callbacks.on_data != nil }

    var waitingCount: Int { waiting?.use { $0.count } ?? 0 }
    var hasWaiting: Bool { waitingCount > 0 }

    private func deliverEOF() -> Bool {
        guard owesEOF, !holdsBack else { return false }
        owesEOF = false
        if let onEOF = unsafe callbacks.on_eof {
            unsafe onEOF(handle, user)
        } else if unsafe callbacks.on_data != nil {
            startClosing()
        }
        return true
    }

    @inline(__always) private func deliverDrain() -> Bool {
        guard drainIsFree else { return false }
        owesDrain = false
        guard let onDrain = unsafe callbacks.on_drain else { return false }
        unsafe onDrain(handle, user)
        return true
    }

    /// on_drain is owed, and what waits has fallen far enough.
    @inline(__always) private var drainIsFree: Bool { owesDrain && outgoingHasFallen }

    /// And it can be told: while a question is open nothing is, but its answer.
    @inline(never) private var outgoingHasFallen: Bool {
        guard decision == nil, engine.outgoingBytes <= limits.outgoingLow else { return false }
        return !isCongested && engine.acceptsPlaintext && isMoving
    }

    /// The same, for somebody who hears of it: a drive has to come, or the producer sleeps for ever.
    @inline(__always) var drainIsDue: Bool { unsafe drainIsFree && callbacks.on_drain != nil }

    /// Due, and no loop sees to the drive: tlsmem_interest and tlsmem_deadline have to ask for it. A write in the fd face
    /// sends at once and calls nothing back, so what it empties may be what another producer waits for.
    var drainIsOverdue: Bool { !hasLoop && !isDriving && drainIsDue }

    /// More waits than a producer should add to. Nothing is sent any more after the end.
    var isCongested: Bool {
        limits.outgoingHigh < limits.outgoingMax && !isOver && engine.outgoingBytes > limits.outgoingHigh
    }

    /// The answer for a producer: who is told that it is congested is owed on_drain. Not only after a write: what waits
    /// also grows when what was put off is encrypted.
    func tellCongestion() -> Bool {
        let isCongested = self.isCongested
        if isCongested {
            owesDrain = true
            engine.letCorkedGo()
        }
        return isCongested
    }
}
