import OpenSSLHandles
import TLSEngine
import TestSupport
import Testing

@Suite struct `What waits to be sent` {
    private func pair(_ version: Version, _ most: Int) throws -> Pair {
        try Pair(version) { client, server in
            client.limits.outgoingMax = most
            server.limits.outgoingMax = most
        }
    }

    @Test(arguments: Version.allCases, [32768, 65536, 100_001])
    func `never goes past its limit by a single byte, one byte at a time`(version: Version, most: Int) throws {
        let pair = try pair(version, most)
        pair.run()
        for end in [pair.client, pair.server] {
            var taken = 0
            while end.write([1]) == 1 {
                taken += 1
                #expect(end.outgoingBytes <= most)
            }
            #expect(taken > most / 64)
            #expect(!end.acceptsPlaintext && end.acceptsWrites)
            #expect(end.write([1]) == 0)
            #expect(end.failure == nil)
        }
        let sent = [pair.client.counts.accepted, pair.server.counts.accepted].map { Int($0) }
        pair.run()
        #expect(pair.server.received.count == sent[0])
        #expect(pair.client.received.count == sent[1])
        #expect(pair.client.acceptsPlaintext)
    }

    @Test(arguments: Version.allCases, [32768, 32769, 50_000, 1_048_576])
    func `never goes past its limit by a single byte, in huge writes`(version: Version, most: Int) throws {
        let pair = try pair(version, most)
        pair.run()
        for end in [pair.client, pair.server] {
            let taken = end.writeAll(pattern(most + 100_000))
            #expect(end.outgoingBytes <= most)
            #expect(taken > most / 2 && taken < most)
            #expect(!end.acceptsPlaintext)
        }
    }

