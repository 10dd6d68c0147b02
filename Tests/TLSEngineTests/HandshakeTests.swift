import OpenSSLHandles
import TLSEngine
import TestSupport
import Testing

@Suite struct `A handshake` {
    @Test(arguments: Version.allCases, Wire.all)
    func `is done however the wire cuts it`(version: Version, wire: Wire) throws {
        let pair = try Pair(version)
        pair.run(wire)
        for end in [pair.client, pair.server] {
            #expect(end.events == [.established])
            #expect(end.phase == .open)
            #expect(end.wasEstablished)
            #expect(end.ask { $0.protocolVersion } == version.rawValue)
            #expect(end.leftBehind == 0)
        }
    }

    @Test func `chooses TLS 1.3 when both are spoken`() throws {
        let pair = try Pair(nil)
        pair.run()
        #expect(pair.client.ask { $0.isTLS13 })
        #expect(pair.server.ask { $0.protocolName.map { String(cString: $0) } } == "TLSv1.3")
    }

    @Test(arguments: Wire.all)
    func `goes on after a HelloRetryRequest`(wire: Wire) throws {
        let pair = try Pair { client, server in
            try client.context.setGroups("P-256:X25519")  // it sends a share for the first only
            try server.context.setGroups("X25519")
        }
        pair.run(wire)
        #expect(pair.client.events == [.established])
        #expect(pair.server.events == [.established])
        let plain = try Pair()
        plain.run(wire)
        #expect(pair.server.seen.recordsIn == plain.server.seen.recordsIn + 1)  // two ClientHellos: there was a retry
        #expect(pair.client.ask { $0.groupName.map { String(cString: $0) } } == "x25519")
        #expect(pair.differences([1, 2], [3], wire) == [])
    }

    @Test func `does not begin on a server before the client has spoken`() throws {
        let pair = try Pair()
        pair.server.drive()
        #expect(pair.server.outgoingCount == 0)
        #expect(pair.server.phase == .handshaking)
        pair.client.drive()
        #expect(pair.client.outgoingCount > 0)
        #expect(pair.client.events.isEmpty)
    }

    @Test(arguments: Version.allCases)
    func `that only begins says what was negotiated when it is done`(version: Version) throws {
        let pair = try Pair(version)
        #expect(!pair.client.ask { $0.peerSentCertificate })
        pair.run()
        #expect(pair.client.ask { $0.peerSentCertificate })
        #expect(pair.client.ask { $0.cipherName } != nil)
        #expect(pair.client.ask { $0.peerCertificate()?.subject } == Array("CN=localhost".utf8))
        #expect(pair.client.ask { $0.peerCertificate()?.der?.first } == 0x30)  // a DER sequence
        #expect(pair.server.ask { $0.peerCertificate()?.der } == nil)
        #expect(pair.server.ask { $0.peerCertificate()?.subject } == nil)
        #expect(!pair.client.ask { $0.isResumed })
    }

    @Test(arguments: [1, 2, 4, 5, 6, 100])
    func `that ends half-way is told from a truncation`(cut: Int) throws {
        let pair = try Pair()
        pair.client.drive()
        pair.server.drive(pair.client.take(cut))
        #expect(pair.server.failure == nil)
        #expect(pair.server.endOfFile() == .endOfFileInHandshake)
        #expect(pair.client.endOfFile() == .endOfFileInHandshake)
    }

    @Test func `is refused at once where its conditions are not met`() throws {
        let noName = try Pair(name: nil)
        noName.run()
        #expect(noName.client.failure == .noServerName)
        #expect(noName.client.outgoingCount == 0)

        let noTrust = try Pair(trust: nil)
        noTrust.run()
        #expect(noTrust.client.failure == .noTrust)

        let noIdentity = try Pair(server: nil)
        noIdentity.run()
        #expect(noIdentity.server.failure == .noIdentity)

        let noClientTrust = try Pair { _, server in server.context.setVerification(asks: true, requires: true) }
        noClientTrust.run()
        #expect(noClientTrust.server.failure == .noTrust)
    }
}
