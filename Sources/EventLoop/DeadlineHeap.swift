/// The deadlines, earliest first: a binary heap in which every watcher knows its own place.
///
/// Setting, moving and cancelling cost O(log n) and search nothing. Equal deadlines pass in the order in which they
/// were set. No method lets a watcher's last reference go: the caller holds one.
struct DeadlineHeap {
    private struct Entry {
        let deadline: Int64
        let order: UInt64
        let watcher: Watcher

        func isBefore(_ other: Entry) -> Bool {
            deadline != other.deadline ? deadline < other.deadline : order < other.order
        }
    }

    private var entries: [Entry] = []
    private var nextOrder: UInt64 = 0

    var isEmpty: Bool { entries.isEmpty }
    var count: Int { entries.count }
    var earliest: Int64? { entries.first?.deadline }

    func contains(_ watcher: Watcher) -> Bool { place(of: watcher) != nil }

    func deadline(of watcher: Watcher) -> Int64? {
        guard let place = place(of: watcher) else { return nil }
        return entries[place].deadline
    }

    mutating func set(_ watcher: Watcher, _ deadline: Int64) {
        let entry = Entry(deadline: deadline, order: nextOrder, watcher: watcher)
        nextOrder &+= 1
        if let place = place(of: watcher) {
            entries[place] = entry
            settle(place)
        } else {
            entries.append(entry)
            settle(entries.count &- 1)
        }
    }

    mutating func cancel(_ watcher: Watcher) {
        guard let place = place(of: watcher) else { return }
        watcher.deadlineIndex = -1
        let last = entries.removeLast()
        guard place < entries.count else { return }
        entries[place] = last
        settle(place)
    }

    /// Takes out the earliest watcher whose deadline is not after `now`.
    mutating func takeDue(_ now: Int64) -> Watcher? {
        guard let first = entries.first, first.deadline <= now else { return nil }
        cancel(first.watcher)
        return first.watcher
    }

    func forEach(_ body: (Watcher) -> Void) {
        for entry in entries { body(entry.watcher) }
    }

    private func place(of watcher: Watcher) -> Int? {
        let place = Int(watcher.deadlineIndex)
        guard place >= 0, place < entries.count, entries[place].watcher === watcher else { return nil }
        return place
    }

    /// Moves the entry at `start` up or down to where it belongs, and tells everyone that moved.
    private mutating func settle(_ start: Int) {
        let entry = entries[start]
        var place = start
        while place > 0 {
            let parent = (place &- 1) / 2
            guard entry.isBefore(entries[parent]) else { break }
            put(entries[parent], at: place)
            place = parent
        }
        while true {
            var child = place &* 2 &+ 1
            guard child < entries.count else { break }
            if child &+ 1 < entries.count, entries[child &+ 1].isBefore(entries[child]) { child &+= 1 }
            guard entries[child].isBefore(entry) else { break }
            put(entries[child], at: place)
            place = child
        }
        put(entry, at: place)
    }

    private mutating func put(_ entry: Entry, at place: Int) {
        entries[place] = entry
        entry.watcher.deadlineIndex = Int32(truncatingIfNeeded: place)
    }
}
