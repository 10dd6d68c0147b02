/// Who waits until when. Equal deadlines pass in the order in which they were set.
///
/// A watcher knows its slot, and the slot its deadline. A heap beside the slots tells which comes first; what it has for
/// a slot is never later than what the slot says. So whoever cancels or moves later leaves the heap alone, and what comes
/// first in it but is not meant any more is put right when `earliest` or `due` meet it. A slot that becomes free keeps
/// its entry for the next watcher, who needs another only to be sooner.
///
/// No method lets a watcher's last reference go: the caller holds one. The slot retains a watcher once, when it comes in,
/// and releases it when it leaves; the heap holds nobody. Whoever owns the deadlines empties them.
struct Deadlines {
    @safe private struct Slot {
        var held: Unmanaged<Watcher>?
        /// Of a free slot: the next free one.
        var deadline: Int64 = 0
        /// Of the setting: each has a number of its own, so that no entry is ever taken for another.
        var order: UInt32 = 0
        /// Its entry in the heap, which is as early as the deadline, or earlier; 0 when it has none.
        var entryOrder: UInt32 = 0
        var entryDeadline: Int64 = 0

        var isFree: Bool { unsafe held == nil }
        var watcher: Watcher? { unsafe held?.takeUnretainedValue() }

        func isOf(_ watcher: Watcher) -> Bool {
            unsafe held?.toOpaque() == Unmanaged.passUnretained(watcher).toOpaque()
        }

        mutating func clear(_ nextFree: Int) {
            unsafe held = nil
            deadline = Int64(nextFree)
        }

        /// The entry that the heap needs, if what it has is too late.
        mutating func set(_ deadline: Int64, _ order: UInt32, _ place: Int) -> DeadlineHeap.Entry? {
            self.deadline = deadline
            self.order = order
            return entryOrder == 0 || deadline < entryDeadline ? entry(place) : nil
        }

        /// What the heap is to have for it, and nothing else from now on.
        mutating func entry(_ place: Int) -> DeadlineHeap.Entry {
            entryOrder = order
            entryDeadline = deadline
            return DeadlineHeap.Entry(deadline, order, slot: place)
        }
    }

    /// So many unused slots and entries cost too little to be looked for.
    private static let unusedKept = 256

    private var slots: [Slot] = []
    private var firstFree = -1
    private(set) var count = 0
    private var heap = DeadlineHeap()
    /// The number of the last setting; the first is 1.
    var lastOrder: UInt32 = 0

    var isEmpty: Bool { count == 0 }
    var capacity: Int { slots.capacity &+ heap.capacity }

    var earliest: Int64? {
        mutating get { first()?.deadline }
    }

    func contains(_ watcher: Watcher) -> Bool { place(of: watcher) != nil }

    func deadline(of watcher: Watcher) -> Int64? {
        guard let place = place(of: watcher) else { return nil }
        return slots[place].deadline
    }

    mutating func set(_ watcher: Watcher, _ deadline: Int64) {
        if lastOrder == .max { renumber() }
        lastOrder &+= 1
        let place = place(of: watcher) ?? takeSlot(watcher)
        if let entry = slots[place].set(deadline, lastOrder, place) {
            heap.insert(entry)
            tidy()
        }
    }

    mutating func cancel(_ watcher: Watcher) {
        guard let place = place(of: watcher) else { return }
        slots[place].clear(firstFree)
        firstFree = place
        count &-= 1
        watcher.deadlineIndex = -1
        tidy()
        unsafe Unmanaged.passUnretained(watcher).release()
    }

    /// Shows the earliest watcher, if its deadline is not after `now`.
    mutating func due(_ now: Int64) -> Watcher? {
        guard let first = first(), first.deadline <= now else { return nil }
        return slots[first.slot].watcher
    }

    func forEach(_ body: (Watcher) -> Void) {
        for slot in slots {
            if let watcher = slot.watcher { body(watcher) }
        }
    }

    private func place(of watcher: Watcher) -> Int? {
        let place = Int(watcher.deadlineIndex)
        guard place >= 0, place < slots.count, slots[place].isOf(watcher) else { return nil }
        return place
    }

    private mutating func takeSlot(_ watcher: Watcher) -> Int {
        let held = unsafe Unmanaged.passRetained(watcher)
        let place: Int
        if firstFree >= 0 {
            place = firstFree
            firstFree = Int(slots[place].deadline)
            unsafe slots[place].held = held
        } else {
            place = slots.count
            unsafe slots.append(Slot(held: held))
        }
        count &+= 1
        watcher.deadlineIndex = Int32(truncatingIfNeeded: place)
        return place
    }

    /// The first entry of the heap that is meant as it stands.
    private mutating func first() -> DeadlineHeap.Entry? {
        while let first = heap.first {
            let place = first.slot
            if slots[place].entryOrder != first.order {  // it has a sooner one
                heap.removeFirst()
            } else if slots[place].isFree {
                slots[place].entryOrder = 0
                heap.removeFirst()
            } else if slots[place].order != first.order {
                heap.replaceFirst(slots[place].entry(place))
            } else {
                return first
            }
        }
        return nil
    }

    /// Once less than half of the slots and entries is in use: makes the heap anew, and gives memory back. What led to
    /// this was as many calls, so that each costs the same however many there are.
    private mutating func tidy() {
        guard heap.count &+ slots.count > 4 &* count &+ Self.unusedKept else { return }
        rebuild()
    }

    private mutating func rebuild() {
        if slots.count > 2 &* count { compact() }
        Self.refill(&heap, from: &slots, count)
    }

    private static func refill(_ heap: inout DeadlineHeap, from slots: inout [Slot], _ count: Int) {
        heap.removeAll(expecting: count)
        var slots = slots.mutableSpan
        for place in slots.indices {
            if slots[place].isFree {
                slots[place].entryOrder = 0
            } else {
                heap.append(slots[place].entry(place))
            }
        }
        heap.sort()
    }

    /// Moves those who are here together.
    private mutating func compact() {
        var kept: [Slot] = []
        kept.reserveCapacity(count)
        for slot in slots {
            guard let watcher = slot.watcher else { continue }
            watcher.deadlineIndex = Int32(truncatingIfNeeded: kept.count)
            kept.append(slot)
        }
        slots = kept
        firstFree = -1
    }

    /// Numbers the settings anew when the numbers have run out, which takes four thousand million of them.
    private mutating func renumber() {
        lastOrder = 0
        var sorted: [Int] = []
        while let first = first() {
            sorted.append(first.slot)
            heap.removeFirst()
        }
        for place in sorted {
            lastOrder &+= 1
            slots[place].order = lastOrder
        }
        rebuild()
    }
}
