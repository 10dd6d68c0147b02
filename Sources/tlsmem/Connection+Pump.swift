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
        guard !isPumping else { return }
        isPumping = true
        defer { isPumping = false }
        while isMoving {
            if deliverWaiting(bench) { continue }
            if deliverEOF() { continue }
            switch step(bench) {
            case .plaintext(let count):
                flushIfMuch()
                deliver(count, bench)
            case .established:
                if case .going = course { phaseDeadline = -1 }
                _ = settle(bench)
                flush()
                unsafe callbacks.on_established?(handle, user)
            case .peerClosed:
                owesEOF = true
            case .failed(let cause):
                fail(Failure(.engine(cause)))
            case .needsCiphertext:
                if settle(bench) { continue }
                flush()
                if deliverDrain() { continue }
                conclude()
                return
            }
        }
        guard !isFreed else { return }
        flush()
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

    func step(_ bench: Bench) -> Step {
        var target = unsafe bench.plaintext.mutableBytes
        return engine.step(
            into: &target, incoming: bench.incoming, bench.pool, now: lastActivity)
    }

    /// Encrypts what was deferred, slice by slice, and sends as it goes. Returns whether there was anything.
    private func settle(_ bench: Bench) -> Bool {
        var isMoving = false
        while engine.settle(incoming: bench.incoming, bench.pool) {
            isMoving = true
            flushIfMuch()
        }
        return isMoving
    }

    /// Settles and sends at the very end, when no more rounds follow.
    func flushAll() {
        withBench { bench in
            _ = settle(bench)
            flush()
        }
    }

    // MARK: Incoming

    /// Receives what the kernel has, within the budget of one wake-up.
    func receive(_ bench: Bench) {
        var budget = limits.wakeMax
        while budget > 0, socket >= 0, wantsInput {
            let size = min(Bench.receiveBytes, budget, isLingering ? Bench.receiveBytes : incomingRoom)
            let target = unsafe UnsafeMutableRawBufferPointer(rebasing: bench.received[..<max(1, size)])
            receiveCalls &+= 1
            let outcome: Transfer
            do {
                outcome = try unsafe Socket.receive(socket, into: target)
            } catch {
                return receiveFailed(error.code)
            }
            switch outcome {
            case .wouldBlock:
                return
            case .endOfStream:
                input = .ended
                return
            case .moved(let count):
                budget -= count
                lastActivity = MonotonicClock.milliseconds()
                if case .lingering(let bytesLeft) = course {
                    course = .lingering(bytesLeft: bytesLeft - count)
                } else {
                    unsafe take(unsafe UnsafeRawBufferPointer(rebasing: target[..<count]), bench)
                }
                if count < target.count { return }  // the kernel has no more: what comes later is a new event
                pump(bench)
            }
        }
    }

    /// Puts ciphertext in front of the engine.
    func take(_ ciphertext: UnsafeRawBufferPointer, _ bench: Bench) {
        ciphertextReceived &+= UInt64(ciphertext.count)
        if unsafe !bench.incoming.append(ciphertext.bytes) { end(Failure(.outOfMemory)) }
    }

    private var isLingering: Bool { if case .lingering = course { true } else { false } }

    /// Ciphertext is to be had: the peer may still speak, and what it says has room.
    ///
    /// Never held back because output waits: two peers that both did that would wait for each other for ever.
    var wantsInput: Bool {
        guard case .open = input, !isFreed, connector == nil else { return false }
        switch course {
        case .going, .closing: return incomingRoom > 0
        case .lingering(let bytesLeft): return bytesLeft > 0
        case .ended, .reported: return false
        }
    }

    /// Bytes of plaintext that may still be queued. Plaintext is never longer than its ciphertext.
    var incomingRoom: Int { max(0, limits.incomingMax - (waiting?.count ?? 0)) }

    private func receiveFailed(_ errno: CInt) {
        // A peer that has closed properly and does not wait for our answer: nothing is lost by that.
        let isHarmless = errno == ECONNRESET && engine.peerHasClosed && !engine.owesApplicationData
        input = isHarmless ? .ended : .failed(Failure(errno: errno))
    }

    private func deliver(_ count: Int, _ bench: Bench) {
        let plaintext = unsafe UnsafeRawBufferPointer(rebasing: bench.plaintext[..<count])
        if let onData = unsafe callbacks.on_data, !isPaused, waiting?.isEmpty ?? true {
            return unsafe onData(handle, plaintext.baseAddress, count, user)
        }
        guard let queue = waiting ?? bench.pool.take(), unsafe queue.append(plaintext.bytes) else {
            return end(Failure(.outOfMemory))
        }
        waiting = queue
    }

    /// Delivers what was queued while paused, a buffer at a time: the callback may change the queue.
    private func deliverWaiting(_ bench: Bench) -> Bool {
        guard let onData = unsafe callbacks.on_data, !isPaused, let queue = waiting, !queue.isEmpty else {
            return false
        }
        let count = unsafe min(queue.count, bench.plaintext.count)
        unsafe queue.bytes.withUnsafeBytes {
            unsafe bench.plaintext.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<count]))
        }
        queue.consume(count)
        unsafe onData(handle, bench.plaintext.baseAddress, count, user)
        return true
    }

    /// Plaintext waits for tlsmem_resume; what comes after it waits too.
    var holdsBack: Bool { unsafe callbacks.on_data != nil && !(waiting?.isEmpty ?? true) }

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

    private func deliverDrain() -> Bool {
        guard owesDrain, engine.outgoingBytes <= limits.outgoingLow, engine.acceptsPlaintext, isMoving else {
            return false
        }
        owesDrain = false
        guard let onDrain = unsafe callbacks.on_drain else { return false }
        unsafe onDrain(handle, user)
        return true
    }

    // MARK: Outgoing

    func socketIsWritable() {
        if case .full = transport { transport = .working }
    }

    /// Sends in the middle of something when so much waits that gathering more would gain nothing.
    func flushIfMuch() {
        if engine.outgoing.count >= min(Bench.receiveBytes, limits.outgoingMax / 2) { flush() }
    }

    /// Sends what the socket takes. What it does not take stays in the engine's outgoing queue, the only one.
    ///
    /// Nothing after the end: the program may have closed the fd, and its number be another's.
    func flush() {
        guard socket >= 0, !isOver, let bench else { return }
        while let slice = engine.outgoing.first, !slice.isEmpty {
            switch transport {
            case .working: break
            case .full: return
            case .broken: return engine.discardOutgoing(bench.pool)
            }
            sendCalls &+= 1
            let size = slice.count
            do {
                guard case .moved(let count) = try Socket.send(socket, slice.bytes) else {
                    transport = .full
                    return
                }
                lastActivity = MonotonicClock.milliseconds()
                engine.consumeOutgoing(count, bench.pool)
                if count < size { transport = .full }
            } catch {
                sendFailed(error.code, bench)
            }
        }
    }

    /// A write error stops the sending, not the reading: what the peer sent before it went is still to be had.
    private func sendFailed(_ errno: CInt, _ bench: Bench) {
        transport = .broken(errno: errno, lostData: engine.owesApplicationData)
        engine.discardOutgoing(bench.pool)
    }
}
