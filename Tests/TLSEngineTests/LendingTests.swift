import TestSupport
import Testing

@testable import TLSEngine

@Suite struct `An idle engine` {
    @Test(arguments: Version.allCases)
    func `owns no BIO at any moment at which nothing waits`(version: Version) throws {
        let pair = try Pair(version)
        let ends = [pair.client, pair.server]
        func check() {
            for end in ends where end.outgoingBytes == 0 { #expect(!end.ownsOutgoing) }
        }
        check()
        for _ in 0..<6 {
            pair.server.drive(pair.client.takeAll())
            check()
            pair.client.drive(pair.server.takeAll())
            check()
        }
        #expect(pair.client.events == [.established])
        #expect(pair.differences(pattern(300_000), pattern(5)) == [])
        check()
        pair.client.close()
        pair.run()
        check()
        #expect(!pair.client.ownsOutgoing && !pair.server.ownsOutgoing)
    }

    @Test func `owns its deferred writes only until they are encrypted`() throws {
        let pair = try Pair()
        #expect(!pair.client.ownsOutgoing)
        #expect(pair.client.write([1]) == 1)
        #expect(pair.client.ownsOutgoing)
        pair.run()
        #expect(!pair.client.ownsOutgoing)
    }

    @Test func `has nothing left once it was told to drop it, and knows how much that was`() throws {
        let pair = try Pair()
        pair.run()
        #expect(pair.client.writeAll(pattern(200_000)) == 200_000)
        let waiting = pair.client.outgoingCount
        pair.client.discard()
        #expect(pair.client.outgoingCount == 0 && pair.client.deferredBytes == 0)
        #expect(pair.client.dropped == UInt64(waiting))
    }
}

@Suite struct `What is lent` {
    @Test(arguments: 1...12)
    func `may be another for each drive`(seed: Int) throws {
        var random = Seeded(UInt64(seed))
        let pair = try Pair(seed % 2 == 0 ? .tls12 : .tls13)
        let lents = [try Lent(), try Lent(), try Lent()]
        let (up, down) = (pattern(100_000, stream: 1), pattern(100_000, stream: 2))
        var sent = (0, 0)
        for _ in 0..<5000 where pair.server.received.count < up.count || pair.client.received.count < down.count {
            pair.client.lent = lents.randomElement(using: &random)!
            pair.server.lent = lents.randomElement(using: &random)!
            sent.0 += pair.client.write(Array(up[sent.0..<min(up.count, sent.0 + random.size(20_000))]))
            sent.1 += pair.server.write(Array(down[sent.1..<min(down.count, sent.1 + random.size(20_000))]))
            pair.client.lent = lents.randomElement(using: &random)!
            pair.server.drive(pair.client.take(random.size(70_000)))
            pair.client.drive(pair.server.take(random.size(70_000)))
        }
        pair.run()
        #expect(difference(pair.server.received, up) == nil, "seed \(seed)")
        #expect(difference(pair.client.received, down) == nil, "seed \(seed)")
        #expect(pair.client.leftBehind + pair.server.leftBehind == 0)
    }

    /// What OpenSSL would go on writing to after a drop is in the pool, and the next one's.
    @Test func `is no more written to by one whose output was dropped`() throws {
        let lent = try Lent()
        let pairs = try (0..<2).map { _ in try Pair(.tls13) }
        for pair in pairs {
            pair.client.lent = lent
            pair.run()
        }
        #expect(pairs[0].client.writeAll(pattern(200_000)) == 200_000)
        #expect(pairs[0].client.discard(thenUpdateKey: true))
        #expect(pairs[1].differences(pattern(300_000), []) == [])
    }

    @Test func `is shared by many connections without a byte going astray`() throws {
        let lent = try Lent()
        let pairs = try (0..<8).map { _ in try Pair(.tls12) }
        for pair in pairs {
            pair.client.lent = lent
            pair.server.lent = lent
        }
        // Every handshake stands at the same flight while the others use the same BIOs.
        for _ in 0..<4 {
            for pair in pairs { pair.client.drive() }
            for pair in pairs { pair.server.drive(pair.client.takeAll()) }
            for pair in pairs { pair.client.drive(pair.server.takeAll()) }
        }
        for (index, pair) in pairs.enumerated() {
            #expect(pair.server.events == [.established])
            #expect(pair.differences(pattern(1000, stream: index), [UInt8(index)]) == [])
        }
    }
}
