/// The patient watchers that are ready, each once, in the order in which that was reported.
struct PatientQueue {
    /// In so many turns an event is reported for less than what it costs to leave epoll and come back.
    private static let turnsCheap = 16

    /// So many are driven in one turn.
    let turnMax: Int
    private var entries: [(token: Token, readiness: Readiness)] = []
    private var taken = 0
    /// Behind the last one here whom epoll does not watch for.
    private var unwatchedEnd = 0

    init(turnMax: Int) {
        self.turnMax = Swift.max(1, turnMax)
    }

    var count: Int { entries.count &- taken }
    /// Whoever comes now has to wait for long.
    var isCrowd: Bool { count / Self.turnsCheap >= turnMax }

    /// Some here are not ready as far as epoll knows.
    var hasUnwatched: Bool { unwatchedEnd > taken }

    mutating func add(_ token: Token, _ readiness: Readiness, isWatched: Bool) {
        entries.append((token, readiness))
        if !isWatched { unwatchedEnd = entries.count }
    }

    mutating func takeFirst() -> (token: Token, readiness: Readiness)? {
        guard taken < entries.count else { return nil }
        taken &+= 1
        return entries[taken &- 1]
    }

    /// Forgets those who were taken, once they are the greater part.
    mutating func compact() {
        guard taken > 0, taken &* 2 >= entries.count else { return }
        entries.removeFirst(taken)
        unwatchedEnd &-= taken
        taken = 0
    }

    /// Gives back memory that more of them needed once.
    mutating func trim() { entries = entries.map { $0 } }
}
