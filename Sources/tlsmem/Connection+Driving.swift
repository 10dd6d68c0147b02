internal import CTLSMem
internal import EventLoop
internal import OpenSSLHandles
internal import SocketTransport
internal import TLSEngine

/// A drive: a bench is lent, work is done, what follows from it is done, and outside of all that it is reported.
extension Connection {
    var isFreed: Bool {
        switch grip {
        case .held, .inUse: false
        case .freedInUse, .freed: true
        }
    }

    /// The program's reference goes: at once, or when the drive that is under way has ended. Whatever is on the stack
    /// finds the mark.
    func free() {
        let isInUse = grip == .inUse
        grip = isInUse ? .freedInUse : .freed
        Handle.forget(self)
        decision = nil
        loop?.remove(self)
        leaveGate()  // also on its way between two loops
        if !isInUse { unsafe Handle.takeBack(handle, Connection.self) }
    }

    /// Begins what calls back. False inside of it.
    private func enter() -> Bool {
        guard case .held = grip else { return false }
        grip = .inUse
        Handle.enter(self)
        return true
    }

    /// Ends it. Whoever counts no reference does not touch the connection any more.
    private func leave() {
        Handle.leave(self)
        guard case .freedInUse = grip else {
            grip = .held
            return
        }
        grip = .freed
        unsafe Handle.takeBack(handle, Connection.self)
    }

    /// Inside a drive, and so perhaps inside a callback.
    var isDriving: Bool { unsafe bench != nil }

    /// Lends what OpenSSL works with for the length of `work`. Within a drive it is lent already.
    func withBench(_ work: (Bench) -> Void) {
        if let bench = unsafe bench { return unsafe bench._withUnsafeGuaranteedRef(work) }
        guard let lent = unsafe takeBench() else { return }
        unsafe lent._withUnsafeGuaranteedRef {
            work($0)
            giveBack($0)
        }
    }

    /// Begins a drive. Nil without memory, and then the connection has ended.
    private func takeBench() -> Unmanaged<Bench>? {
        if let lent = unsafe Bench.lend() {
            if unsafe lent._withUnsafeGuaranteedRef({ engine.begin(incoming: $0.incoming, $0.pool) }) {
                unsafe bench = unsafe lent
                if engine.watchesKey { unsafe lent._withUnsafeGuaranteedRef { changeKeyIfDue($0) } }
                return unsafe lent
            }
            unsafe lent._withUnsafeGuaranteedRef { $0.takeBack(usedUp: false) }
        }
        end(Failure(.outOfMemory))
        return nil
    }

    /// Ends it.
    private func giveBack(_ bench: Bench) {
        noteMoved(bench)
        unsafe self.bench = nil
        engine.end(bench.pool)
        if waiting != nil { giveBackWaiting(bench.pool) }
        bench.takeBack(usedUp: engine.awaitsCiphertext)
    }

    func giveBackWaiting(_ pool: BufferPool) {
        guard !hasWaiting, let empty = waiting.take() else { return }
        pool.giveBack(empty.counted())
    }

    func step(_ bench: Bench) -> Step {
        if isInTest { return stepInTest(bench) }
        var target = unsafe bench.plaintext.mutableBytes
        return engine.step(into: &target, incoming: bench.incoming, bench.pool, now: MonotonicClock.milliseconds)
    }

    /// Does `work`, everything that follows from it, and reports. From inside a drive only the work is done: the drive
    /// that is under way goes on with the rest.
    ///
    /// Returns the answer, asked for when everything is done, but before it leaves for another loop: then it is another
    /// thread's, and whoever has called this may not look at it any more.
    func drive(
        _ work: (Connection, Bench) -> Void = { _, _ in }, answer: (Connection) -> CInt = { $0.progress }
    ) -> CInt {
        if let bench = unsafe bench {
            unsafe bench._withUnsafeGuaranteedRef {
                $0.isDriven = true
                work(self, $0)
            }
            return answer(self)
        }
        let isOutermost = enter()
        if let lent = unsafe takeBench() {
            unsafe lent._withUnsafeGuaranteedRef {
                begin()
                work(self, $0)
                pumpAll($0)
                giveBack($0)
            }
        }
        return afterDrive(isOutermost, answer)
    }

    /// Does the work of connecting, and reports. Without a socket nothing follows from it, unless a callback has taken
    /// the connection out of the loop and driven it by itself.
    func driveConnecting(_ work: () -> Void) {
        guard !isDriving else { return work() }
        let isOutermost = enter()
        withBench { bench in
            work()
            guard socket >= 0 || bench.isDriven else { return }
            begin()
            pumpAll(bench)
        }
        _ = afterDrive(isOutermost) { $0.progress }
    }

    private func pumpAll(_ bench: Bench) {
        pump(bench)
        if bench.receiveIsDue {
            bench.receiveIsDue = false
            receive(bench)
            pump(bench)
            if bench.tickIsDue >= 0 { judgeDeadline(bench) }
        }
        if engine.collects, isOver { _ = tellReports() }  // what was made last, before on_close
    }

    /// Tells the loop what is waited for now, or reports the end, outside of everything else: the user may free us.
    private func afterDrive(_ isOutermost: Bool, _ answer: (Connection) -> CInt) -> CInt {
        timeRenegotiation()
        noteWaits()
        if let destination, !isFreed, !isOver, !isBeingAccepted {
            let answer = answer(self)
            if isOutermost { leave() }
            return move(to: destination) ?? answer
        }
        if !isOver, let error = heldLoop?.use({ $0.update(self) }) ?? nil { end(Failure(.system(errno: error))) }
        if drainIsDue { attend() }
        if case .ended = course, !isBeingAccepted { reportEnd() }
        let answer = answer(self)
        if isOutermost { leave() }
        return answer
    }

    private func reportEnd() {
        course = .reported
        decision = nil
        engine.giveUpQuestion()
        loop?.remove(self)
        leaveGate()  // also on its way between two loops
        if !isFreed, let onClose = unsafe callbacks.on_close {
            var report = self.report
            unsafe onClose(handle, &report, user)
        }
        if !isUnwrapped { closeOwnSocket() }
    }

    /// What a driving call returns.
    var progress: CInt {
        switch course {
        case .going, .closing, .lingering: TLSMEM_OK.code
        case .ended, .reported: endStatus.code
        }
    }

    var isOver: Bool {
        switch course {
        case .ended, .reported: true
        case .going, .closing, .lingering: false
        }
    }

    /// on_close has fired, if there is one.
    var isReported: Bool { if case .reported = course { true } else { false } }

    /// Why it has ended.
    var endStatus: tlsmem_status { failure?.status ?? TLSMEM_CLOSED }
}
