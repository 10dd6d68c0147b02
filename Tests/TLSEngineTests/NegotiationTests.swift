import OpenSSLHandles
import TLSEngine
import TestSupport
import Testing

private func protocolName(_ end: End) -> String {
    end.ask { String(decoding: $0.alpn, as: UTF8.self) }
}

@Suite struct `The application protocol` {
    @Test(arguments: Version.allCases, Wire.all)
    func `is the one that the server likes best`(version: Version, wire: Wire) throws {
        let pair = try Pair(version) { client, server in
            try client.context.setALPN("http/1.1,h2,other")
            try server.context.setALPN("unknown,h2,http/1.1")
        }
        pair.run(wire)
        #expect(protocolName(pair.client) == "h2")
        #expect(protocolName(pair.server) == "h2")
    }

    @Test(arguments: Version.allCases)
    func `that is not shared ends the handshake with its own alert`(version: Version) throws {
        let pair = try Pair(version) { client, server in
            try client.context.setALPN("h2")
            try server.context.setALPN("http/1.1")
        }
        pair.run()
        #expect(pair.server.failure == .noCommonProtocol)
        #expect(pair.server.cause?.alertSent == 120)
        #expect(pair.client.failure == .noCommonProtocol)
        #expect(pair.client.cause?.alertReceived == 120)
    }

    @Test(arguments: [("h2", ""), ("", "h2"), ("", "")])
    func `is not needed`(client: String, server: String) throws {
        let pair = try Pair { clients, servers in
            try clients.context.setALPN(client)
            try servers.context.setALPN(server)
        }
        pair.run()
        #expect(pair.client.events == [.established])
        #expect(protocolName(pair.client) == "")
        #expect(protocolName(pair.server) == "")
    }

    @Test func `list can be taken back`() throws {
        let pair = try Pair { client, server in
            try client.context.setALPN("h2")
            try server.context.setALPN("http/1.1")
            try server.context.setALPN("")
        }
        pair.run()
        #expect(pair.server.events == [.established])
    }
}

@Suite struct `The server name` {
    private func sent(_ name: String) throws -> String? {
        let pair = try Pair(name: name)
        pair.run()
        #expect(pair.client.events == [.established])
        return pair.server.ask { $0.serverName.map { String(cString: $0) } }
    }

    @Test func `reaches the server`() throws {
        #expect(try sent("localhost") == "localhost")
        #expect(try sent("www.example.org") == "www.example.org")
    }

    @Test(arguments: ["127.0.0.1", "::1"])
    func `is not sent when it is an address`(address: String) throws {
        #expect(try sent(address) == nil)
    }

    @Test func `may be set again, from address to name and back`() throws {
        let pair = try Pair(name: "127.0.0.9")
        #expect(pair.client.engine.setServerName { $0.setServerName("localhost") })
        pair.run()
        #expect(pair.client.events == [.established])
        #expect(pair.server.ask { $0.serverName.map { String(cString: $0) } } == "localhost")

        let back = try Pair(name: "elsewhere.example")
        #expect(back.client.engine.setServerName { $0.setServerName("127.0.0.1") })
        back.run()
        #expect(back.client.events == [.established])
        #expect(back.server.ask { $0.serverName } == nil)
    }
}

@Suite struct `Two ends that have nothing in common` {
    private func check(_ pair: Pair, _ kind: EngineFailure.Kind, alert: UInt8) {
        pair.run()
        #expect(pair.server.failure == kind)
        #expect(pair.server.cause?.alertSent == alert)
        #expect(pair.client.failure == kind)
        #expect(pair.client.cause?.alertReceived == alert)
        #expect(!pair.client.wasEstablished && !pair.server.wasEstablished)
    }

    @Test(arguments: [(Version.tls12, Version.tls13), (.tls13, .tls12)])
    func `say so of the version`(client: Version, server: Version) throws {
        let pair = try Pair(nil) { clients, servers in
            for (context, version) in [(clients.context, client), (servers.context, server)] {
                try context.setMinimumVersion(version.rawValue)
                try context.setMaximumVersion(version.rawValue)
            }
        }
        check(pair, .noCommonVersion, alert: 70)
    }

    @Test func `say so of the ciphers of TLS 1.2`() throws {
        let pair = try Pair(.tls12) { client, server in
            try client.context.setCiphers("ECDHE-ECDSA-AES128-GCM-SHA256")
            try server.context.setCiphers("ECDHE-ECDSA-AES256-GCM-SHA384")
        }
        check(pair, .noCommonCipher, alert: 40)
    }

    @Test func `say so of the suites of TLS 1.3`() throws {
        let pair = try Pair(.tls13) { client, server in
            try client.context.setCiphers("TLS_AES_128_GCM_SHA256")
            try server.context.setCiphers("TLS_AES_256_GCM_SHA384")
        }
        check(pair, .noCommonCipher, alert: 40)
    }

    @Test(arguments: Version.allCases)
    func `say so of the groups`(version: Version) throws {
        let pair = try Pair(version) { client, server in
            try client.context.setGroups("X25519")
            try server.context.setGroups("P-384")
        }
        check(pair, .noCommonCipher, alert: 40)
    }
}
