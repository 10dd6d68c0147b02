internal import EventLoop
internal import SocketTransport

/// A loop that takes nobody any more, and ends with the last one that is there.
extension Loop {
    /// No newcomers from now on; those who are left when the time has come are closed.
    func drain(_ graceMilliseconds: Int64) {
        guard !isEnding else { return }
        course = .draining
        graceIsOver = false
        for member in owned.all { member.letNothingIn() }
        if let graceDeadline { release(graceDeadline) }
        if graceMilliseconds >= 0 {
            let deadline = GraceDeadline(self)
            adopt(deadline)
            deadline.set(graceMilliseconds)
            graceDeadline = deadline
        }
        stopIfDrained()
    }

    fileprivate func graceHasPassed() {
        if let graceDeadline { release(graceDeadline) }
        graceDeadline = nil
        graceIsOver = true
        for member in owned.all { member.graceEnds() }
        forEachConnection { _ = $0.close() }
    }

    /// Ends the run of a loop that drains, once nobody is left.
    func stopIfDrained() {
        if case .draining = course, connections == 0 { registry.stop() }
    }
}

/// When a loop that drains closes what is left.
final class GraceDeadline: Loop.Owned {
    fileprivate func set(_ milliseconds: Int64) {
        owner.registry.setDeadline(self, MonotonicClock.moment(in: milliseconds))
    }

    override func deadlinePassed(now: Int64) { owner.graceHasPassed() }
}

/// tlsmem_loop_drain was called, perhaps in another thread.
final class Drain: Job {
    private let loop: Loop
    private let graceMilliseconds: Int64

    init(_ loop: Loop, _ graceMilliseconds: Int64) {
        self.loop = loop
        self.graceMilliseconds = graceMilliseconds
    }

    override func run() { loop.drain(graceMilliseconds) }
}
