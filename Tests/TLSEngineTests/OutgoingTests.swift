import COpenSSL
import OpenSSLHandles
import TestSupport
import Testing

@testable import TLSEngine

/// A queue, and what OpenSSL writes to it with.
private final class Stream {
    let pool = BufferPool()
    var queue = Outgoing()
    private let ssl: OwnedSSL
    private let incoming: MemoryBIO

    init() throws {
        ssl = try OwnedSSL(try OwnedContext(.client))
        incoming = try MemoryBIO()
    }

    var count: Int { queue.count }
    var isIdle: Bool { queue.isIdle }
    var taken: UInt64 { queue.taken }
    var made: UInt64 { queue.made }
    var dropped: UInt64 { queue.dropped }

    /// The BIO that OpenSSL would write to now.
    func target() -> OpaquePointer? {
        guard queue.attach(ssl, incoming, pool) else { return nil }
        return SSL_get_wbio(OpaquePointer(ssl.native))
    }

    /// Writes as OpenSSL would.
    func put(_ bytes: [UInt8]) -> Bool {
        guard let bio = target() else { return false }
        return BIO_write(bio, bytes, CInt(bytes.count)) == bytes.count && queue.countNew(ssl) == bytes.count
    }

    /// What is to be sent first, at most so much of it; nil when nothing waits.
    func first(_ most: Int = .max) -> [UInt8]? {
        queue.withFirst { slice -> [UInt8] in
            slice.extracting(first: min(most, slice.byteCount)).withUnsafeBytes { [UInt8]($0) }
        }
    }

    func consume(_ count: Int) { queue.consume(count, pool) }
    func discard() { queue.discard(pool) }
    func giveBackEmpty() { queue.giveBackEmpty(pool) }
}

@Suite struct `The outgoing queue` {
    @Test(arguments: 1...40)
    func `gives back exactly what was put in, in order`(seed: Int) throws {
        var random = Seeded(UInt64(seed))
        let queue = try Stream()
        var model: [UInt8] = []
        var (made, taken, dropped) = (0, 0, 0)
        for _ in 0..<300 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                let bytes = pattern(random.size(40_000), from: made)
                #expect(queue.put(bytes))
                model += bytes
                made += bytes.count
            case 5..<9:
                guard let slice = queue.first(random.size(50_000)) else { break }
                let size = slice.count
                #expect(difference(slice, Array(model[..<size])) == nil, "seed \(seed)")
                queue.consume(size)
                model.removeFirst(size)
                taken += size
            case _ where Int.random(in: 0..<10, using: &random) == 0:
                dropped += model.count
                model = []
                queue.discard()
                #expect(queue.first() == nil && queue.count == 0)
            default:
                queue.consume(0)
                queue.consume(-5)
            }
            #expect(queue.count == model.count)
            #expect((queue.first(1) == nil) == model.isEmpty)
            #expect(queue.made == UInt64(made) && queue.taken == UInt64(taken) && queue.dropped == UInt64(dropped))
        }
    }

    @Test func `takes no more from a slice than is in it`() throws {
        let queue = try Stream()
        queue.consume(10)  // nothing there
        #expect(queue.put([1, 2, 3]))
        queue.consume(.max)
        #expect(queue.count == 0 && queue.taken == 3)
        #expect(!queue.isIdle)  // it stays until it is given back: OpenSSL may be writing to it
        queue.discard()
        #expect(queue.isIdle && queue.dropped == 0)
    }

    @Test func `begins a slice only when the last one is full`() throws {
        let queue = try Stream()
        let first = queue.target()
        #expect(queue.put(pattern(BufferPool.sliceBytesMax - 1)))
        #expect(queue.target() == first)
        #expect(queue.put([1]))
        #expect(queue.target() != first)
        #expect(queue.put([2, 3]))
        #expect(queue.first()?.count == BufferPool.sliceBytesMax)
        queue.consume(BufferPool.sliceBytesMax)
        #expect(queue.first() == [2, 3])
    }

    /// OpenSSL keeps a reference to the slice that it wrote to last, perhaps for as long as the connection is idle.
    @Test func `leaves OpenSSL no memory of any slice once all is taken`() throws {
        let queue = try Stream()
        #expect(queue.put(pattern(BufferPool.sliceBytesMax)))
        #expect(queue.put(pattern(10_000)))
        let last = queue.target()
        while let slice = queue.first() { queue.consume(slice.count) }
        queue.giveBackEmpty()
        #expect(queue.isIdle)
        queue.pool.empty()
        var memory: UnsafeMutablePointer<BUF_MEM>?
        copenssl_get_mem_ptr(last, &memory)
        #expect(memory?.pointee.max == 0)
    }
}

@Suite struct `A pool of BIOs` {
    @Test func `lends again what was given back, and empty`() throws {
        let pool = BufferPool()
        let one = try #require(pool.takeBIO())
        #expect(one.put([1, 2, 3]))
        pool.giveBack(one)
        let again = try #require(pool.takeBIO())
        #expect(again === one)
        #expect(again.isEmpty && again.next == nil)
        let other = try #require(pool.takeBIO())
        #expect(other !== one)
    }

    @Test func `keeps only a few, and those that it does not keep give their memory back`() {
        let pool = BufferPool()
        let taken = (0..<20).compactMap { _ in pool.takeBIO() }
        #expect(taken.count == 20)
        for bio in taken {
            #expect(bio.put(pattern(10_000)))
            pool.giveBack(bio)
        }
        var known = 0
        for _ in 0..<20 {
            let bio = pool.takeBIO()
            if taken.contains(where: { $0 === bio }) { known += 1 }
        }
        #expect(known > 0 && known < 20)
        #expect(taken.allSatisfy { $0.isEmpty })
    }
}

@Suite struct `A pool of queues` {
    @Test func `lends again what was given back, and empty`() {
        let pool = BufferPool()
        let one = pool.takeQueue()
        #expect(one.put(pattern(3000)))
        pool.giveBack(one)
        let again = pool.takeQueue()
        #expect(again === one)
        #expect(again.isEmpty)
        #expect(pool.takeQueue() !== one)
    }

    @Test func `keeps only a few, and those are not mixed up`() {
        let pool = BufferPool()
        let taken = (0..<20).map { _ in pool.takeQueue() }
        for queue in taken {
            #expect(queue.put([1]))
            pool.giveBack(queue)
        }
        var known: [PlaintextQueue] = []
        for _ in 0..<20 {
            let queue = pool.takeQueue()
            #expect(queue.isEmpty)
            #expect(!known.contains { $0 === queue })
            known.append(queue)
        }
        let kept = known.filter { queue in taken.contains { $0 === queue } }
        #expect(kept.count > 0 && kept.count < 20)
    }

    @Test func `has nothing to do with its BIOs`() throws {
        let pool = BufferPool()
        pool.giveBack(pool.takeQueue())
        let bio = try #require(pool.takeBIO())
        let queue = pool.takeQueue()
        pool.giveBack(bio)
        #expect(pool.takeQueue() !== queue)
        #expect(pool.takeBIO() === bio)
    }
}
