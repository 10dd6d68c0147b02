import COpenSSL
import TestSupport
import Testing

@testable import OpenSSLHandles

@Suite struct `A kept session` {
    private func made(_ version: Version = .tls13) throws -> Session {
        let pair = try Pair(version)
        pair.run()
        _ = pair.differences([1], [2])
        return try #require(pair.client.newestSession)
    }

    private func certificates() throws -> Certificates {
        try Credentials.server.certificate.withUnsafeBytes { text in
            let source = try PEMSource(text)
            return try Certificates.read(source)
        }
    }

    private func bytes(of session: Session) throws -> [UInt8] {
        let count = try #require(session.write(to: UnsafeMutableRawBufferPointer(start: nil, count: 0)))
        var bytes = [UInt8](repeating: 0, count: count)
        #expect(bytes.withUnsafeMutableBytes { session.write(to: $0) } == count)
        return bytes
    }

    @Test func `frees what it consists of`() throws {
        let (freed, freedCertificate) = (FreeCount(), FreeCount())
        do {
            var session: Session? = try made()
            freed.watch(CRYPTO_EX_INDEX_SSL_SESSION) { SSL_SESSION_set_ex_data(session!.session, $0, $1) }
            let copy = Session.copy(session!.session, session!.chain, [])
            session = nil
            #expect(freed.count == 1)
            #expect(copy != nil)
            let certificates = try certificates()
            freedCertificate.watch(CRYPTO_EX_INDEX_X509) {
                X509_set_ex_data(copenssl_x509s_at(certificates.list, 0), $0, $1)
            }
            let chained = Session.copy(copy!.session, certificates.list, [])
            #expect(chained != nil)
        }
        #expect(freedCertificate.count == 1)
        expectEmptyQueue()
    }

    @Test(arguments: Version.allCases) func `comes back from its bytes`(version: Version) throws {
        let session = try made(version)
        let written = try bytes(of: session)
        let read = try #require(written.withUnsafeBytes { Session.read($0) })
        #expect(read.name == Array("localhost".utf8))
        #expect(read.protocolVersion == version.rawValue)
        #expect(read.expires == session.expires && !read.hasExpired)
        #expect(try bytes(of: read) == written)
        expectEmptyQueue()
    }

    @Test func `is not read from a part of its bytes, nor from more`() throws {
        let written = try bytes(of: try made())
        for count in 0..<written.count {
            #expect(written[..<count].withUnsafeBytes { Session.read($0) } == nil)
        }
        #expect((written + [0]).withUnsafeBytes { Session.read($0) } == nil)
        expectEmptyQueue()
    }

    /// The session of another protocol, or with a secret of another length, which OpenSSL would take.
    @Test(arguments: [(0x0303, 48, true), (0x0303, 32, false), (0x0302, 48, false), (0xfefd, 48, false)])
    func `is read of TLS 1.2 with its secret, and of nothing older`(version: Int, secret: Int, isRead: Bool) throws {
        let context = try OwnedContext(.server)
        let ciphers = SSL_CTX_get_ciphers(context.ctx)
        let cipher = (0..<copenssl_ciphers_count(ciphers)).map { copenssl_ciphers_at(ciphers, $0) }
            .first { SSL_CIPHER_get_protocol_id($0) >> 8 != 0x13 }
        let session = SSL_SESSION_new()
        defer { SSL_SESSION_free(session) }
        let bytes = [UInt8](repeating: 7, count: 48)
        #expect(SSL_SESSION_set_protocol_version(session, CInt(version)) == 1)
        #expect(SSL_SESSION_set_cipher(session, cipher ?? nil) == 1 && SSL_SESSION_set1_id(session, bytes, 32) == 1)
        #expect(SSL_SESSION_set1_master_key(session, bytes, secret) == 1)
        var der = [UInt8](repeating: 0, count: Int(i2d_SSL_SESSION(session, nil)))
        der.withUnsafeMutableBytes {
            var position = $0.baseAddress?.assumingMemoryBound(to: UInt8.self)
            i2d_SSL_SESSION(session, &position)
        }
        let read = der.withUnsafeBytes { Session.readSession($0) }
        SSL_SESSION_free(read)
        #expect((read != nil) == isRead)
        expectEmptyQueue()
    }

    @Test func `with a certificate that ends early is not read`() throws {
        let written = try bytes(of: try made())
        let certificate = try withExtendedLifetime(try certificates()) {
            try #require(encoded(copenssl_x509s_at($0.list, 0)))
        }
        let place = 17 + 3 + "localhost".utf8.count
        for part in [certificate + [0], Array(certificate.dropLast()), []] {
            let chain = length(certificate) + certificate + length(part) + part
            let bytes = written[..<place] + length(chain) + chain + written[(place + 3)...]
            #expect(Array(bytes).withUnsafeBytes { Session.read($0) } == nil)
        }
        expectEmptyQueue()
    }

    @Test func `with more certificates than anybody needs is not written`() throws {
        let session = try made()
        let certificates = try certificates()
        let chained = try #require(Session.copy(session.session, certificates.list, []))
        let certificate = copenssl_x509s_at(certificates.list, 0)
        for _ in 0..<4000 {
            X509_up_ref(certificate)
            #expect(copenssl_x509s_push(chained.chain, certificate) > 0)
        }
        var target = [UInt8](repeating: 7, count: 4 << 20)
        let count = try #require(target.withUnsafeMutableBytes { chained.write(to: $0) })
        #expect(count > Session.bytesMax && count < target.count)
        #expect(target.allSatisfy { $0 == 7 })
    }

    @Test(arguments: [10, 4000])
    func `is read with as many certificates as it may have`(count: Int) throws {
        let written = try bytes(of: try made())
        let certificate = try withExtendedLifetime(try certificates()) {
            try #require(encoded(copenssl_x509s_at($0.list, 0)))
        }
        let chain = (0..<count).flatMap { _ in length(certificate) + certificate }
        let place = 17 + 3 + "localhost".utf8.count  // of the empty chain's length
        #expect(Array(written[place..<place + 3]) == [0, 0, 0])
        let bytes = written[..<place] + length(chain) + chain + written[(place + 3)...]
        #expect((Array(bytes).withUnsafeBytes { Session.read($0) } != nil) == (bytes.count <= Session.bytesMax))
        #expect((bytes.count <= Session.bytesMax) == (count == 10))
    }

    private func length(_ bytes: [UInt8]) -> [UInt8] {
        [16, 8, 0].map { UInt8(truncatingIfNeeded: bytes.count >> $0) }
    }

    @Test func `expires when the server says, after a week at the latest, and never overflows`() throws {
        let session = try made()
        let began = SSL_SESSION_get_time(session.session)
        #expect(session.expires == began + 7200)
        #expect(!session.hasExpired)
        SSL_SESSION_set_time(session.session, began - 7201)
        #expect(session.hasExpired)
        SSL_SESSION_set_time(session.session, .max - 1)
        #expect(session.expires == .max)
        SSL_SESSION_set_time(session.session, .min)
        #expect(session.hasExpired)
    }
}
