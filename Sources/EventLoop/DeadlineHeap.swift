/// The deadlines, earliest first: a heap of four branches in which every watcher knows its own place.
///
/// Setting, moving and cancelling cost O(log n) and search nothing. Equal deadlines pass in the order in which they
/// were set. No method lets a watcher's last reference go: the caller holds one.
///
/// The heap retains a watcher once, when it comes in, and releases it when it leaves; entries that move in between
/// touch no reference counts. Whoever owns the heap empties it.
struct DeadlineHeap {
    @safe private struct Entry {
        let deadline: Int64
        let order: UInt64
        let held: Unmanaged<Watcher>

        var watcher: Watcher { unsafe held.takeUnretainedValue() }

        func isBefore(_ other: Entry) -> Bool {
            deadline != other.deadline ? deadline < other.deadline : order < other.order
        }

        func isFor(_ watcher: Watcher) -> Bool {
            unsafe held.toOpaque() == Unmanaged.passUnretained(watcher).toOpaque()
        }

        func put(at place: Int) {
            unsafe held._withUnsafeGuaranteedRef { $0.deadlineIndex = Int32(truncatingIfNeeded: place) }
        }
    }

    /// Four: half as many levels as with two, and the four lie side by side.
    private static let branches = 4

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
        let place = place(of: watcher)
        let held = unsafe place == nil ? Unmanaged.passRetained(watcher) : Unmanaged.passUnretained(watcher)
        let entry = unsafe Entry(deadline: deadline, order: nextOrder, held: held)
        nextOrder &+= 1
        if let place {
            settle(entry, from: place)
        } else {
            entries.append(entry)
            settle(entry, from: entries.count &- 1)
        }
    }

    mutating func cancel(_ watcher: Watcher) {
        guard let place = place(of: watcher) else { return }
        watcher.deadlineIndex = -1
        let last = entries.removeLast()
        if place < entries.count { settle(last, from: place) }
        unsafe Unmanaged.passUnretained(watcher).release()
    }

    /// Shows the earliest watcher, if its deadline is not after `now`.
    func due(_ now: Int64) -> Watcher? {
        guard let first = entries.first, first.deadline <= now else { return nil }
        return first.watcher
    }

    func forEach(_ body: (Watcher) -> Void) {
        for entry in entries { body(entry.watcher) }
    }

    private func place(of watcher: Watcher) -> Int? {
        let place = Int(watcher.deadlineIndex)
        guard place >= 0, place < entries.count, entries[place].isFor(watcher) else { return nil }
        return place
    }

    /// Puts an entry where it belongs, up or down from a place that is free, and tells everyone that moved.
    private mutating func settle(_ entry: Entry, from start: Int) {
        var place = start
        while place > 0 {
            let parent = (place &- 1) / Self.branches
            guard entry.isBefore(entries[parent]) else { break }
            put(entries[parent], at: place)
            place = parent
        }
        while let child = earliestChild(of: place), entries[child].isBefore(entry) {
            put(entries[child], at: place)
            place = child
        }
        put(entry, at: place)
    }

    private func earliestChild(of place: Int) -> Int? {
        let first = place &* Self.branches &+ 1
        guard first < entries.count else { return nil }
        var earliest = first
        for child in first &+ 1..<min(first &+ Self.branches, entries.count)
        where entries[child].isBefore(entries[earliest]) {
            earliest = child
        }
        return earliest
    }

    private mutating func put(_ entry: Entry, at place: Int) {
        entries[place] = entry
        entry.put(at: place)
    }
}
