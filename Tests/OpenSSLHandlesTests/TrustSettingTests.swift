import COpenSSL
import TestSupport
import Testing

@testable import OpenSSLHandles

/// What OpenSSL was told about revocation.
private func revocationFlags(_ context: OwnedContext) -> UInt {
    X509_VERIFY_PARAM_get_flags(SSL_CTX_get0_param(context.ctx))
        & UInt(X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL)
}

private func add(_ lists: [UInt8], _ context: OwnedContext) throws {
    try lists.withUnsafeBytes { try context.addRevocations(try PEMSource($0)) }
}

@Suite struct `Revocation lists` {
    static let (leaf, chain) = (UInt(X509_V_FLAG_CRL_CHECK), UInt(X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL))

    @Test(arguments: [Role.client, .server])
    func `have every chain checked, from the first on`(role: Role) throws {
        let context = try OwnedContext(role)
        #expect(revocationFlags(context) == 0)
        try add(Authority.ours.revocations(), context)
        #expect(revocationFlags(context) == Self.chain)
        try add(Authority.other.revocations() + Authority.ours.revocations(), context)
        #expect(X509_STORE_get0_objects(SSL_CTX_get_cert_store(context.ctx)).map { OPENSSL_sk_num($0) } == 3)
        context.setRevocationCheck(.leaf)
        #expect(revocationFlags(context) == Self.leaf)
        context.setRevocationCheck(.none)
        #expect(revocationFlags(context) == 0)
    }

    @Test func `do not overrule what was chosen before`() throws {
        let context = try OwnedContext(.client)
        context.setRevocationCheck(.leaf)
        #expect(revocationFlags(context) == Self.leaf)
        try add(Authority.ours.revocations(), context)
        #expect(revocationFlags(context) == Self.leaf)
    }

    @Test func `are refused whole, or taken whole`() throws {
        let context = try OwnedContext(.client)
        let good = Authority.ours.revocations()
        var broken = good
        broken[broken.count / 2] = UInt8(ascii: "*")
        for (bytes, sentence) in [
            (Authority.ours.pem, "there is no revocation list in it"),
            (Array("0".utf8), "there is no revocation list in it"),
            (broken, "a revocation list in it cannot be parsed"),
            (good + broken, "a revocation list in it cannot be parsed"),
        ] {
            #expect(refusal { try add(bytes, context) } == sentence)
            #expect(revocationFlags(context) == 0)
            #expect(X509_STORE_get0_objects(SSL_CTX_get_cert_store(context.ctx)).map { OPENSSL_sk_num($0) } == 0)
        }
        #expect(refusal { try add(Array("some words\n".utf8) + good, context) } == nil)
    }

    @Test func `in DER may be several, as certificates may`() throws {
        let context = try OwnedContext(.client)
        let both = try der(Authority.ours.revocations()) + der(Authority.other.revocations())
        #expect(refusal { try add(both + [0x30], context) } == "a revocation list in it cannot be parsed")
        #expect(refusal { try add(both, context) } == nil)
        #expect(X509_STORE_get0_objects(SSL_CTX_get_cert_store(context.ctx)).map { OPENSSL_sk_num($0) } == 2)
    }

    private func der(_ pem: [UInt8]) throws -> [UInt8] {
        try pem.withUnsafeBytes { text in
            let source = try PEMSource(text)
            guard let block = PEMBlock.next(source.bio) else { return [] }
            return Array(block.bytes)
        }
    }
}

@Suite struct `Names of authorities` {
    private func count(_ context: OwnedContext) -> CInt { OPENSSL_sk_num(SSL_CTX_get_client_CA_list(context.ctx)) }

    private func accept(_ pem: [UInt8], _ context: OwnedContext) throws {
        try pem.withUnsafeBytes { try context.setAcceptedAuthorities(try PEMSource($0)) }
    }

    @Test func `take the place of those that are trusted, whichever comes first`() throws {
        let context = try OwnedContext(.server)
        try context.trust(Authority.ours.pem)
        #expect(count(context) == 1)
        try accept(Authority.other.pem + Authority.ours.pem + Credentials.server.certificate, context)
        #expect(count(context) == 3)
        try context.trust(Authority.other.pem)
        #expect(count(context) == 3)
        try accept(Authority.other.pem, context)
        #expect(count(context) == 1)
    }

    @Test func `are none when a server trusts more than it can name`() throws {
        let context = try OwnedContext(.server)
        let long = Authority(String(repeating: "long name ", count: 6)).pem
        try context.trust([[UInt8]](repeating: long, count: 700).flatMap { $0 })
        #expect(count(context) == 700)
        try context.trust([[UInt8]](repeating: long, count: 700).flatMap { $0 })
        #expect(count(context) <= 0)
        try context.trust(Authority.ours.pem)
        #expect(count(context) <= 0)  // naming the last one only would keep the clients of the others away
        try accept(Authority.ours.pem, context)
        #expect(count(context) == 1)
    }

    @Test func `are refused for a client, and when they are too many for a handshake`() throws {
        let client = try OwnedContext(.client)
        #expect(
            refusal { try accept(Authority.ours.pem, client) } == "only a server tells whose certificates it accepts")
        let server = try OwnedContext(.server)
        let long = Authority(String(repeating: "long name ", count: 6)).pem
        let many = [[UInt8]](repeating: long, count: 900).flatMap { $0 }
        #expect(refusal { try accept(many, server) } == "the names in it are longer than a handshake can carry")
        #expect(count(server) <= 0)
        #expect(server.trust.namesOthers == false)
    }
}

@Suite struct `Pins` {
    private func mode(_ context: OwnedContext) -> CInt { SSL_CTX_get_verify_mode(context.ctx) }

    @Test(arguments: [Role.client, .server])
    func `have a certificate asked for, with or without other verification`(role: Role) throws {
        let context = try OwnedContext(role)
        context.setVerification(asks: false, requires: false)
        #expect(mode(context) == SSL_VERIFY_NONE && !context.examinesPeer)
        context.addPin([UInt8](repeating: 1, count: 32))
        #expect(mode(context) == SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT && context.examinesPeer)
        context.setVerification(asks: true, requires: false)
        #expect(mode(context) == SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT)
        context.setVerification(asks: false, requires: false)
        #expect(mode(context) == SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT)
    }
}

@Suite struct `The security level` {
    @Test func `is 2 at least, whatever OpenSSL was built with, and never 0`() throws {
        let context = try OwnedContext(.client)
        #expect(SSL_CTX_get_security_level(context.ctx) >= 2)
        #expect(refusal { try context.setSecurityLevel(0) }?.hasPrefix("level 0 takes") == true)
        #expect(SSL_CTX_get_security_level(context.ctx) >= 2)
        for level in CInt(1)...5 {
            try context.setSecurityLevel(level)
            #expect(SSL_CTX_get_security_level(context.ctx) == level)
        }
    }
}
