import OpenSSLHandles
import TLSEngine
import TestSupport
import Testing

@Suite struct `Early data` {
    private typealias Configure = (_ client: Configuration, _ server: Configuration) throws -> Void

    /// A connection over which bytes have gone both ways, and whose tickets allow so much.
    private func first(_ most: UInt32 = 16384, _ configure: Configure = { _, _ in }) throws -> Pair {
        let pair = try Pair { client, server in
            server.context.setEarlyData(most)
            try configure(client, server)
        }
        pair.run()
        #expect(pair.differences([1, 2, 3], [4, 5]).isEmpty)
        return pair
    }

    /// The next one between the same two, which resumes the one before.
    private func next(_ pair: Pair) throws -> Pair {
        let session = try #require(pair.client.newestSession)
        let next = try Pair(after: pair)
        #expect(next.client.offer(session) == nil)
        return next
    }

    private func fate(_ pair: Pair) -> [EarlyData] { [pair.client.engine.earlyData, pair.server.engine.earlyData] }

    private func write(_ bytes: [UInt8], early end: End) -> Int {
        end.withLent { end.engine.writeEarly(bytes.span.bytes, end.lent.pool) }
    }

    /// Whether both have come to an established connection on which everything goes, and none of it twice.
    private func isWhole(_ pair: Pair, _ early: [UInt8]) -> Bool {
        let isSent = pair.server.received == early && pair.client.deferredBytes == 0
        return isSent && pair.differences(pattern(40_000), pattern(30_000, stream: 1)).isEmpty
            && pair.client.events == [.established] && pair.server.events == [.established]
    }

    @Test(arguments: Wire.all, [1, 16384, 16385, 100_000])
    func `is read before the handshake is done`(wire: Wire, size: Int) throws {
        let pair = try next(first(100_000))
        let early = pattern(size)
        #expect(write(early, early: pair.client) == size)
        #expect(fate(pair) == [.none, .none])
        #expect(pair.client.deferredBytes == size)
        pair.run(wire)
        #expect(difference(pair.server.receivedEarly, early) == nil)
        #expect(pair.server.received.isEmpty)
        #expect(fate(pair) == [.accepted, .accepted])
        #expect(pair.client.encryptedBytes == UInt64(size))
        #expect(isWhole(pair, []))
    }

    @Test func `is read as soon as it has come, with nothing of the client behind it`() throws {
        let pair = try next(first())
        #expect(write([7, 8, 9], early: pair.client) == 3)
        pair.client.drive()
        pair.server.drive(pair.client.takeAll())
        #expect(pair.server.receivedEarly == [7, 8, 9])
        #expect(pair.server.phase == .handshaking)
        #expect(pair.server.engine.earlyData == .accepted)
    }

    @Test(arguments: Wire.all)
    func `is answered before the handshake is done, with the tickets at its end`(wire: Wire) throws {
        let pair = try next(first())
        pair.server.answer = pattern(20_000, stream: 1)
        #expect(write([7, 8, 9], early: pair.client) == 3)
        pair.client.drive()
        pair.server.drive(pair.client.takeAll())
        #expect(pair.server.phase == .handshaking)
        pair.client.drive(pair.server.takeAll())
        #expect(difference(pair.client.received, pattern(20_000, stream: 1)) == nil)
        #expect(pair.client.events == [.established])
        #expect(pair.client.newestSession == nil)
        pair.run(wire)
        #expect(pair.server.events == [.established])
        #expect(pair.client.newestSession != nil, "there was an application write already")
        #expect(pair.differences([1, 2], [3, 4], wire).isEmpty)
        let third = try next(pair)
        #expect(write([1], early: third.client) == 1)
        third.run(wire)
        #expect(fate(third) == [.accepted, .accepted])
    }

