import COpenSSL
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

    // MARK: What the server says of a client without one

    private func met(
        _ policy: ALPNPolicy, client: String, server: String = "h2,http/1.1", _ version: Version
    ) throws -> Pair {
        let pair = try Pair(version) { clients, servers in
            try clients.context.setALPN(client)
            servers.context.setALPNPolicy(policy)
            try servers.context.setALPN(server)
        }
        pair.run()
        return pair
    }

    private func expectGoesOn(_ pair: Pair, _ expected: String) {
        #expect(pair.client.events == [.established] && pair.server.events == [.established])
        #expect(protocolName(pair.client) == expected && protocolName(pair.server) == expected)
        #expect(pair.differences([1, 2], [3]).isEmpty)
    }

    private func expectRefused(_ pair: Pair) {
        #expect(pair.server.events == [.failed(.noCommonProtocol)] && pair.server.cause?.alertSent == 120)
        #expect(pair.client.failure == .noCommonProtocol && pair.client.cause?.alertReceived == 120)
    }

    @Test(arguments: Version.allCases)
    func `is one of those in common, whatever the policy`(version: Version) throws {
        for policy in [ALPNPolicy.strict, .lenient, .required] {
            expectGoesOn(try met(policy, client: "other,http/1.1", version), "http/1.1")
        }
    }

    @Test(arguments: Version.allCases)
    func `may be lacking where the server is lenient`(version: Version) throws {
        expectGoesOn(try met(.lenient, client: "imap", version), "")
        expectGoesOn(try met(.lenient, client: "", version), "")
        expectGoesOn(try met(.strict, client: "", version), "")
    }

    @Test(arguments: Version.allCases)
    func `may not be lacking where the server requires one`(version: Version) throws {
        expectRefused(try met(.required, client: "imap", version))
        expectRefused(try met(.required, client: "", version))
        expectGoesOn(try met(.required, client: "", server: "", version), "")  // there is no list
    }

    @Test(arguments: Version.allCases)
    func `is required once the policy says so, and no longer than that`(version: Version) throws {
        for policy in [ALPNPolicy.required, .strict] {
            let pair = try Pair(version) { _, servers in
                try servers.context.setALPN("h2")
                servers.context.setALPNPolicy(.required)
                servers.context.setALPNPolicy(policy)
            }
            pair.run()
            if policy == .required { expectRefused(pair) } else { expectGoesOn(pair, "") }
        }
    }

    // MARK: What the client says of a server without one

    @Test(arguments: Version.allCases, ["", "imap"])
    func `is required by a client that says so`(version: Version, server: String) throws {
        let pair = try Pair(version) { clients, servers in
            try clients.context.setALPN("h2")
            clients.context.setALPNPolicy(.required)
            servers.context.setALPNPolicy(.lenient)
            try servers.context.setALPN(server)
        }
        #expect(pair.client.write([1, 2, 3]) == 3)  // waits for the handshake, and is never sent
        pair.run()
        #expect(pair.client.events == [.failed(.noCommonProtocol)])
        #expect(pair.client.cause?.alertSent == nil && !pair.client.wasEstablished)
        // The server had the last word in TLS 1.2, and the first in TLS 1.3: to it we were there, and left.
        #expect(pair.server.events == [.established, .peerClosed])
        #expect(pair.server.received.isEmpty)
    }

    @Test func `is required of no server by a client without a list`() throws {
        let pair = try Pair { clients, _ in clients.context.setALPNPolicy(.required) }
        pair.run()
        expectGoesOn(pair, "")
    }

    @Test(arguments: Version.allCases)
    func `that was not offered is refused`(version: Version) throws {
        let pair = try Pair(version) { clients, servers in
            try clients.context.setALPN("h2")
            SSL_CTX_set_alpn_select_cb(
                OpaquePointer(servers.context.native),
                { _, chosen, length, _, _, _ in
                    let other: StaticString = "imap"
                    chosen?.pointee = other.utf8Start
                    length?.pointee = 4
                    return SSL_TLSEXT_ERR_OK
                }, nil)
        }
        pair.run()
        #expect(pair.client.failure == .protocolViolation && pair.client.cause?.alertSent == 50)
        #expect(!pair.client.wasEstablished)
    }
}
