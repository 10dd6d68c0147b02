import COpenSSL
import TestSupport
import Testing

@testable import OpenSSLHandles

/// The ciphers of Mozilla's guide, version 5.7, intermediate.
private let guided = [
    "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
    "DHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES256-GCM-SHA384", "DHE-RSA-CHACHA20-POLY1305",
]

private func ciphers(_ context: OwnedContext) -> [String] {
    portrait(context).filter { $0.hasPrefix("TLS_") || $0.contains("-") }
}

private func serverDecides(_ context: OwnedContext) -> Bool {
    SSL_CTX_get_options(context.ctx) & copenssl_op_server_preference() != 0
}

@Suite struct `A preset` {
    @Test func `is what a server begins with`() throws {
        let server = try OwnedContext(.server)
        #expect(ciphers(server) == guided)
        #expect(server.versions == TLS1_2_VERSION...TLS1_3_VERSION)
        #expect(!serverDecides(server))
        expectEmptyQueue()
    }

    @Test func `leaves a client what OpenSSL offers, but for static RSA`() throws {
        let (ours, theirs) = (try OwnedContext(.client), SSL_CTX_new(TLS_client_method()))
        defer { SSL_CTX_free(theirs) }
        var expected: [String] = []
        let all = SSL_CTX_get_ciphers(theirs)
        for index in 0..<copenssl_ciphers_count(all) {
            let cipher = copenssl_ciphers_at(all, index)
            if SSL_CIPHER_get_kx_nid(cipher) != NID_kx_rsa {
                expected.append(String(cString: SSL_CIPHER_get_name(cipher)))
            }
        }
        #expect(copenssl_ciphers_count(all) > Int32(expected.count))
        #expect(ciphers(ours) == expected.filter { $0.contains("-") || $0.hasPrefix("TLS_") })
        #expect(expected.contains("ECDHE-RSA-AES128-SHA") && !expected.contains("AES128-GCM-SHA256"))
    }

    @Test(arguments: [(Preset.modern, TLS1_3_VERSION), (.intermediate, TLS1_2_VERSION)])
    func `sets versions, ciphers and groups, whatever was set before`(preset: Preset, oldest: CInt) throws {
        for role in [Role.client, .server] {
            let context = try OwnedContext(role)
            try context.setGroups("P-521")
            try context.setMaximumVersion(TLS1_2_VERSION)
            try context.setCiphers("ECDHE-ECDSA-AES128-SHA")
            #expect(serverDecides(context))
            #expect(refusal { try context.set(preset) } == nil)
            #expect(ciphers(context) == guided)
            #expect(!serverDecides(context))
            #expect(context.versions == oldest...TLS1_3_VERSION)
            #expect(portrait(context).contains("oldest \(oldest)") && portrait(context).contains("newest 0"))
            if role == .server { continue }
            let groups = try #require(portrait(context).first { $0.hasPrefix("10: ") })
            let hybrid = copenssl_ctx_set_groups(context.ctx, "X25519MLKEM768") == 1
            ERR_clear_error()
            let usual: [UInt8] = [0, 29, 0, 23, 0, 24]
            #expect(groups == "10: \((hybrid ? [0, 8, 17, 236] + usual : [0, 6] + usual) as [UInt8])")
        }
    }

    @Test func `may be followed by single settings`() throws {
        let context = try OwnedContext(.server)
        try context.set(.modern)
        #expect(refusal { try context.setCiphers("ECDHE-ECDSA-AES128-GCM-SHA256") } != nil)
        #expect(refusal { try context.setMinimumVersion(TLS1_2_VERSION) } == nil)
        #expect(refusal { try context.setCiphers("ECDHE-ECDSA-AES128-GCM-SHA256") } == nil)
        #expect(refusal { try context.setGroups("P-384") } == nil)
        #expect(ciphers(context) == guided[..<3] + ["ECDHE-ECDSA-AES128-GCM-SHA256"])
        #expect(serverDecides(context))
    }
}

@Suite struct `Ciphers for a version that is not spoken` {
    private let older = "ECDHE-ECDSA-AES128-GCM-SHA256"
    private let suite = "TLS_AES_128_GCM_SHA256"

    @Test func `are refused`() throws {
        for (version, list) in [(TLS1_3_VERSION, older), (TLS1_2_VERSION, suite)] {
            let context = try OwnedContext(.server)
            try context.setMaximumVersion(version)
            try context.setMinimumVersion(version)
            let before = portrait(context)
            #expect(refusal { try context.setCiphers(list) } == "none of them is for a version that is spoken")
            #expect(portrait(context) == before)
            #expect(refusal { try context.setCiphers("\(older):\(suite)") } == nil)
        }
    }

    @Test func `have the version refused`() throws {
        let context = try OwnedContext(.server)
        try context.setCiphers(older)
        var before = portrait(context)
        #expect(refusal { try context.setMinimumVersion(TLS1_3_VERSION) } != nil)
        #expect(portrait(context) == before && context.speaks(TLS1_2_VERSION))
        #expect(refusal { try context.setMaximumVersion(TLS1_2_VERSION) } == nil)

        let other = try OwnedContext(.server)
        try other.setCiphers(suite)
        before = portrait(other)
        #expect(refusal { try other.setMaximumVersion(TLS1_2_VERSION) } != nil)
        #expect(portrait(other) == before && other.speaks(TLS1_3_VERSION))
        try other.setCiphers(older)  // now it has both kinds
        #expect(refusal { try other.setMaximumVersion(TLS1_2_VERSION) } == nil)
    }
}
