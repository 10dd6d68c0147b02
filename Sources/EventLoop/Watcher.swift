/// One who waits in a registry for a descriptor, for a deadline, or for both.
///
/// The registry holds a watcher while it is in it, and only one registry at a time. The methods do nothing here; in
/// each of them everything is allowed: adding, removing oneself or others, and letting the last reference go.
open class Watcher {
    /// The descriptor, or -1. It stays the owner's; it is to be removed before it is closed.
    package internal(set) final var fd: CInt = -1
    /// What the descriptor is watched for, and how.
    package internal(set) final var interest: Interest = []
    package internal(set) final var manner = Manner.level
    /// Edge-triggered: what epoll has reported and the watcher has not used up.
    final var latched: Readiness = []
    /// It is on a list: edge-triggered, of those who have not finished; patient, of those who wait for their turn.
    final var isUnfinished = false
    /// Its places in the registry's lists, or -1; kept here so that leaving needs no search.
    final var deadlineIndex: Int32 = -1
    final var attentionIndex: Int32 = -1

    public init() {}

    /// The kernel has said "not now": a new event will tell when that changes. Edge-triggered, only this counts, and what
    /// is not used up is delivered again in the next turn. A short recv is no proof: urgent data of TCP and the
    /// changing writers of a Unix socket end one with more behind it.
    package final func exhausted(_ readiness: Readiness) {
        latched.subtract(readiness)
    }

    /// The descriptor is ready. Never empty, never more than the interest at that moment.
    open func ready(_ readiness: Readiness) {}
    /// The deadline that is set has passed. A later one, if that is meant by now; nil to have it pass. Only computes.
    open func postponed(now: Int64) -> Int64? { nil }
    /// The deadline has passed, and is set no more.
    open func deadlinePassed(now: Int64) {}
    /// The turn in which it was attended has ended: the moment for what is worth doing once a turn.
    open func turnEnded() {}
}
