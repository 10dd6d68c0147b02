import TLSEngine
import TestSupport
import Testing

@Suite struct `A key update` {
    @Test(arguments: Wire.all, [true, false])
    func `both ways with writes in flight loses nothing`(wire: Wire, asks: Bool) throws {
        let pair = try Pair()
        pair.run()
        let (up, down) = (pattern(4000, stream: 1), pattern(4000, stream: 2))
        for start in stride(from: 0, to: 4000, by: 40) {
            #expect(pair.client.write(Array(up[start..<start + 40])) == 40)
            #expect(pair.client.updateKey(askPeer: asks))
            #expect(pair.server.write(Array(down[start..<start + 40])) == 40)
            #expect(pair.server.updateKey(askPeer: asks))
            if start % 400 == 0 { pair.run(wire) }
        }
        pair.run(wire)
        #expect(difference(pair.server.received, up) == nil)
        #expect(difference(pair.client.received, down) == nil)
        #expect(pair.server.updatesAsked >= 100)
        #expect(pair.client.failure == nil && pair.server.failure == nil)
    }

    @Test(arguments: [true, false])
    func `makes the peer change its key with its next write, and only when it asks`(asks: Bool) throws {
        let pair = try Pair { _, server in server.context.setTickets(0) }
        pair.run()
        #expect(pair.client.updateKey(askPeer: asks))
        pair.server.drive(pair.client.takeAll())
        #expect(pair.server.updatesAsked == 1)
        #expect(pair.server.outgoingCount == 0)
        #expect(pair.server.write([1]) == 1)
        #expect(records(in: pair.server.takeAll()).count == (asks ? 2 : 1))
    }

    @Test func `is made at once, and without a write`() throws {
        let pair = try Pair()
        pair.run()
        let before = pair.client.seen.recordsOut
        #expect(pair.client.updateKey(askPeer: false))
        #expect(pair.client.seen.recordsOut == before + 1)
    }

    @Test(arguments: [Version.tls12, .tls13])
    func `is made by itself after so many records`(version: Version) throws {
        let pair = try Pair(version) { client, _ in client.limits.keyLife = KeyLife(records: 100) }
        pair.run()
        for _ in 0..<1000 { #expect(pair.client.write([1]) == 1) }
        pair.run()
        #expect(pair.server.received.count == 1000 && pair.server.failure == nil)
        #expect(version == .tls12 ? pair.server.updatesAsked == 0 : (8...10).contains(pair.server.updatesAsked))
        #expect(pair.client.updatesAsked == 0)
    }

    @Test func `is refused where it makes no sense`() throws {
        let old = try Pair(.tls12)
        #expect(!old.client.updateKey(askPeer: false))
        old.run()
        #expect(!old.client.updateKey(askPeer: true))
        #expect(old.client.failure == nil)

        let pair = try Pair()
        #expect(!pair.client.updateKey(askPeer: false))
        #expect(!pair.server.updateKey(askPeer: false))
        pair.run()
        pair.client.close()
        #expect(!pair.client.updateKey(askPeer: false))
        #expect(pair.server.updateKey(askPeer: false))
        #expect(pair.differences([], [5]) == [])
    }
}
