package import OpenSSLHandles

/// What of one connection waits to go out: ciphertext that nobody took yet, and plaintext that is not encrypted yet.
///
/// The ciphertext is a queue of memory BIOs, into whose last OpenSSL writes. Slices, because OpenSSL moves what is left
/// to the front of a BIO whenever it writes to it after a partial take.
package struct Outgoing {
    /// Lent by the pool, as the buffers in it are: an idle connection has none.
    final class Backlog: Spare {
        var deferred: PlaintextQueue?
        var head: MemoryBIO?
        var tail: MemoryBIO?
        var bytesBeforeTail = 0
        /// Where in the stream of ciphertext the last byte of application data ends.
        var applicationEnd: UInt64 = 0
        /// Ciphertext that answers the peer, and where in the stream it ends.
        var controlBytes = 0
        var controlEnd: UInt64 = 0
        /// What was dropped because the transport took no more: it is told at the end.
        var dropped: UInt64 = 0
        var plaintextDropped: UInt64 = 0
        var next: Backlog?
    }

    private var backlog: Backlog?
    /// Bytes of ciphertext ever taken.
    package private(set) var taken: UInt64 = 0

    // MARK: Plaintext

    /// Plaintext that OpenSSL could not take yet, or that is being gathered; exists only while there is some.
    var deferred: PlaintextQueue? { backlog?.deferred }

    /// Where plaintext is to be put that has to wait.
    mutating func queue(_ pool: BufferPool) -> PlaintextQueue {
        let backlog = theBacklog(pool)
        let queue = backlog.deferred ?? pool.takeQueue()
        backlog.deferred = queue
        return queue
    }

    /// Bytes of plaintext that were taken from the program and never became ciphertext.
    var plaintextUnsent: UInt64 {
        guard let backlog else { return 0 }
        return backlog.plaintextDropped &+ UInt64(clamping: backlog.deferred?.count ?? 0)
    }

    // MARK: Ciphertext

    package var count: Int {
        guard let backlog else { return 0 }
        return backlog.bytesBeforeTail + (backlog.tail?.count ?? 0)
    }
    package var isEmpty: Bool { count == 0 }
    /// Bytes that were dropped because the transport took no more.
    package var dropped: UInt64 { backlog?.dropped ?? 0 }
    /// Bytes that wait no more.
    private var gone: UInt64 { taken &+ dropped }
    /// Bytes ever made.
    var made: UInt64 { gone &+ UInt64(clamping: count) }
    /// The slice to take from first.
    package var first: MemoryBIO? { backlog?.head }

    /// The slice that OpenSSL may write to now; nil when OpenSSL has no memory.
    mutating func target(_ pool: BufferPool) -> MemoryBIO? {
        if let tail = backlog?.tail, tail.count < BufferPool.sliceBytesMax { return tail }
        guard let fresh = pool.takeBIO() else { return nil }
        let backlog = theBacklog(pool)
        backlog.bytesBeforeTail += backlog.tail?.count ?? 0
        backlog.tail?.next = fresh
        backlog.tail = fresh
        backlog.head = backlog.head ?? fresh
        return fresh
    }

    /// Takes bytes from the first slice, at most what is in it.
    mutating func consume(_ count: Int, _ pool: BufferPool) {
        guard let backlog, let slice = backlog.head else { return }
        let count = min(max(0, count), slice.count)
        slice.consume(count)
        taken &+= UInt64(clamping: count)
        guard slice !== backlog.tail else { return }
        backlog.bytesBeforeTail -= count
        if slice.isEmpty {
            backlog.head = slice.next
            slice.next = nil
            pool.giveBack(slice)
        }
    }

    // MARK: Ends

    /// Gives back what is empty.
    mutating func giveBackEmpty(_ pool: BufferPool) {
        guard let backlog else { return }
        if isEmpty { giveBackSlices(backlog, pool) }
        if let queue = backlog.deferred, queue.isEmpty {
            pool.giveBack(queue)
            backlog.deferred = nil
        }
        if backlog.head == nil, backlog.deferred == nil, backlog.dropped | backlog.plaintextDropped == 0 {
            self.backlog = nil
            pool.giveBack(backlog)
        }
    }

    /// Drops what waits, and gives everything back.
    mutating func discard(_ pool: BufferPool) {
        guard let backlog else { return }
        backlog.dropped &+= UInt64(clamping: count)
        backlog.plaintextDropped = plaintextUnsent
        giveBackSlices(backlog, pool)
        if let queue = backlog.deferred { pool.giveBack(queue) }
        backlog.deferred = nil
        giveBackEmpty(pool)
    }

    private func giveBackSlices(_ backlog: Backlog, _ pool: BufferPool) {
        while let slice = backlog.head {
            backlog.head = slice.next
            slice.next = nil
            pool.giveBack(slice)
        }
        backlog.tail = nil
        backlog.bytesBeforeTail = 0
    }

    private mutating func theBacklog(_ pool: BufferPool) -> Backlog {
        if let backlog { return backlog }
        let fresh = pool.takeBacklog()
        backlog = fresh
        return fresh
    }

    // MARK: What the ciphertext is

    /// What was made last is application data.
    func applicationDataEnds() { backlog?.applicationEnd = made }

    /// Application data waits.
    var holdsApplicationData: Bool {
        guard let backlog else { return false }
        return taken < backlog.applicationEnd
    }

    /// So many bytes that answer the peer were made. Returns how many of that kind may wait by now.
    func addControl(_ count: Int) -> Int {
        guard let backlog else { return 0 }
        if gone >= backlog.controlEnd { backlog.controlBytes = 0 }
        backlog.controlBytes += count
        backlog.controlEnd = made
        return backlog.controlBytes
    }
}
