import OpenSSLHandles
import TestSupport
import Testing

@testable import TLSEngine

/// Writes where OpenSSL would.
private func put(_ bytes: [UInt8], _ queue: inout Outgoing, _ pool: BufferPool) -> Bool {
    queue.target(pool)?.put(bytes) ?? false
}

@Suite struct `The outgoing queue` {
    @Test(arguments: 1...40)
    func `gives back exactly what was put in, in order`(seed: Int) {
        var random = Seeded(UInt64(seed))
        let pool = BufferPool()
        var queue = Outgoing()
        var model: [UInt8] = []
        var (made, taken, dropped) = (0, 0, 0)
        for _ in 0..<300 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                let bytes = pattern(random.size(40_000), from: made)
                let isPut = put(bytes, &queue, pool)
                #expect(isPut)
                model += bytes
                made += bytes.count
            case 5..<9:
                guard let slice = queue.first else { break }
                let size = min(slice.count, random.size(50_000))
                #expect(difference(slice.copy(size), Array(model[..<size])) == nil, "seed \(seed)")
                queue.consume(size, pool)
                model.removeFirst(size)
                taken += size
            case _ where Int.random(in: 0..<10, using: &random) == 0:
                dropped += model.count
                model = []
                queue.discard(pool)
                #expect(queue.first == nil)
            default:
                queue.consume(0, pool)
                queue.consume(-5, pool)
            }
            #expect(queue.count == model.count)
            #expect(queue.isEmpty == model.isEmpty)
            #expect(queue.made == UInt64(made) && queue.taken == UInt64(taken) && queue.dropped == UInt64(dropped))
            #expect(model.isEmpty || queue.first?.isEmpty == false, "what waits can be seen")
        }
    }

    @Test func `takes no more from a slice than is in it`() {
        let pool = BufferPool()
        var queue = Outgoing()
        queue.consume(10, pool)  // nothing there
        let isPut = put([1, 2, 3], &queue, pool)
        #expect(isPut)
        queue.consume(.max, pool)
        #expect(queue.isEmpty && queue.taken == 3)
        #expect(queue.first != nil)  // the last slice stays until it is discarded: OpenSSL may be writing to it
        queue.discard(pool)
        #expect(queue.first == nil && queue.dropped == 0)
    }

    @Test func `begins a slice only when the last one is full`() throws {
        let pool = BufferPool()
        var queue = Outgoing()
        let target = queue.target(pool)
        let first = try #require(target)
        #expect(first.put(pattern(BufferPool.sliceBytesMax - 1)))
        let same = queue.target(pool)
        #expect(same === first)
        #expect(first.put([1]))
        let second = queue.target(pool)
        #expect(second != nil && second !== first)
        #expect(queue.first === first)
        queue.consume(BufferPool.sliceBytesMax, pool)
        #expect(queue.first === second)
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
