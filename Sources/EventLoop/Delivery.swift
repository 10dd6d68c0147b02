internal import SocketTransport

/// One event on its way to its watcher, who is not counted for that: it stays until the event is delivered.
extension Registry {
    /// Hands an event to the watcher it was meant for, if that one is still here and still waits for it.
    func deliver(_ token: Token, _ readiness: Readiness) -> Bool {
        guard let held = unsafe held(token) else { return false }
        return unsafe held._withUnsafeGuaranteedRef { watcher in
            switch watcher.manner {
            case .level:
                return call(watcher, readiness, token)
            case .edge:
                watcher.latched.formUnion(readiness)
                return call(watcher, watcher.latched, token)
            case .patient:
                wait(watcher, token, readiness)
                return false
            }
        }
    }

    /// Has a patient one wait for its turn, and silent, unless that is soon: epoll would report it again and again.
    private func wait(_ watcher: Watcher, _ token: Token, _ readiness: Readiness) {
        guard !watcher.isUnfinished else { return }
        watcher.isUnfinished = true
        patient.add(token, readiness, isSilent: patient.isCrowd && silence(watcher, token))
    }

    /// Its turn has come.
    func deliverInTurn(_ token: Token, _ readiness: Readiness, _ isSilent: Bool) -> Bool {
        guard let held = unsafe held(token) else { return false }
        return unsafe held._withUnsafeGuaranteedRef { watcher in
            if isSilent, !hear(watcher, token) {
                patient.add(token, readiness, isSilent: true)
                return true  // a turn was taken
            }
            guard watcher.manner == .patient else { return false }
            watcher.isUnfinished = false
            return call(watcher, readiness, token)
        }
    }

    private func call(_ watcher: Watcher, _ readiness: Readiness, _ token: Token) -> Bool {
        let wanted = readiness.limited(to: watcher.interest)
        guard !wanted.isEmpty else { return false }
        unsafe called = Unmanaged.passUnretained(watcher)
        watcher.ready(wanted)
        unsafe called = nil
        listIfUnfinished(watcher, token)
        if departed != nil { departed = nil }
        return true
    }

    /// A watcher leaves.
    func letGo(_ slot: Slot) {
        guard let held = unsafe slot.held else { return }
        if unsafe called?.toOpaque() == held.toOpaque() { departed = slot.watcher }
        unsafe held.release()
    }

    /// Delivers again to one who had not finished.
    func deliverAgain(_ token: Token) -> Bool {
        guard let held = unsafe held(token) else { return false }
        unsafe held._withUnsafeGuaranteedRef { $0.isUnfinished = false }
        return deliver(token, [])
    }

    /// Puts an edge-triggered watcher on the list when it has not used up what it waits for.
    func listIfUnfinished(_ watcher: Watcher, _ token: Token) {
        // Whoever has left is not touched: it may be another thread's by now.
        guard unsafe held(token)?.toOpaque() == Unmanaged.passUnretained(watcher).toOpaque(), watcher.manner == .edge,
            !watcher.isUnfinished, !watcher.latched.limited(to: watcher.interest).isEmpty
        else { return }
        watcher.isUnfinished = true
        unfinished.append(token)
        if !isRunning { posts.signal() }
    }
}
