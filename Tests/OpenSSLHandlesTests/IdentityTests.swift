import COpenSSL
import TestSupport
import Testing

@testable import OpenSSLHandles

/// PEM text that is something, and not what is wanted.
private let garbage = Array("-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n".utf8)
private let badKey = Array("-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5\n-----END PRIVATE KEY-----\n".utf8)

extension OwnedContext {
    fileprivate func certificate(_ pem: [UInt8]) throws {
        try pem.withUnsafeBytes { try setCertificate(try PEMSource($0)) }
    }
    fileprivate func key(_ pem: [UInt8]) throws { try pem.withUnsafeBytes { try setKey(try PEMSource($0)) } }
}

@Suite struct `An identity` {
    static let badCertificates: [[UInt8]] = [
        [], [0], Array("hello".utf8), garbage, Credentials.server.key,
        Array(Credentials.server.certificate.dropLast(40)),
        Array(Credentials.server.certificate.prefix(200)), Credentials.server.certificate + garbage,
        Credentials.server.certificate + Credentials.client.certificate.dropLast(40),
    ]
    static let badKeys: [[UInt8]] = [
        [], [0], Array("hello".utf8), badKey, Credentials.server.certificate,
        Array(Credentials.server.key.dropLast(40)),
        Array(Credentials.server.key.prefix(100)),
    ]

    @Test(arguments: [true, false])
    func `may be set with either part first`(certificateFirst: Bool) throws {
        let context = try OwnedContext(.server)
        if certificateFirst { try context.certificate(Credentials.server.certificate) }
        expectEmptyQueue()
        #expect(!context.identity.isComplete)
        try context.key(Credentials.server.key)
        expectEmptyQueue()
        if !certificateFirst { try context.certificate(Credentials.server.certificate) }
        expectEmptyQueue()
        #expect(context.identity.isComplete)
        #expect(SSL_CTX_get0_certificate(context.ctx) != nil)
        #expect(SSL_CTX_check_private_key(context.ctx) == 1)
    }

    @Test(arguments: badCertificates)
    func `takes no certificate that is none, and stays as it was`(pem: [UInt8]) throws {
        let context = try OwnedContext(.server)
        #expect(refusal { try context.certificate(pem) } != nil)
        #expect(!context.identity.isComplete)
        try context.use(.server)
        let before = portrait(context)
        #expect(refusal { try context.certificate(pem) } != nil)
        #expect(portrait(context) == before)
    }

    @Test(arguments: badKeys)
    func `takes no key that is none, and stays as it was`(pem: [UInt8]) throws {
        let context = try OwnedContext(.server)
        #expect(refusal { try context.key(pem) } != nil)
        try context.use(.server)
        let before = portrait(context)
        #expect(refusal { try context.key(pem) } != nil)
        #expect(portrait(context) == before)
    }

    @Test func `takes no parts that do not belong together, and stays as it was`() throws {
        let empty = try OwnedContext(.server)
        try empty.certificate(Credentials.server.certificate)
        #expect(
            refusal { try empty.key(Credentials.client.key) } == "the private key does not belong to the certificate")
        #expect(!empty.identity.isComplete)
        try empty.key(Credentials.server.key)  // the right one still fits

