/// Moments, earliest first, and equal ones in their order: a heap of four branches.
///
/// It knows nothing of whom the moments are for, so that it moves nothing but its own 16 bytes each: also among 100,000
/// they stay in the caches. Only the first can be taken out, or all.
struct DeadlineHeap {
    /// A deadline, the order of its setting, of which no two are equal, and a slot: one number, to be compared at once.
    struct Entry {
        private let key: Int128

        init(_ deadline: Int64, _ order: UInt32, slot: Int) {
            key = Int128(deadline) << 64 | Int128(order) << 32 | Int128(UInt32(truncatingIfNeeded: slot))
        }

        var deadline: Int64 { Int64(truncatingIfNeeded: key >> 64) }
        var order: UInt32 { UInt32(truncatingIfNeeded: key >> 32) }
        var slot: Int { Int(UInt32(truncatingIfNeeded: key)) }

        func isBefore(_ other: Entry) -> Bool { key < other.key }
    }

    /// Four: half as many levels as with two, and the four lie side by side.
    private static let branches = 4

    private var entries: [Entry] = []

    var count: Int { entries.count }
    var capacity: Int { entries.capacity }
    var first: Entry? { entries.first }

    mutating func insert(_ entry: Entry) {
        entries.append(entry)
        var heap = entries.mutableSpan
        var place = heap.count &- 1
        while place > 0 {
            let parent = (place &- 1) / Self.branches
            guard entry.isBefore(heap[parent]) else { break }
            heap[place] = heap[parent]
            place = parent
        }
        heap[place] = entry
    }

    mutating func removeFirst() {
        guard let last = entries.popLast(), !entries.isEmpty else { return }
        replaceFirst(last)
    }

    /// Puts a later one in the place of the first.
    mutating func replaceFirst(_ entry: Entry) {
        var heap = entries.mutableSpan
        Self.sink(entry, from: 0, in: &heap)
    }

    /// Gives memory back if far less will be needed.
    mutating func removeAll(expecting count: Int) {
        entries.removeAll(keepingCapacity: entries.capacity / 4 <= count)
        entries.reserveCapacity(count)
    }

    /// Puts one behind the others, wherever it belongs: `sort` has to follow.
    mutating func append(_ entry: Entry) { entries.append(entry) }

    /// Makes a heap of what was appended.
    mutating func sort() {
        guard entries.count > 1 else { return }
        var heap = entries.mutableSpan
        for place in stride(from: (heap.count &- 2) / Self.branches, through: 0, by: -1) {
            Self.sink(heap[place], from: place, in: &heap)
        }
    }

    /// Puts an entry where it belongs, down from a place that is free.
    @inline(__always)
    private static func sink(_ entry: Entry, from start: Int, in heap: inout MutableSpan<Entry>) {
        let count = heap.count
        var place = start
        while true {
            let child = place &* branches &+ 1
            var earliest: Int
            if child &+ 3 < count {
                let one = heap[child &+ 1].isBefore(heap[child]) ? child &+ 1 : child
                let other = heap[child &+ 3].isBefore(heap[child &+ 2]) ? child &+ 3 : child &+ 2
                earliest = heap[other].isBefore(heap[one]) ? other : one
            } else {
                guard child < count else { break }
                earliest = child
                for next in child &+ 1..<count where heap[next].isBefore(heap[earliest]) { earliest = next }
            }
            guard heap[earliest].isBefore(entry) else { break }
            heap[place] = heap[earliest]
            place = earliest
        }
        heap[place] = entry
    }
}
