import COpenSSL
import TestSupport
import Testing

@testable import OpenSSLHandles

private let gcm128 = "ECDHE-ECDSA-AES128-GCM-SHA256"
private let gcm256 = "ECDHE-ECDSA-AES256-GCM-SHA384"
private let suites = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]

/// The ciphers of a context, in order: TLS 1.3's, or the older ones.
private func ciphers(_ context: OwnedContext, areSuites: Bool) -> [String] {
    portrait(context).filter { ($0.hasPrefix("TLS_") || $0.contains("-")) && $0.hasPrefix("TLS_") == areSuites }
}

/// Tries a list that must be refused; returns the name that is to blame, and the sentence. Nothing has changed then.
private func blamed(_ setting: (OwnedContext) throws -> Void) throws -> (name: String?, sentence: String) {
    let context = try OwnedContext(.client)
    let before = portrait(context)
    defer {
        let isUnchanged = portrait(context) == before
        #expect(isUnchanged)
        expectEmptyQueue()
    }
    do {
        try setting(context)
        return (nil, "taken")
    } catch let refused as SettingRefused {
        return (
            refused.subject.map { String(decoding: $0.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self) },
            "\(refused.sentence)"
        )
    }
}

@Suite struct `A list of ciphers` {
    @Test(arguments: [
        (gcm128, [gcm128]),
        ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", [gcm128]),
        ("\(gcm128),\(gcm256)", [gcm128, gcm256]),
        (" \(gcm256);\(gcm128)::", [gcm256, gcm128]),
        ("?NO-SUCH-CIPHER:\(gcm128)", [gcm128]),
        ("?TLS_NO_SUCH_SUITE:?TLS_NO_WITH_SUCH_SHA:\(gcm128)", [gcm128]),
        ("?\(gcm128):\(gcm256)", [gcm128, gcm256]),
        ("ECDHE+AESGCM:!aRSA:@STRENGTH", [gcm256, gcm128]),
        ("\(gcm128):\(gcm256):+AES128:-NO-SUCH-CIPHER:!EXPORT", [gcm256, gcm128]),
    ])
    func `is taken, in its order`(list: String, expected: [String]) throws {
        let context = try OwnedContext(.server)
        #expect(refusal { try context.setCiphers(list) } == nil)
        #expect(ciphers(context, areSuites: false) == expected)
        #expect(ciphers(context, areSuites: true) == suites)
    }

    @Test(arguments: [
        ("TLS_AES_256_GCM_SHA384", ["TLS_AES_256_GCM_SHA384"]),
        ("?TLS_NO_SUCH_SUITE:TLS_CHACHA20_POLY1305_SHA256", ["TLS_CHACHA20_POLY1305_SHA256"]),
        (
            "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256",
            ["TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"]
        ),
    ])
    func `of TLS 1.3 leaves the older ones`(list: String, expected: [String]) throws {
        let context = try OwnedContext(.server)
        let before = ciphers(context, areSuites: false)
        #expect(refusal { try context.setCiphers(list) } == nil)
        #expect(ciphers(context, areSuites: true) == expected)
        #expect(ciphers(context, areSuites: false) == before)
    }

    @Test(arguments: [
        ("\(gcm128):NO-SUCH-CIPHER:\(gcm256)", "NO-SUCH-CIPHER"),
        ("NO-SUCH-CIPHER,\(gcm256)", "NO-SUCH-CIPHER"),
        ("TLS_AES_128_GCM_SHA256:TLS_NO_SUCH_SUITE", "TLS_NO_SUCH_SUITE"),
        ("TLS_AES_128_GCM_SHA256:TLS_NO_WITH_SUCH_SHA", "TLS_NO_WITH_SUCH_SHA"),
        ("TLS_AES_128_GCM_SHA256:TLS_FALLBACK_SCSV", "TLS_FALLBACK_SCSV"),
        ("\(gcm128):ECDHE-ECDSA-AES128-GCM-SHA25", "ECDHE-ECDSA-AES128-GCM-SHA25"),
        ("EXP-RC4-MD5:\(gcm128)", "EXP-RC4-MD5"),
        ("AES128+NOSUCH:\(gcm128)", "AES128+NOSUCH"),
    ])
    func `with an unknown name is refused, and it is named`(list: String, name: String) throws {
        let found = try blamed { try $0.setCiphers(list) }
        #expect(found == (name, "OpenSSL knows no cipher of this name"))
    }

