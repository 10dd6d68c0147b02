package import OpenSSLHandles

/// Spare buffers of one thread, so that a connection owns one only while it has something in it: memory BIOs for
/// ciphertext, queues for plaintext, and the lists that keep both.
package final class BufferPool {
    /// A slice takes thirteen full records, and little more: what is worth a send. More gains little and is more memory; four,
    /// eight or twelve end just behind a segment of the loopback (65,483 bytes), which then carries the rest in one more; and
    /// thirteen fill the memory that OpenSSL makes its buffer grow to, by a third each time.
    package static let sliceBytesMax = 13 * 16384
    private static let capacityBytesMax = 2 * sliceBytesMax

    private var bios = Spares<MemoryBIO>()
    private var queues = Spares<PlaintextQueue>()
    private var backlogs = Spares<Backlog>()

    package init() {}

    deinit { empty() }

    /// Returns nil when OpenSSL has no memory.
    package func takeBIO() -> MemoryBIO? { bios.take() ?? (try? MemoryBIO()) }

    /// What is still in it is dropped. An SSL that was last attached to it may keep a reference, never memory.
    package func giveBack(_ bio: consuming MemoryBIO) {
        bio.empty(keeping: Self.capacityBytesMax)
        if let superfluous = bios.put(bio) { superfluous.empty(keeping: 0) }
    }

    package func takeQueue() -> PlaintextQueue { queues.take() ?? PlaintextQueue() }

    /// What is still in it is dropped.
    package func giveBack(_ queue: consuming PlaintextQueue) {
        queue.empty(keeping: Self.capacityBytesMax)
        _ = queues.put(queue)
    }

    /// Returns nil when OpenSSL has no memory.
    func takeBacklog() -> Backlog? {
        backlogs.take() ?? (try? MemoryBIO()).map { Backlog($0) }
    }

    /// It is empty. An SSL that was last attached to its BIO may keep a reference, never memory.
    func giveBack(_ backlog: consuming Backlog) {
        if backlog.hasOthers { backlog.empty(self) }
        backlog.reset(keeping: Self.capacityBytesMax)
        if let superfluous = backlogs.put(backlog) { superfluous.reset(keeping: 0) }
    }

    /// Frees what is spare.
    package func empty() {
        while let bio = bios.take() { bio.empty(keeping: 0) }
        while queues.take() != nil {}
        while let backlog = backlogs.take() { backlog.reset(keeping: 0) }
    }
}

/// A few spare ones of a kind, the last one at hand: most drives need one, and give it back.
private struct Spares<One: AnyObject> {
    /// What sixteen connections need that write at once: a few MiB when they wrote much.
    private static var most: Int { 16 }

    private var last: One?
    private var others: [One] = []

    @inline(__always)
    mutating func take() -> One? {
        if let spare = last.take() { return spare }
        return others.popLast()
    }

    /// Whoever comes back last goes first: it is what the cache still has, and what the next taker had before when two take
    /// turns. Returns one when there are enough.
    @inline(__always)
    mutating func put(_ spare: consuming One) -> One? {
        guard let before = last.take() else {
            last = spare
            return nil
        }
        last = spare
        guard others.count < Self.most else { return before }
        others.append(before)
        return nil
    }
}