    @Test func `is not answered by what was written before it was shown`() throws {
        let pair = try next(first())
        #expect(pair.server.write([1, 2, 3]) == 3)
        #expect(write([7], early: pair.client) == 1)
        pair.client.drive()
        pair.server.drive(pair.client.takeAll())
        #expect(pair.server.receivedEarly == [7])
        #expect(pair.server.deferredBytes == 3)
        pair.run()
        #expect(pair.client.received == [1, 2, 3])
    }

    @Test func `goes out again as ordinary data when it is refused, before everything else`() throws {
        let refusals: [(String, Pair)] = [
            ("a ticket that cannot be read", try elsewhere()),
            ("a second use", try usedTwice()),
            ("another key share", try askedForAnotherShare()),
            ("a server that takes none", try taking(0)),
            ("a server that takes less than the ticket says", try taking(15_999, of: 100_000)),
        ]
        for (why, pair) in refusals {
            let early = pattern(min(pair.client.ask { $0.earlyDataMax }, 60_000))
            #expect(write(early, early: pair.client) == early.count)
            #expect(pair.client.writeAll([1, 2, 3]) == 3)
            pair.run()
            #expect(fate(pair) == [.rejected, .rejected], "\(why)")
            #expect(pair.server.receivedEarly.isEmpty, "\(why)")
            #expect(isWhole(pair, early + [1, 2, 3]), "\(why)")
        }
    }

    private func elsewhere() throws -> Pair {
        let session = try #require(first().client.newestSession)
        let pair = try Pair { _, server in server.context.setEarlyData(16384) }
        #expect(pair.client.offer(session) == nil)
        return pair
    }

    private func usedTwice() throws -> Pair {
        let pair = try first()
        let once = try next(pair)
        #expect(write([1], early: once.client) == 1)
        once.run()
        #expect(fate(once) == [.accepted, .accepted])
        return try next(pair)
    }

    private func askedForAnotherShare() throws -> Pair {
        try next(first { _, server in try server.context.setGroups("P-384") })
    }

    private func taking(_ most: UInt32, of before: UInt32 = 16384) throws -> Pair {
        let pair = try first(before)
        pair.server.configuration.context.setEarlyData(most)
        return try next(pair)
    }

    @Test func `needs a session that allows it, of the same name and protocol`() throws {
        let pair = try first { client, server in
            for end in [client, server] { try end.context.setALPN("h2") }
        }
        let fresh = try Pair(after: pair)
        #expect(fresh.client.engine.refusalOfEarlyData == .noSession)
        #expect(write([1], early: fresh.client) == 0)
        let session = try #require(pair.client.newestSession)
        #expect(fresh.client.offer(session) == nil)
        #expect(fresh.client.engine.refusalOfEarlyData == nil)
        let capital = try Pair(after: pair, name: "LocalHost")
        #expect(capital.client.offer(session) == nil)
        #expect(capital.client.engine.refusalOfEarlyData == .wrongHost)
        let other = try Pair { client, _ in try client.context.setALPN("http/1.1,h3") }
        #expect(other.client.offer(session) == nil)
        #expect(other.client.engine.refusalOfEarlyData == .noCommonProtocol)
        let none = try next(first(0))
        #expect(none.client.engine.refusalOfEarlyData == .noSession)
    }

    @Test func `is no more than the session allows`() throws {
        let pair = try next(first(1000))
        #expect(write(pattern(999), early: pair.client) == 999)
        #expect(write(pattern(999), early: pair.client) == 1)
        #expect(write([1], early: pair.client) == 0)
        pair.run()
        #expect(pair.server.receivedEarly.count == 1000)
    }

    @Test func `is gone with a client that closes behind it`() throws {
        let pair = try next(first())
        #expect(write([1, 2], early: pair.client) == 2)
        pair.client.closeLater()
        pair.run()
        #expect(pair.server.receivedEarly == [1, 2])
        #expect(pair.server.peerHasClosed)
        #expect(pair.server.events == [.established, .peerClosed])
        pair.server.close()
        pair.run()
        #expect(pair.client.isOver)
    }
}