    @Test(arguments: [
        "NULL-SHA256", "ECDHE-ECDSA-NULL-SHA", "ADH-AES128-GCM-SHA256", "AECDH-AES128-SHA", "aNULL", "eNULL", "NULL",
        "ADH",
        "COMPLEMENTOFALL", "TLS_RSA_WITH_NULL_SHA256", "TLS_DH_anon_WITH_AES_128_GCM_SHA256",
    ])
    func `has none without encryption or authentication`(name: String) throws {
        for list in [name, "?\(name)", "\(gcm128):\(name)", "TLS_AES_128_GCM_SHA256:\(name):@SECLEVEL=0"] {
            let found = try blamed { try $0.setCiphers(list) }
            #expect(found == (name, "it has no encryption, or does not prove who the peer is"), "\(list)")
        }
    }

    @Test(arguments: ["HIGH", "ALL", "ALL:@SECLEVEL=0", "AES128", "HIGH:+aNULL", "ALL:COMPLEMENTOFDEFAULT"])
    func `of words has none of these either`(list: String) throws {
        let context = try OwnedContext(.client)
        #expect(refusal { try context.setCiphers(list) } == nil)
        let found = SSL_CTX_get_ciphers(context.ctx)
        #expect(copenssl_ciphers_count(found) > 10)
        for index in 0..<copenssl_ciphers_count(found) {
            let cipher = copenssl_ciphers_at(found, index)
            #expect(SSL_CIPHER_get_auth_nid(cipher) != NID_auth_null)
            #expect(SSL_CIPHER_get_cipher_nid(cipher) != NID_undef)
        }
    }

    @Test(arguments: [
        "", ":", " , ;", "?", "?NO-SUCH-CIPHER:?TLS_NO_SUCH_SUITE", "!AES", "@SECLEVEL=9", "\(gcm128):@NONSENSE",
    ])
    func `of which nothing can be made is refused as a whole`(list: String) throws {
        let found = try blamed { try $0.setCiphers(list) }
        #expect(found.name == nil && found.sentence != "taken")
    }
}

@Suite struct `A list of groups` {
    private func offered(_ list: String) throws -> String? {
        let context = try OwnedContext(.client)
        #expect(refusal { try context.setGroups(list) } == nil)
        return portrait(context).first { $0.hasPrefix("10: ") }
    }

    @Test(arguments: ["X25519:P-256", "?X25519:P-256", "?no-such-group:X25519:?no_such_either:?P-256"])
    func `leaves out what may be unknown`(list: String) throws {
        #expect(try offered(list) == "10: \([0, 4, 0, 29, 0, 23] as [UInt8])")
    }

    @Test func `has the name for OpenSSL 3.5 where that runs`() throws {
        let context = try OwnedContext(.client)
        let isKnown = copenssl_ctx_set_groups(context.ctx, "X25519MLKEM768") == 1
        ERR_clear_error()
        #expect(
            try offered("?X25519MLKEM768:X25519")
                == "10: \((isKnown ? [0, 4, 17, 236, 0, 29] : [0, 2, 0, 29]) as [UInt8])")
    }

    @Test(arguments: ["X25519:no-such-group:P-256", "?no_such_either:no-such-group", "no-such-group"])
    func `with an unknown name is refused, and it is named`(list: String) throws {
        #expect(try blamed { try $0.setGroups(list) } == ("no-such-group", "OpenSSL knows no group of this name"))
    }

    @Test(arguments: ["", ":", "?", "X25519::P-256:no", "?no-such-group:?no_such_either", "X25519:?"])
    func `of which nothing can be made is refused as a whole`(list: String) throws {
        let found = try blamed { try $0.setGroups(list) }
        #expect(found.name == nil && found.sentence != "taken")
    }
}

@Suite struct `A list of signature algorithms` {
    @Test(arguments: [
        "ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256", "ECDSA+SHA256:RSA-PSS+SHA256",
        "?no_such:ecdsa_secp256r1_sha256:?NO+SUCH:rsa_pss_rsae_sha256",
    ])
    func `is offered in its order`(list: String) throws {
        let context = try OwnedContext(.client)
        #expect(refusal { try context.setSignatureAlgorithms(list) } == nil)
        #expect(portrait(context).contains("13: \([0, 4, 4, 3, 8, 4] as [UInt8])"))
    }

    @Test(arguments: ["ecdsa_secp256r1_sha256:no_such", "?NO+SUCH:no_such"])
    func `with an unknown name is refused, and it is named`(list: String) throws {
        #expect(
            try blamed { try $0.setSignatureAlgorithms(list) }
                == ("no_such", "OpenSSL knows no signature algorithm of this name"))
    }

    @Test(arguments: ["", ":", "?", "?no_such", "ECDSA+SHA256::no_such"])
    func `of which nothing can be made is refused as a whole`(list: String) throws {
        let found = try blamed { try $0.setSignatureAlgorithms(list) }
        #expect(found.name == nil && found.sentence != "taken")
    }
}
