/// The watchers whose turnEnded() is due, each once, in the order in which they asked.
///
/// One who leaves makes a hole, so that the places of the others stay true while the list is walked.
struct AttentionList {
    private var entries: [Watcher?] = []
    private var walked = 0
    private var present = 0

    var isEmpty: Bool { present == 0 }
    /// Where the list ends now; those who come while it is walked come after.
    var end: Int { entries.count }

    func contains(_ watcher: Watcher) -> Bool { place(of: watcher) != nil }

    /// Puts a watcher on the list, unless it is there.
    mutating func add(_ watcher: Watcher) {
        guard place(of: watcher) == nil else { return }
        watcher.attentionIndex = Int32(truncatingIfNeeded: entries.count)
        entries.append(watcher)
        present &+= 1
    }

    /// Takes a watcher off the list. The caller holds it.
    mutating func remove(_ watcher: Watcher) {
        guard let place = place(of: watcher) else { return }
        entries[place] = nil
        watcher.attentionIndex = -1
        present &-= 1
    }

    /// Takes the next one, if it stands before `end`.
    mutating func takeNext(before end: Int) -> Watcher? {
        while walked < end, walked < entries.count {
            let watcher = entries[walked]
            walked &+= 1
            if let watcher {
                remove(watcher)
                return watcher
            }
        }
        return nil
    }

    /// Forgets the part that was walked, and the holes in the rest.
    mutating func compact() {
        if entries.isEmpty { return }
        var kept = 0
        for place in walked..<Swift.max(walked, entries.count) {
            guard let watcher = entries[place] else { continue }
            entries[place] = nil
            entries[kept] = watcher
            watcher.attentionIndex = Int32(truncatingIfNeeded: kept)
            kept &+= 1
        }
        entries.removeLast(entries.count &- kept)
        walked = 0
    }

    /// Gives back memory that more of them needed once.
    mutating func trim() { entries = entries.map { $0 } }

    func forEach(_ body: (Watcher) -> Void) {
        for case let watcher? in entries { body(watcher) }
    }

    private func place(of watcher: Watcher) -> Int? {
        let place = Int(watcher.attentionIndex)
        guard place >= 0, place < entries.count, entries[place] === watcher else { return nil }
        return place
    }
}