        let context = try OwnedContext(.client)
        try context.use(.client)
        let before = portrait(context)
        #expect(refusal { try context.key(Credentials.server.key) } != nil)
        #expect(refusal { try context.certificate(Credentials.server.certificate) } != nil)
        #expect(portrait(context) == before)
        try context.use(.client)
        #expect(portrait(context).count == before.count)
    }

    @Test func `takes a chain, and shows it whole`() throws {
        let context = try OwnedContext(.server)
        try context.use(
            Credentials(
                certificate: Array("a comment before it\n".utf8) + Credentials.server.certificate + Authority.ours.pem,
                key: Credentials.server.key))
        expectEmptyQueue()
        #expect(copenssl_x509s_count(context.identity.certificates!.list) == 2)
        var chain: OpaquePointer?
        #expect(SSL_CTX_ctrl(context.ctx, SSL_CTRL_GET_CHAIN_CERTS, 0, &chain) == 1)
        #expect(OPENSSL_sk_num(chain) == 1)
    }

    @Test(arguments: ["/nonexistent/file.pem", "", "/"])
    func `says which file cannot be had`(path: String) throws {
        let context = try OwnedContext(.server)
        #expect(refusal { try context.setCertificate(try PEMSource(path: path)) } != nil)
        #expect(refusal { try context.setKey(try PEMSource(path: path)) } != nil)
        #expect(refusal { try context.addTrust(try PEMSource(path: path)) } != nil)
    }

    @Test(arguments: [true, false])
    func `takes a password whole, also behind a zero in it`(isTraditional: Bool) throws {
        let password: [UInt8] = Array("sec\0ret".utf8)
        let encrypted = try #require(encryptedKey(password, isTraditional: isTraditional))
        let context = try OwnedContext(.server)
        for (count, sentence) in [(password.count, nil), (3, "the password is wrong")] {
            context.setPasswordQuestion { room, _ in
                room.copyBytes(from: password[..<count])
                return count
            }
            #expect(refusal { try context.key(encrypted) } == sentence)
        }
    }

    @Test func `does not ask for a password`() throws {
        let encrypted = try #require(encryptedKey(Array("secret".utf8), isTraditional: false))
        let context = try OwnedContext(.server)
        #expect(refusal { try context.key(encrypted) } == "it is encrypted, and no password callback is set")
    }

    private func encryptedKey(_ password: [UInt8], isTraditional: Bool) -> [UInt8]? {
        Credentials.server.key.withUnsafeBytes { text -> [UInt8]? in
            guard let context = try? OwnedContext(.server), let source = try? PEMSource(text),
                let key = try? PrivateKey.read(source, for: context), let target = try? MemoryBIO(),
                isTraditional
                    ? PEM_write_bio_PrivateKey_traditional(
                        target.bio, key.key, EVP_aes_128_cbc(), password, CInt(password.count), nil, nil) == 1
                    : PEM_write_bio_PKCS8PrivateKey(
                        target.bio, key.key, EVP_aes_128_cbc(), password.map { CChar($0) }, CInt(password.count), nil,
                        nil) == 1
            else { return nil }
            return target.copy()
        }
    }
}

@Suite struct `Trust` {
    @Test(arguments: [Role.client, .server])
    func `is added, one authority after the other`(role: Role) throws {
        let context = try OwnedContext(role)
        #expect(!context.trustsSomebody)
        try context.trust(Authority.ours.pem)
        try context.trust(Authority.other.pem + Authority.ours.pem)  // one of them a second time
        expectEmptyQueue()
        #expect(context.trustsSomebody)
        #expect(portrait(context).contains { $0.hasPrefix("trusts 2, names \(role == .server ? "" : "0")") })
    }

    static let bad: [[UInt8]] = [
        [], Array("nothing".utf8), garbage, Authority.other.pem + garbage, garbage + Authority.other.pem,
        Authority.other.pem + Authority.ours.pem.dropLast(40), Credentials.server.key,
    ]

    @Test(arguments: bad)
    func `stays as it was when a text is refused, also when only its end is bad`(pem: [UInt8]) throws {
        for role in [Role.client, .server] {
            let context = try OwnedContext(role)
            let untouched = portrait(context)
            #expect(refusal { try context.trust(pem) } != nil)
            #expect(portrait(context) == untouched)
            #expect(!context.trustsSomebody)
            try context.trust(Authority.ours.pem)
            let before = portrait(context)
            #expect(refusal { try context.trust(pem) } != nil)
            #expect(portrait(context) == before)
        }
    }

    @Test func `in a directory needs a directory`() throws {
        let context = try OwnedContext(.client)
        for path in ["/nonexistent", "", "/dev/null"] {
            #expect(refusal { try context.addTrust(directory: path) } == "there is no such directory")
            #expect(!context.trustsSomebody)
        }
        #expect(refusal { try context.addTrust(directory: "/") } == nil)
        #expect(context.trustsSomebody)
        #expect(refusal { try context.addSystemTrust() } == nil)
    }
}
