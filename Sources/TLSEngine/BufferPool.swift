package import OpenSSLHandles

/// Spare buffers of one thread, so that a connection owns one only while it has something in it: memory BIOs for
/// ciphertext, queues for plaintext, and the lists that keep both.
package final class BufferPool {
    /// A slice takes a whole handshake flight or four full records, and little more.
    static let sliceBytesMax = 65536
    private static let capacityBytesMax = 2 * sliceBytesMax

    private var bios = Spares<MemoryBIO>()
    private var queues = Spares<PlaintextQueue>()
    private var backlogs = Spares<Outgoing.Backlog>()

    package init() {}

    deinit { empty() }

    /// Returns nil when OpenSSL has no memory.
    package func takeBIO() -> MemoryBIO? { bios.take() ?? (try? MemoryBIO()) }

    /// What is still in it is dropped. An SSL that was last attached to it may keep a reference, never memory.
    package func giveBack(_ bio: MemoryBIO) {
        bio.empty(keeping: Self.capacityBytesMax)
        if !bios.put(bio) { bio.empty(keeping: 0) }
    }

    package func takeQueue() -> PlaintextQueue { queues.take() ?? PlaintextQueue() }

    /// What is still in it is dropped.
    package func giveBack(_ queue: PlaintextQueue) {
        queue.empty(keeping: Self.capacityBytesMax)
        _ = queues.put(queue)
    }

    func takeBacklog() -> Outgoing.Backlog { backlogs.take() ?? Outgoing.Backlog() }

    /// It is empty.
    func giveBack(_ backlog: Outgoing.Backlog) {
        (backlog.applicationEnd, backlog.controlBytes, backlog.controlEnd) = (0, 0, 0)
        _ = backlogs.put(backlog)
    }

    /// Frees what is spare.
    package func empty() {
        while let bio = bios.take() { bio.empty(keeping: 0) }
        while queues.take() != nil {}
        while backlogs.take() != nil {}
    }
}

/// What can be kept spare.
protocol Spare: AnyObject {
    /// A link for whoever keeps several.
    var next: Self? { get set }
}

extension MemoryBIO: Spare {}
extension PlaintextQueue: Spare {}

/// A few spare ones of a kind.
private struct Spares<One: Spare> {
    private static var most: Int { 8 }

    private var first: One?
    private var count = 0

    mutating func take() -> One? {
        guard let spare = first else { return nil }
        first = spare.next
        spare.next = nil
        count &-= 1
        return spare
    }

    /// Returns false when there are enough.
    mutating func put(_ spare: One) -> Bool {
        guard count < Self.most else { return false }
        spare.next = first
        first = spare
        count &+= 1
        return true
    }
}
