import TLSEngine
import TestSupport
import Testing

@Suite struct `A close` {
    private func established(_ version: Version) throws -> Pair {
        let pair = try Pair(version)
        pair.run()
        return pair
    }

    @Test(arguments: Version.allCases, Wire.all)
    func `by one side and then the other is clean`(version: Version, wire: Wire) throws {
        for byClient in [true, false] {
            let pair = try established(version)
            let (first, second) = byClient ? (pair.client, pair.server) : (pair.server, pair.client)
            #expect(first.write([1, 2]) == 2)
            first.close()
            #expect(first.hasClosed && !first.isOver)
            pair.run(wire)
            #expect(second.received == [1, 2])
            #expect(second.events == [.established, .peerClosed])
            #expect(second.peerHasClosed && !second.isOver && second.acceptsWrites)
            #expect(second.endOfFile() == nil)
            second.close()
            pair.run(wire)
            #expect(first.events == [.established, .peerClosed])
            #expect(first.isOver && second.isOver)
            #expect(first.endOfFile() == nil)
        }
    }

    @Test(arguments: Version.allCases)
    func `by both at once is clean`(version: Version) throws {
        let pair = try established(version)
        pair.client.close()
        pair.server.close()
        pair.run()
        #expect(pair.client.isOver && pair.server.isOver)
        #expect(pair.client.failure == nil && pair.server.failure == nil)
    }

    @Test(arguments: Version.allCases, Wire.all)
    func `of one direction leaves the other open`(version: Version, wire: Wire) throws {
        let pair = try established(version)
        pair.client.close()
        pair.run(wire)
        let answer = pattern(wire == .oneByte ? 2000 : 100_000)
        #expect(pair.differences([], answer, wire) == [])
        #expect(pair.client.write([1]) == 0)
        #expect(!pair.client.acceptsWrites && !pair.client.acceptsPlaintext)
        pair.server.close()
        pair.run(wire)
        #expect(pair.client.isOver && pair.server.isOver)
    }

    @Test(arguments: Version.allCases)
    func `loses nothing that the peer has in flight`(version: Version) throws {
        let pair = try established(version)
        let flying = pattern(50_000)
        #expect(pair.server.write(flying) == 50_000)
        pair.client.close()  // before any of it came
        pair.run()
        #expect(difference(pair.client.received, flying) == nil)
        #expect(pair.server.peerHasClosed)
    }

    @Test(arguments: Version.allCases)
    func `that comes before the handshake is done after it, behind what was written`(version: Version) throws {
        let pair = try Pair(version)
        #expect(pair.client.write([1, 2, 3]) == 3)
        pair.client.closeLater()
        #expect(pair.client.write([4]) == 0)
        pair.run()
        #expect(pair.server.received == [1, 2, 3])
        #expect(pair.server.events == [.established, .peerClosed])
    }

    @Test(arguments: Version.allCases)
    func `that is asked for twice is made once`(version: Version) throws {
        let pair = try established(version)
        pair.client.close()
        let made = pair.client.outgoingCount
        pair.client.close()
        #expect(made > 0)
        #expect(pair.client.outgoingCount == made)
    }

    @Test(arguments: Version.allCases)
    func `ends what is read: whatever follows is handed out as it is`(version: Version) throws {
        let pair = try established(version)
        pair.client.close()
        let end = pair.client.takeAll()
        pair.server.drive(end + pattern(1000))
        pair.server.drive(pattern(50_000))
        #expect(pair.server.received.isEmpty)
        #expect(pair.server.failure == nil)
        #expect(pair.server.leftBehind == 0)
        #expect(pair.server.beyond == pattern(1000) + pattern(50_000))
        #expect(pair.differences([], [9]) == [])
    }
}

@Suite struct `A truncation` {
    @Test(arguments: Version.allCases)
    func `is told from a clean end`(version: Version) throws {
        let pair = try Pair(version)
        pair.run()
        #expect(pair.client.write([1]) == 1)
        pair.server.drive(pair.client.takeAll())
        #expect(pair.server.endOfFile() == .truncated)
        #expect(pair.server.received == [1])
    }

    @Test(arguments: Version.allCases)
    func `in the middle of a record is one too, and the record is not delivered`(version: Version) throws {
        let pair = try Pair(version)
        pair.run()
        #expect(pair.client.write(pattern(100)) == 100)
        let record = pair.client.takeAll()
        pair.server.drive(Array(record.dropLast()))
        #expect(pair.server.received.isEmpty)
        #expect(pair.server.endOfFile() == .truncated)
    }

    @Test(arguments: Version.allCases)
    func `in the middle of a close_notify is one too`(version: Version) throws {
        let pair = try Pair(version)
        pair.run()
        pair.client.close()
        pair.server.drive(Array(pair.client.takeAll().dropLast()))
        #expect(pair.server.endOfFile() == .truncated)
    }
}
