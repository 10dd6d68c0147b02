import TLSEngine
import TestSupport
import Testing

extension End {
    /// Writes what is to be gathered. Returns how much was taken.
    fileprivate func gather(_ bytes: [UInt8]) -> Int {
        withLent { engine.write(bytes.span.bytes, gathering: true, incoming: lent.incoming, lent.pool) }
    }

    /// The short way of a small write, in the record that waits; false when it cannot go it.
    fileprivate func add(_ bytes: [UInt8]) -> Bool { engine.gather(bytes.span.bytes) }

    fileprivate func settle(all: Bool = false) {
        withLent { while engine.settle(incoming: lent.incoming, lent.pool, all: all) {} }
    }

    fileprivate func cork() -> Bool { engine.cork() }
    fileprivate func letCorkedGo() { engine.letCorkedGo() }
    fileprivate func uncork() -> Bool { engine.uncork() }
    fileprivate var recordsOut: UInt64 { seen.recordsOut }
}

@Suite struct `Small writes` {
    private func established(_ version: Version, _ most: Int = 1_048_576) throws -> Pair {
        let pair = try Pair(version) { client, _ in client.limits.outgoingMax = most }
        pair.run()
        return pair
    }

    @Test(arguments: Version.allCases)
    func `that are gathered become one record when they settle`(version: Version) throws {
        let pair = try established(version)
        let before = pair.client.recordsOut
        for place in 0..<100 { #expect(pair.client.gather(pattern(20, from: place * 20)) == 20) }
        #expect(pair.client.deferredBytes == 2000 && pair.client.outgoingCount == 0)
        #expect(pair.client.counts.accepted == 2000 && pair.client.encryptedBytes == 0)
        pair.client.settle()
        #expect(pair.client.recordsOut == before + 1 && pair.client.deferredBytes == 0)
        pair.run()
        #expect(difference(pair.server.received, pattern(2000)) == nil)
    }

    @Test(arguments: Version.allCases, [4095, 4096, 16383, 16384, 16385, 40_000])
    func `are told from large ones at 4096 bytes`(version: Version, size: Int) throws {
        let pair = try established(version)
        #expect(pair.client.gather(pattern(size)) == size)
        // A large one is not copied, but for a small rest of it.
        let rest = size % 16384
        #expect(pair.client.deferredBytes == (rest < 4096 ? rest : 0))
        pair.run()
        #expect(difference(pair.server.received, pattern(size)) == nil)
    }

    @Test(arguments: Version.allCases)
    func `never hold back a full record, and never make two of what fits into one`(version: Version) throws {
        let pair = try established(version)
        #expect(pair.client.cork())
        let before = pair.client.recordsOut
        var taken = 0
        for size in [100, 16284, 1, 16383, 16384, 5, 66_000, 3] {
            #expect(pair.client.writeAll(pattern(size, from: taken)) == size)
            taken += size
            #expect(pair.client.deferredBytes == taken % 16384)
            #expect(pair.client.recordsOut == before + UInt64(taken / 16384))
        }
        pair.client.settle(all: true)
        pair.run()
        #expect(difference(pair.server.received, pattern(taken)) == nil)
    }

    @Test func `wait for the last of their corks`() throws {
        let pair = try established(.tls13)
        #expect(!pair.client.uncork())
        #expect(pair.client.cork() && pair.client.cork())
        #expect(pair.client.write([1, 2, 3]) == 3)
        pair.client.settle()
        #expect(pair.client.uncork())
        pair.client.settle()
        #expect(pair.client.deferredBytes == 3)
        #expect(pair.client.uncork() && !pair.client.uncork())
        pair.client.settle()
        #expect(pair.client.deferredBytes == 0)
        for _ in 0..<255 { #expect(pair.client.cork()) }
        #expect(!pair.client.cork())
    }

    @Test func `do not wait for a cork that comes after them`() throws {
        let pair = try established(.tls13)
        #expect(pair.client.gather([1, 2, 3]) == 3)
        #expect(pair.client.cork())
        #expect(pair.client.gather([4]) == 1)
        pair.client.settle()
        #expect(pair.client.deferredBytes == 0)
        #expect(pair.client.gather([5]) == 1)  // from now on the cork is like any other
        pair.client.settle()
        #expect(pair.client.deferredBytes == 1)
    }

    @Test func `do not wait for a cork when somebody has to hear that they are gone`() throws {
        let pair = try established(.tls13)
        #expect(pair.client.cork())
        pair.client.letCorkedGo()  // nothing is there
        #expect(pair.client.gather([1, 2, 3]) == 3)
        pair.client.settle()
        #expect(pair.client.deferredBytes == 3)
        pair.client.letCorkedGo()
        pair.client.settle()
        #expect(pair.client.deferredBytes == 0)
    }

    @Test(arguments: [true, false])
    func `under a cork go before close_notify`(isEstablished: Bool) throws {
        let pair = try Pair(.tls13)
        if isEstablished { pair.run() }
        #expect(pair.client.cork())
        #expect(pair.client.write(pattern(500)) == 500)
        pair.client.close()
        #expect(!pair.client.cork())
        pair.run()
        #expect(difference(pair.server.received, pattern(500)) == nil)
        #expect(pair.client.hasClosed && pair.server.peerHasClosed)
    }

    @Test func `are added to others only while they fit`() throws {
        let pair = try established(.tls13, 40_000)
        #expect(!pair.client.add([1]))  // nothing is lent yet
        #expect(pair.client.gather([0]) == 1)
        #expect(!pair.client.add(pattern(4096)))
        for _ in 0..<4 { #expect(pair.client.add(pattern(4095))) }
        #expect(pair.client.deferredBytes == 16381 && pair.client.counts.accepted == 16381)
        #expect(pair.client.add([1, 2]))
        #expect(!pair.client.add([1]))  // it would fill the record
        #expect(pair.client.deferredBytes == 16383 && pair.client.counts.accepted == 16383)
        #expect(pair.client.gather(pattern(100)) == 100)
        #expect(pair.client.deferredBytes == 99)
        while pair.client.gather([7]) == 1 {}
        let accepted = pair.client.counts.accepted
        #expect(!pair.client.acceptsPlaintext && !pair.client.add([7]))
        pair.client.closeLater()
        #expect(!pair.client.add([7]) && pair.client.counts.accepted == accepted)
    }

    @Test(arguments: 1...30)
    func `never go past the limit, whatever is written, corked and taken`(seed: Int) throws {
        var random = Seeded(UInt64(seed))
        let most = 32768 + random.size(60_000)
        let pair = try established(seed % 2 == 0 ? .tls12 : .tls13, most)
        let client = pair.client
        var sent: [UInt8] = []
        for _ in 0..<300 {
            let bytes = pattern(random.size(20_000), from: sent.count)
            switch Int.random(in: 0..<10, using: &random) {
            case 0: _ = client.cork()
            case 1: _ = client.uncork()
            case 2: client.settle(all: Bool.random(using: &random))
            case 3: pair.server.drive(client.take(random.size(70_000)))
            case 4: if client.add(Array(bytes.prefix(100))) { sent += bytes.prefix(100) }
            case 5: sent += bytes.prefix(client.write(bytes))
            default: sent += bytes.prefix(client.gather(bytes))
            }
            #expect(client.outgoingBytes <= most, "seed \(seed)")
            #expect(client.counts.accepted == UInt64(sent.count), "seed \(seed)")
        }
        client.settle(all: true)
        #expect(client.outgoingBytes <= most, "seed \(seed)")
        pair.run()
        #expect(difference(pair.server.received, sent) == nil, "seed \(seed)")
    }
}
