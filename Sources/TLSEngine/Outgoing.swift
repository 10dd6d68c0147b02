package import OpenSSLHandles

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
    mutating func target(_ pool: BufferPool) -> MemoryBIO? {
        if let tail, tail.count < BufferPool.sliceBytesMax { return tail }
        guard let fresh = pool.takeBIO() else { return nil }
        bytesBeforeTail += tail?.count ?? 0
        tail?.next = fresh
        tail = fresh
        head = head ?? fresh
        return fresh
    }

    /// Takes bytes from the first slice, at most what is in it.
    mutating func consume(_ count: Int, _ pool: BufferPool) {
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
    mutating func discard(_ pool: BufferPool) {
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
