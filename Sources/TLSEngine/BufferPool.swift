package import OpenSSLHandles

/// Spare buffers of one thread, so that a connection owns one only while it has something in it: memory BIOs for
/// ciphertext, queues for plaintext.
package final class BufferPool {
    /// A slice takes a whole handshake flight or four full records, and little more.
    static let sliceBytesMax = 65536
    private static let capacityBytesMax = 2 * sliceBytesMax
    private static let sparesMax = 8

    private var firstBIO: MemoryBIO?
    private var firstQueue: PlaintextQueue?
    private var spareBIOs = 0
    private var spareQueues = 0

    package init() {}

    /// Returns nil when OpenSSL has no memory.
    package func takeBIO() -> MemoryBIO? {
        guard let spare = firstBIO else { return try? MemoryBIO() }
        firstBIO = spare.next
        spare.next = nil
        spareBIOs -= 1
        return spare
    }

    /// What is still in it is dropped. An SSL that was last attached to it may keep a reference, never memory.
    package func giveBack(_ bio: MemoryBIO) {
        bio.empty(keeping: Self.capacityBytesMax)
        guard spareBIOs < Self.sparesMax else { return bio.empty(keeping: 0) }
        bio.next = firstBIO
        firstBIO = bio
        spareBIOs += 1
    }

    package func takeQueue() -> PlaintextQueue {
        guard let spare = firstQueue else { return PlaintextQueue() }
        firstQueue = spare.next
        spare.next = nil
        spareQueues -= 1
        return spare
    }

    /// What is still in it is dropped.
    package func giveBack(_ queue: PlaintextQueue) {
        guard spareQueues < Self.sparesMax else { return }
        queue.empty(keeping: Self.capacityBytesMax)
        queue.next = firstQueue
        firstQueue = queue
        spareQueues += 1
    }

    deinit {
        while let spare = firstBIO {
            firstBIO = spare.next
            spare.next = nil
            spare.empty(keeping: 0)
        }
        while let spare = firstQueue {
            firstQueue = spare.next
            spare.next = nil
        }
    }
}
