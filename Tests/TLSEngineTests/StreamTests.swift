import TLSEngine
import TestSupport
import Testing

@Suite struct `A stream` {
    static let sizes = [1, 2, 16383, 16384, 16385, 150_000]

    @Test(arguments: Version.allCases, sizes)
    func `has the same bytes both ways`(version: Version, size: Int) throws {
        let pair = try Pair(version)
        let (up, down) = (pattern(size, stream: 1), pattern(size, stream: 2))
        #expect(pair.differences(up, down) == [])
        #expect(pair.client.encryptedBytes == UInt64(size))
        #expect(pair.client.counts.received == UInt64(size))
    }

    @Test(arguments: Version.allCases, Wire.all)
    func `has the same bytes however the wire cuts it`(version: Version, wire: Wire) throws {
        let pair = try Pair(version)
        let size = wire == .oneByte ? 3000 : 40_000
        let (up, down) = (pattern(size, stream: 3), pattern(size + 1, stream: 4))
        #expect(pair.differences(up, down, wire) == [])
        #expect(pair.client.leftBehind + pair.server.leftBehind == 0)
    }

    @Test(arguments: 1...20)
    func `has the same bytes for any writes at any moment`(seed: Int) throws {
        var random = Seeded(UInt64(seed))
        let pair = try Pair(seed % 2 == 0 ? .tls12 : .tls13)
        let ends = [pair.client, pair.server]
        let streams = [pattern(60_000, stream: 5), pattern(60_000, stream: 6)]
        var written = [0, 0]
        pair.client.drive()
        while written[0] + written[1] < 120_000, pair.client.failure == nil, pair.server.failure == nil {
            let who = Int.random(in: 0...1, using: &random)
            if written[who] < 60_000 {
                let size = random.size(60_000 - written[who])
                written[who] += ends[who].write(Array(streams[who][written[who]..<written[who] + size]))
            }
            for (from, to) in [(0, 1), (1, 0)] { ends[to].drive(ends[from].take(random.size(20_000))) }
        }
        pair.run(.seeded(UInt64(seed)))
        #expect(difference(ends[1].received, streams[0]) == nil, "seed \(seed)")
        #expect(difference(ends[0].received, streams[1]) == nil, "seed \(seed)")
    }

    @Test(arguments: Version.allCases)
    func `counts no empty write`(version: Version) throws {
        let pair = try Pair(version)
        #expect(pair.client.write([]) == 0)
        pair.run()
        let made = pair.client.seen.recordsOut
        #expect(pair.client.write([]) == 0)
        #expect(pair.client.outgoingCount == 0)
        #expect(pair.client.seen.recordsOut == made)
        #expect(pair.differences([7], []) == [])
    }

    @Test(arguments: Version.allCases)
    func `fills its records`(version: Version) throws {
        let pair = try Pair(version) { _, server in server.context.setTickets(0) }
        pair.run()
        #expect(pair.server.write(pattern(65536)) == 65536)
        let lengths = records(in: pair.server.takeAll()).map { $0.count - 5 }
        #expect(lengths.count == 4)
        #expect(lengths.allSatisfy { $0 > 16384 && $0 <= 16384 + 256 })
    }
}

@Suite struct `What is written before the handshake` {
    @Test(arguments: Version.allCases, Wire.all)
    func `is the first thing that the peer reads, in order`(version: Version, wire: Wire) throws {
        let pair = try Pair(version)
        #expect(pair.server.write(Array("OK\r\n".utf8)) == 4)  // the greeting, before any byte of the client
        for byte in 0..<100 as Range<UInt8> { #expect(pair.client.write([byte]) == 1) }
        #expect(pair.client.deferredBytes == 100)
        #expect(pair.client.encryptedBytes == 0)
        pair.run(wire)
        #expect(pair.client.received == Array("OK\r\n".utf8))
        #expect(pair.server.received == Array(0..<100))
        #expect(pair.client.deferredBytes == 0)
        #expect(pair.client.counts.accepted == 100)
    }

    @Test func `keeps its place before what is written later`() throws {
        let pair = try Pair()
        let all = pattern(300_000)
        var sent = pair.client.writeAll(Array(all[..<200_000]))
        #expect(sent == 200_000)
        pair.client.drive()
        pair.server.drive(pair.client.takeAll())
        sent += pair.client.writeAll(Array(all[200_000..<250_000]))
        pair.run()
        sent += pair.client.writeAll(Array(all[250_000...]))
        pair.run()
        #expect(sent == 300_000)
        #expect(difference(pair.server.received, all) == nil)
    }
}
