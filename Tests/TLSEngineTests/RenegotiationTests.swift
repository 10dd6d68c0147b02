import COpenSSL
import OpenSSLHandles
import TLSEngine
import TestSupport
import Testing

extension End {
    /// How many renegotiations a client has begun.
    fileprivate var renegotiations: Int {
        ask { SSL_ctrl(OpaquePointer($0.native), SSL_CTRL_GET_NUM_RENEGOTIATIONS, 0, nil) }
    }
}

@Suite struct `A renegotiation` {
    enum Side: CaseIterable { case client, server, both }

    private func pair(client: Bool = true, server: Bool = true) throws -> Pair {
        let pair = try Pair(.tls12) { clients, servers in
            clients.context.setRenegotiation(client ? .always : .never)
            servers.context.setRenegotiation(server ? .always : .never)
        }
        pair.run()
        return pair
    }

    @Test(arguments: Side.allCases, Wire.all)
    func `with writes waiting on both sides loses and reorders nothing`(side: Side, wire: Wire) throws {
        let pair = try pair()
        let size = wire == .oneByte ? 2000 : 40_000
        let (up, down) = (pattern(size, stream: 1), pattern(size, stream: 2))
        let half = size / 2
        #expect(pair.client.writeAll(Array(up[..<half])) == half)
        #expect(pair.server.writeAll(Array(down[..<half])) == half)
        if side != .server { #expect(pair.client.renegotiate()) }
        if side != .client { #expect(pair.server.renegotiate()) }
        pair.client.drive()
        pair.server.drive()
        if side == .server { pair.client.drive(pair.server.takeAll()) }
        // The client's hello is made: what it writes now waits, and keeps its place.
        #expect(pair.client.writeAll(Array(up[half...])) == half)
        #expect(pair.client.deferredBytes == half)
        pair.server.drive(pair.client.takeAll())
        #expect(pair.server.writeAll(Array(down[half...])) == half)
        #expect(pair.server.deferredBytes == half)
        pair.run(wire)
        #expect(difference(pair.server.received, up) == nil)
        #expect(difference(pair.client.received, down) == nil)
        #expect(pair.client.deferredBytes + pair.server.deferredBytes == 0)
        #expect(pair.client.renegotiations >= 1)
        #expect(pair.client.failure == nil && pair.server.failure == nil)
    }

    @Test(arguments: 1...30)
    func `at any moment of a stream loses nothing`(seed: Int) throws {
        let pair = try pair()
        var random = Seeded(UInt64(seed))
        let ends = [pair.client, pair.server]
        let streams = [pattern(30_000, stream: 7), pattern(30_000, stream: 8)]
        var written = [0, 0]
        while written[0] + written[1] < 60_000, pair.client.failure == nil, pair.server.failure == nil {
            let who = Int.random(in: 0...1, using: &random)
            if Int.random(in: 0..<6, using: &random) == 0 { _ = ends[who].renegotiate() }
            let size = min(random.size(3000), 30_000 - written[who])
            written[who] += ends[who].write(Array(streams[who][written[who]..<written[who] + size]))
            for (from, to) in [(0, 1), (1, 0)] { ends[to].drive(ends[from].take(random.size(4000))) }
        }
        pair.run(.seeded(UInt64(seed)))
        #expect(difference(ends[1].received, streams[0]) == nil, "seed \(seed)")
        #expect(difference(ends[0].received, streams[1]) == nil, "seed \(seed)")
        #expect(pair.client.renegotiations > 0, "seed \(seed)")
    }

    @Test(arguments: [true, false])
    func `can be followed by a close on either side`(byClient: Bool) throws {
        let pair = try pair()
        let (first, second) = byClient ? (pair.client, pair.server) : (pair.server, pair.client)
        #expect(first.renegotiate())
        first.drive()
        #expect(first.write([1, 2, 3]) == 3)
        first.closeLater()
        #expect(first.write([4]) == 0)
        pair.run()
        #expect(second.received == [1, 2, 3])
        #expect(second.events == [.established, .peerClosed])
        second.close()
        pair.run()
        #expect(first.isOver && second.isOver)
    }

    @Test func `is refused by default, from either side`() throws {
        let pair = try pair(client: false, server: false)
        #expect(!pair.client.renegotiate())
        #expect(!pair.server.renegotiate())
        #expect(pair.differences([1], [2]) == [])
    }

    @Test func `that a server does not allow is not done`() throws {
        let pair = try pair(server: false)
        #expect(pair.client.renegotiate())
        pair.run()
        #expect(pair.client.failure == .protocolViolation)  // OpenSSL takes the refusal for an end
        #expect(pair.client.cause?.cause.reason == SSL_R_NO_RENEGOTIATION)
        #expect(pair.server.failure == .alertReceived)
    }

    @Test func `that a client does not allow is not done`() throws {
        let pair = try pair(client: false)
        #expect(pair.server.renegotiate())
        pair.run()
        #expect(pair.client.renegotiations == 0)
        #expect(pair.server.failure == .protocolViolation)
        #expect(pair.server.cause?.cause.reason == SSL_R_NO_RENEGOTIATION)
    }

    @Test func `is refused where it makes no sense`() throws {
        let newer = try Pair(.tls13) { client, _ in client.context.setRenegotiation(.always) }
        newer.run()
        #expect(!newer.client.renegotiate())

        let early = try Pair(.tls12) { client, _ in client.context.setRenegotiation(.always) }
        #expect(!early.client.renegotiate())

        let closed = try pair()
        closed.client.close()
        #expect(!closed.client.renegotiate())

        let underWay = try pair()
        #expect(underWay.client.renegotiate())
        #expect(!underWay.client.renegotiate())
        underWay.run()
        #expect(underWay.client.renegotiate())
        underWay.run()
        #expect(underWay.client.renegotiations == 2)
    }
}
