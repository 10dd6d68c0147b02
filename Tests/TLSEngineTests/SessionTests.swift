import OpenSSLHandles
import TLSEngine
import TestSupport
import Testing

@Suite struct `A session` {
    /// A connection over which bytes have gone both ways: by now there is one, if there ever will be.
    private func first(
        _ version: Version, server: Credentials = .server,
        _ configure: (_ client: Configuration, _ server: Configuration) throws -> Void = { _, _ in }
    ) throws -> Pair {
        let pair = try Pair(version, server: server, configure)
        use(pair)
        return pair
    }

    private func use(_ pair: Pair, _ wire: Wire = .whole) {
        pair.run(wire)
        #expect(pair.differences([1, 2, 3], [4, 5], wire).isEmpty)
    }

    private func isResumed(_ pair: Pair) -> [Bool] {
        [pair.client.ask { $0.isResumed }, pair.server.ask { $0.isResumed }]
    }

    @Test(arguments: Version.allCases, [Wire.whole, .oneByte])
    func `is resumed again and again, with the newest each time`(version: Version, wire: Wire) throws {
        var pair = try first(version)
        for _ in 0..<4 {
            let session = try #require(pair.client.newestSession)
            pair = try Pair(after: pair)
            #expect(pair.client.offer(session) == nil)
            use(pair, wire)
            #expect(isResumed(pair) == [true, true])
            #expect(pair.client.ask { $0.peerCertificate()?.der } != nil)
        }
    }

    @Test(arguments: Version.allCases)
    func `is there from the handshake on, or with the first ticket`(version: Version) throws {
        let pair = try Pair(version)
        #expect(pair.client.newestSession == nil)
        pair.run()
        #expect((pair.client.newestSession == nil) == (version == .tls13))
        #expect(pair.server.write([1]) == 1)
        pair.run()
        let session = try #require(pair.client.newestSession)
        #expect(pair.server.newestSession == nil)
        let second = try Pair(after: pair)
        #expect(second.client.offer(session) == nil)
        second.run()
        #expect(isResumed(second) == [true, true])
        #expect((second.client.newestSession == nil) == (version == .tls13), "a ticket is for one connection")
    }

    @Test(arguments: Version.allCases)
    func `is for the name that it was made with`(version: Version) throws {
        let pair = try first(version)
        let session = try #require(pair.client.newestSession)
        #expect(try Pair(after: pair, name: "LOCALHOST.").client.offer(session) == nil)
        for name in ["127.0.0.1", "other.example"] {
            #expect(try Pair(after: pair, name: name).client.offer(session) == .wrongHost)
        }
        #expect(try Pair(after: pair, name: nil).client.offer(session) == .noServerName)
    }

    @Test(arguments: Version.allCases)
    func `is verified by whoever offers it`(version: Version) throws {
        let session = try #require(first(version).client.newestSession)
        #expect(try Pair(version).client.offer(session) == nil)
        #expect(try Pair(version, trust: nil).client.offer(session) == .noTrust)
        #expect(try Pair(version, trust: Authority.other.pem).client.offer(session) == .untrusted)
        let careless = try Pair(version, trust: nil) { client, _ in
            client.context.setVerification(asks: false, requires: false)
        }
        #expect(careless.client.offer(session) == nil)
    }

    @Test(arguments: Version.allCases)
    func `does not fit a context of another version or another cipher`(version: Version) throws {
        let session = try #require(first(version).client.newestSession)
        let other = try Pair(version == .tls12 ? .tls13 : .tls12)
        #expect(other.client.offer(session) == .noCommonVersion)
        let cipher = try Pair(version) { client, _ in
            try client.context.setCiphers("TLS_CHACHA20_POLY1305_SHA256:ECDHE-ECDSA-CHACHA20-POLY1305")
        }
        #expect(cipher.client.offer(session) == .noCommonCipher)
    }

    @Test(arguments: Version.allCases)
    func `of a server that does not know it any more ends in a full handshake`(version: Version) throws {
        let session = try #require(first(version).client.newestSession)
        let pair = try Pair(version)
        #expect(pair.client.offer(session) == nil)
        use(pair)
        #expect(isResumed(pair) == [false, false])
        #expect(pair.client.newestSession != nil)
    }
}
