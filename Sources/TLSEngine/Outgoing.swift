package import OpenSSLHandles

/// Spare memory BIOs of one thread, so that a connection owns one only while it has something in it.
package final class BIOPool {
    /// A slice takes a whole handshake flight or four full records, and little more.
    static let sliceBytesMax = 65536
    private static let capacityBytesMax = 2 * sliceBytesMax
    private static let sparesMax = 8

    private var first: MemoryBIO?
    private var spares = 0

    package init() {}

    /// Returns nil when OpenSSL has no memory.
    package func take() -> MemoryBIO? {
        guard let spare = first else { return try? MemoryBIO() }
        first = spare.next
        spare.next = nil
        spares -= 1
        return spare
    }

    /// What is still in it is dropped. An SSL that was last attached to it may keep a reference, never memory.
    package func giveBack(_ bio: MemoryBIO) {
        bio.empty(keeping: Self.capacityBytesMax)
        guard spares < Self.sparesMax else { return bio.empty(keeping: 0) }
        bio.next = first
        first = bio
        spares += 1
    }

    deinit {
        while let spare = first {
            first = spare.next
            spare.next = nil
            spare.empty(keeping: 0)
        }
    }
}

/// The ciphertext of one connection that nobody took yet: a queue of memory BIOs, into whose last OpenSSL writes.
///
/// Slices, because OpenSSL moves what is left to the front of a BIO whenever it writes to it after a partial take.
package struct Outgoing {
    private var head: MemoryBIO?
    private var tail: MemoryBIO?
    private var bytesBeforeTail = 0
    /// Bytes ever taken.
    package private(set) var taken: UInt64 = 0

    package var count: Int { bytesBeforeTail + (tail?.count ?? 0) }
    package var isEmpty: Bool { count == 0 }
    /// Bytes that were dropped because the transport took no more.
    package private(set) var dropped: UInt64 = 0
    /// Bytes that wait no more.
    var gone: UInt64 { taken &+ dropped }
    /// Bytes ever made.
    var made: UInt64 { gone &+ UInt64(clamping: count) }
    /// The slice to take from first.
    package var first: MemoryBIO? { head }

    /// The slice that OpenSSL may write to now; nil when OpenSSL has no memory.
    mutating func target(_ pool: BIOPool) -> MemoryBIO? {
        if let tail, tail.count < BIOPool.sliceBytesMax { return tail }
        guard let fresh = pool.take() else { return nil }
        bytesBeforeTail += tail?.count ?? 0
        tail?.next = fresh
        tail = fresh
        head = head ?? fresh
        return fresh
    }

    /// Takes bytes from the first slice, at most what is in it.
    mutating func consume(_ count: Int, _ pool: BIOPool) {
        guard let slice = head else { return }
        let count = min(max(0, count), slice.count)
        slice.consume(count)
        taken &+= UInt64(clamping: count)
        guard slice !== tail else { return }
        bytesBeforeTail -= count
        if slice.isEmpty {
            head = slice.next
            slice.next = nil
            pool.giveBack(slice)
        }
    }

    /// Gives every slice back, and drops what is in it.
    mutating func discard(_ pool: BIOPool) {
        dropped &+= UInt64(clamping: count)
        while let slice = head {
            head = slice.next
            slice.next = nil
            pool.giveBack(slice)
        }
        tail = nil
        bytesBeforeTail = 0
    }
}
