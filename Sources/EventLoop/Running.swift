internal import CLinux
package import SocketTransport

/// The turns of the loop. One turn: wait, descriptors, posts, the patient, deadlines, and those who asked to be looked at.
extension Registry {
    /// How often the end of a turn looks again at those who asked during it; the rest waits for the next turn.
    private static var attentionPassesMax: Int { 4 }

    /// Runs until `stop`, or, unless told otherwise, until nothing is left. False, and nothing done, from inside a turn, and
    /// in a child of fork.
    package func run() throws(Errno) -> Bool {
        guard isOurs else { return false }
        while runsEmpty || !(isEmpty && posts.isEmpty) {
            guard let turn = try turn(-1) else { return false }
            if turn.isLast { return true }
        }
        guard !isRunning else { return false }
        _ = posts.takeStop()
        return true
    }

    /// Waits at most so many milliseconds (-1: without end) and answers how many things were handled: events, posts,
    /// deadlines and looks after the turn. Nil, and nothing done, where `run` does nothing.
    package func runOnce(timeout: Int32) throws(Errno) -> Int? {
        try turn(timeout)?.handled
    }

    /// Makes the run that is under way, or the next one, return after its turn. Any thread.
    package func stop() { posts.requestStop() }

    /// Makes a wait return at once. Any thread.
    package func wake() { posts.signal() }

    /// Has a function called in the loop's thread; in order. Any thread. Dropped if the registry ends before.
    package func post(
        _ function: @convention(c) (UnsafeMutableRawPointer?) -> Void, _ argument: UnsafeMutableRawPointer?
    ) {
        _ = posts.post(unsafe .call(function, argument))
    }

    /// No post is taken any more, and those that wait are dropped.
    package func closePosts() { posts.close() }

    /// Readable when a turn without waiting has work to do, deadlines excepted; for a loop around this one.
    package var fd: CInt { poller.fd }

    /// Milliseconds until there is work to do that needs no descriptor; -1 for never. A deadline that was put off
    /// lazily still counts as it was: that turn finds nothing to do, once in each of its periods.
    package var timeout: Int32 {
        if hasWork || posts.isPending { return 0 }
        guard let earliest = deadlines.earliest else { return -1 }
        let (left, overflowed) = earliest.subtractingReportingOverflow(MonotonicClock.milliseconds())
        // What overflows is past: the clock is not negative.
        return overflowed ? 0 : Int32(clamping: Swift.max(0, left))
    }

    /// There is work for the next turn that epoll does not know of.
    private var hasWork: Bool { !attention.isEmpty || !unfinished.isEmpty || patient.hasSilent || hasAlwaysReady }

    private func turn(_ timeout: Int32) throws(Errno) -> (handled: Int, isLast: Bool)? {
        guard !isRunning, isOurs else { return nil }
        isRunning = true
        defer { isRunning = false }

        var handled = endTurn()  // those who asked while no turn was running
        unsafe clinux_probe_turn(UnsafeRawPointer(handle))
        let events = try poller.wait(shorter(timeout, self.timeout))
        handled &+= deliverEvents(events)
        handled &+= passDeadlines()
        handled &+= endTurn()
        if hasWork { posts.signal() }
        turns &+= 1
        eventsHandled &+= UInt64(clamping: handled)
        return (handled, posts.takeStop())
    }

    private func deliverEvents(_ count: Int) -> Int {
        var handled = 0
        var isWoken = false
        let unwatchable = alwaysReady  // those of before the turn; whoever comes now is next turn's
        let leftOver = unfinished
        unfinished = []
        var count = count
        while true {
            let behind = patient.count
            for index in 0..<Swift.max(0, count) {
                let (token, readiness) = poller.event(index)
                if token == .wake {
                    isWoken = true
                } else if deliver(token, readiness) {
                    handled &+= 1
                }
            }
            // Newcomers must not crowd the others out of what one wait reports.
            guard count == Registry.batchEventsMax, patient.count > behind else { break }
            count = (try? poller.wait(0)) ?? 0
        }
        for token in leftOver where deliverAgain(token) { handled &+= 1 }
        for token in unwatchable where deliver(token, [.read, .write]) { handled &+= 1 }
        // The mark alone is enough where the eventfd could not be written, and the eventfd alone must be made quiet.
        if isWoken || posts.hasSignal { handled &+= runPosts() }
        return handled &+ deliverPatient()
    }

    /// A few of those who wait for their turn, the first ones first. Who has left meanwhile takes nobody's turn.
    private func deliverPatient() -> Int {
        guard patient.count > 0 else { return 0 }
        var handled = 0
        while handled < patient.turnMax, let (token, readiness, isSilent) = patient.takeFirst() {
            if deliverInTurn(token, readiness, isSilent) { handled &+= 1 }
        }
        patient.compact()
        return handled
    }

    private func runPosts() -> Int {
        posts.acknowledge()
        let batch = posts.take()  // what these post themselves is next turn's
        for post in batch { post.run() }
        return batch.count
    }

    private func passDeadlines() -> Int {
        guard !deadlines.isEmpty else { return 0 }
        let now = MonotonicClock.milliseconds()
        passingDeadlines = now
        defer { passingDeadlines = nil }
        var handled = 0
        while let watcher = deadlines.due(now) {
            if let later = watcher.postponed(now: now) {  // it was not moved at once: see setDeadline
                deadlines.set(watcher, Swift.max(later, now &+ 1))
                continue
            }
            deadlines.cancel(watcher)
            watcher.deadlinePassed(now: now)
            handled &+= 1
        }
        return handled
    }

    private func endTurn() -> Int {
        var handled = 0
        for _ in 0..<Registry.attentionPassesMax where !attention.isEmpty {
            let end = attention.end
            while let watcher = attention.takeNext(before: end) {
                watcher.turnEnded()
                handled &+= 1
            }
        }
        attention.compact()
        return handled
    }

    private func shorter(_ one: Int32, _ other: Int32) -> Int32 {
        if one < 0 { return other }
        return other < 0 ? one : Swift.min(one, other)
    }
}
