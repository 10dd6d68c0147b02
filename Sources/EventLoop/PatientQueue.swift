/// The patient watchers that are ready, each once, in the order in which that was reported.
struct PatientQueue {
    /// In so many turns an event is reported for less than what it costs to be silenced and heard again.
    private static let turnsCheap = 16
    /// No more than so many are reported again and again: there must be room for others in what one wait reports.
    private static let heardMax = Registry.batchEventsMax / 2
    /// A queue so long costs too little to give its memory back.
    private static let entriesKept = 1024

    /// So many are driven in one turn.
    let turnMax: Int
    private var entries: [(token: Token, readiness: Readiness, isSilent: Bool)] = []
    private var taken = 0
    /// Behind the last one here of whom epoll says nothing.
    private var silentEnd = 0

    init(turnMax: Int) {
        self.turnMax = Swift.max(1, turnMax)
    }

    var count: Int { entries.count &- taken }
    var capacity: Int { entries.capacity }
    /// Whoever comes now has to wait for long.
    var isCrowd: Bool { count >= Self.heardMax || count / Self.turnsCheap >= turnMax }

    /// Some are here of whom epoll says nothing.
    var hasSilent: Bool { silentEnd > taken }

    mutating func add(_ token: Token, _ readiness: Readiness, isSilent: Bool) {
        entries.append((token, readiness, isSilent))
        if isSilent { silentEnd = entries.count }
    }

    mutating func takeFirst() -> (token: Token, readiness: Readiness, isSilent: Bool)? {
        guard taken < entries.count else { return nil }
        taken &+= 1
        return entries[taken &- 1]
    }

    /// Forgets those who were taken, once they are the greater part.
    mutating func compact() {
        guard taken > 0, taken &* 2 >= entries.count else { return }
        entries.removeFirst(taken)
        silentEnd &-= taken
        taken = 0
        if entries.isEmpty, entries.capacity > Self.entriesKept { entries = [] }
    }

    /// Gives back memory that more of them needed once.
    mutating func trim() { entries = entries.map { $0 } }
}