    @Test(arguments: Version.allCases, [1, 7, 100_000])
    func `never goes past its limit before the handshake either, nor by becoming ciphertext`(
        version: Version, size: Int
    ) throws {
        let most = 40_000
        let pair = try pair(version, most)
        let piece = pattern(size)
        while pair.client.write(piece) > 0 { #expect(pair.client.outgoingBytes <= most) }
        while pair.server.write(piece) > 0 { #expect(pair.server.outgoingBytes <= most) }
        #expect(pair.client.counts.accepted > 38_000)
        // The handshake's own bytes are taken as they come; what was written is encrypted and not taken.
        pair.client.drive()
        pair.server.drive(pair.client.takeAll())
        pair.client.drive(pair.server.takeAll())
        if version == .tls12 {
            pair.server.drive(pair.client.takeAll())
            pair.client.drive(pair.server.take(2000))
        }
        #expect(pair.client.events == [.established])
        #expect(pair.client.deferredBytes == 0)
        #expect(pair.client.outgoingBytes <= most)
    }

    @Test(arguments: 1...20)
    func `never goes past its limit whatever is written and taken`(seed: Int) throws {
        var random = Seeded(UInt64(seed))
        let most = 32768 + random.size(60_000)
        let pair = try pair(seed % 2 == 0 ? .tls12 : .tls13, most)
        pair.run()
        var sent: [UInt8] = []
        for _ in 0..<150 {
            let bytes = pattern(random.size(70_000), from: sent.count)
            let taken = pair.client.write(bytes)
            sent += bytes[..<taken]
            #expect(pair.client.outgoingBytes <= most, "seed \(seed)")
            pair.server.drive(pair.client.take(random.size(70_000)))
        }
        pair.run()
        #expect(difference(pair.server.received, sent) == nil, "seed \(seed)")
    }

    @Test func `is about a slice for each call, so that it can be sent as it is made`() throws {
        let pair = try pair(.tls13, 10_000_000)
        pair.run()
        let taken = pair.client.write(pattern(1_000_000))
        #expect(taken >= BufferPool.sliceBytesMax && taken <= BufferPool.sliceBytesMax + 16384)
        #expect(pair.client.writeAll(pattern(1_000_000)) == 1_000_000)
    }
}

@Suite struct `A peer that makes us answer` {
    @Test(arguments: [20, 10_000])
    func `and does not read is ended at control_max`(most: Int) throws {
        let pair = try Pair(.tls12) { client, server in
            client.limits.controlMax = most
            server.context.setRenegotiation(.always)
        }
        pair.run()  // the handshake itself is no control output
        #expect(pair.client.failure == nil)
        #expect(pair.server.renegotiate())
        pair.server.drive()
        let request = pair.server.takeAll()
        pair.client.drive(request)
        let answer = pair.client.outgoingCount  // a warning: no renegotiation
        #expect(answer > 20 && answer < 100)
        #expect(pair.client.failure == (most == 20 ? .controlLimit : nil))
    }

    @Test func `and does read is not ended, however often it asks`() throws {
        let pair = try Pair { _, server in
            server.limits.controlMax = 40
            server.context.setTickets(0)
        }
        pair.run()
        for byte in 0..<100 as Range<UInt8> {
            #expect(pair.client.updateKey(askPeer: true))
            #expect(pair.differences([byte], [byte]) == [])
        }
        #expect(pair.server.failure == nil)
    }

    @Test(arguments: [0, 1, 10, 100])
    func `for new keys may do so update_burst times at once`(burst: Int) throws {
        let pair = try Pair { _, server in
            server.limits.updateBurst = UInt32(burst)
            server.limits.updatesPerSecond = 1
        }
        pair.run()
        for count in 0...burst {
            #expect(pair.server.failure == nil, "after \(count)")
            #expect(pair.client.updateKey(askPeer: false))
            pair.server.drive(pair.client.takeAll())
        }
        #expect(pair.server.failure == .updateLimit)
        #expect(pair.server.updatesAsked == UInt64(burst + 1))
    }

    @Test func `for new keys may do so update_rate times a second in the long run`() throws {
        let pair = try Pair { _, server in
            server.limits.updateBurst = 5
            server.limits.updatesPerSecond = 10
        }
        pair.run()
        for moment in 1...200 {
            pair.server.now = Int64(moment) * 100
            #expect(pair.client.updateKey(askPeer: true))
            pair.server.drive(pair.client.takeAll())
        }
        #expect(pair.server.failure == nil)
        for _ in 0..<10 where pair.server.failure == nil {
            _ = pair.client.updateKey(askPeer: false)
            pair.server.drive(pair.client.takeAll())
        }
        #expect(pair.server.failure == .updateLimit)
    }

    @Test(arguments: [true, false])
    func `for renegotiations is counted too`(byClient: Bool) throws {
        let pair = try Pair(.tls12) { clients, servers in
            clients.context.setRenegotiation(.always)
            servers.context.setRenegotiation(.always)
            (byClient ? servers : clients).limits.updateBurst = 3
        }
        pair.run()
        let (asking, asked) = byClient ? (pair.client, pair.server) : (pair.server, pair.client)
        for count in 1...3 {
            #expect(asking.renegotiate())
            pair.run()
            #expect(asked.updatesAsked == UInt64(count))
            #expect(asking.updatesAsked == 0)
            #expect(asked.failure == nil)
        }
        #expect(asking.renegotiate())
        pair.run()
        #expect(asked.failure == .updateLimit)
    }

    @Test func `is not blamed for answers to our own requests`() throws {
        let pair = try Pair { client, server in
            client.limits.updateBurst = 3
            client.limits.updatesPerSecond = 0
            server.context.setTickets(0)
        }
        pair.run()
        for byte in 0..<50 as Range<UInt8> {
            #expect(pair.client.updateKey(askPeer: true))
            #expect(pair.differences([byte], [byte]) == [])
        }
        #expect(pair.client.failure == nil)
        #expect(pair.client.updatesAsked == 0)
        #expect(pair.server.updatesAsked == 50)
    }
}
