import COpenSSL
import TestSupport
import Testing

@testable import OpenSSLHandles

@Suite struct `A setting of what is negotiated` {
    /// Tries one that must be refused, on a context with settings of its own.
    private func expectRefused(_ setting: (OwnedContext) throws -> Void, _ what: String) throws {
        for role in [Role.client, .server] {
            let context = try OwnedContext(role)
            try context.setCiphers("TLS_AES_256_GCM_SHA384:ECDHE-ECDSA-AES128-GCM-SHA256")
            try context.setGroups("P-384:X25519")
            try context.setALPN("h2,http/1.1")
            try context.setMinimumVersion(TLS1_2_VERSION)
            let before = portrait(context)
            #expect(refusal { try setting(context) } != nil, "\(what)")
            #expect(portrait(context) == before, "\(what)")
        }
    }

    @Test(arguments: [
        "", ":", "NO-SUCH-CIPHER", "TLS_NO_SUCH_SUITE", "TLS_AES_128_GCM_SHA256:NO-SUCH-CIPHER",
        "TLS_NO_SUCH_SUITE:ECDHE-ECDSA-AES256-GCM-SHA384",
    ])
    func `that names no cipher changes nothing, not even the half that is known`(list: String) throws {
        try expectRefused({ try $0.setCiphers(list) }, list)
    }

    @Test(arguments: ["", ":", "no-such-group", "X25519:no-such-group", "X25519::P-256"])
    func `that names no group changes nothing`(list: String) throws {
        try expectRefused({ try $0.setGroups(list) }, list)
    }

    @Test(arguments: [
        ",", "h2,", ",h2", "h2,,http/1.1", String(repeating: "a", count: 256),
        "h2," + String(repeating: "a", count: 300),
        String(repeating: String(repeating: "a", count: 255) + ",", count: 257) + "h2",
    ])
    func `that is no list of protocols changes nothing`(list: String) throws {
        try expectRefused({ try $0.setALPN(list) }, list)
    }

    @Test func `takes names of protocols of 1 to 255 bytes`() throws {
        for length in [1, 2, 254, 255] {
            let name = String(repeating: "a", count: length)
            let client = try OwnedContext(.client)
            #expect(refusal { try client.setALPN(name) } == nil)
            let list = [UInt8(length)] + Array(name.utf8)
            let expected = [UInt8(list.count >> 8), UInt8(list.count & 255)] + list
            #expect(portrait(client).contains("16: \(expected[...])"))
            let server = try OwnedContext(.server)
            #expect(refusal { try server.setALPN(name) } == nil)
            #expect(Array(server.alpn) == list)
        }
    }

    @Test func `takes an empty list of protocols for none`() throws {
        let client = try OwnedContext(.client)
        let before = portrait(client)
        try client.setALPN("h2")
        #expect(portrait(client) != before)
        #expect(refusal { try client.setALPN("") } == nil)
        #expect(portrait(client) == before)
    }

    @Test func `sets only the kind of cipher that it names`() throws {
        let context = try OwnedContext(.client)
        func names(_ isSuite: Bool) -> [String] {
            portrait(context).filter { ($0.hasPrefix("TLS_") || $0.contains("-")) && $0.hasPrefix("TLS_") == isSuite }
        }
        let (suites, older) = (names(true), names(false))
        #expect(suites.count > 1 && older.count > 1)
        try context.setCiphers("ECDHE-ECDSA-AES128-GCM-SHA256")
        #expect(names(true) == suites)
        #expect(names(false) == ["ECDHE-ECDSA-AES128-GCM-SHA256"])
        try context.setCiphers("TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256")
        #expect(names(true) == ["TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"])
        #expect(names(false) == ["ECDHE-ECDSA-AES128-GCM-SHA256"])
        expectEmptyQueue()
    }

    @Test func `refuses an oldest version that is newer than the newest, and the other way round`() throws {
        let context = try OwnedContext(.client)
        #expect(refusal { try context.setMaximumVersion(TLS1_2_VERSION) } == nil)
        let before = portrait(context)
        #expect(refusal { try context.setMinimumVersion(TLS1_3_VERSION) } != nil)
        #expect(portrait(context) == before)
        #expect(refusal { try context.setMaximumVersion(TLS1_3_VERSION) } == nil)
        #expect(refusal { try context.setMinimumVersion(TLS1_3_VERSION) } == nil)
        let newest = portrait(context)
        #expect(refusal { try context.setMaximumVersion(TLS1_2_VERSION) } != nil)
        #expect(portrait(context) == newest)
    }

    @Test func `leaves nothing in the queue when it is taken`() throws {
        let context = try OwnedContext(.server)
        #expect(refusal { try context.setGroups("X25519:P-256:P-384") } == nil)
        #expect(refusal { try context.setCiphers("HIGH") } == nil)
        #expect(refusal { try context.setALPN("h2") } == nil)
        #expect(refusal { try context.setMinimumVersion(TLS1_2_VERSION) } == nil)
        #expect(refusal { context.setVerification(asks: true, requires: true) } == nil)
        #expect(refusal { context.setTickets(3) } == nil)
        #expect(refusal { context.setRenegotiation(.always) } == nil)
        #expect(refusal { context.setRenegotiation(.never) } == nil)
        #expect(refusal { context.setCertificateListMax(1000) } == nil)
        #expect(refusal { try context.setKeylog("/dev/null") } == nil)
        #expect(refusal { try context.setKeylog("/nonexistent/keys") } != nil)
        #expect(context.ticketCount == 3 && context.verifies)
    }

    @Test func `has safe defaults`() throws {
        for role in [Role.client, .server] {
            let context = try OwnedContext(role)
            #expect(context.verifies == (role == .client))
            #expect(!context.allowsRenegotiation)
            #expect(portrait(context).contains("oldest \(TLS1_2_VERSION)"))
            #expect(SSL_CTX_get_options(context.ctx) & copenssl_op_no_renegotiation() != 0)
            #expect(SSL_CTX_get_num_tickets(context.ctx) == 0)
        }
    }
}
