import COpenSSL
import TestSupport
import Testing

@testable import OpenSSLHandles

/// How often OpenSSL has freed an object that carries the counter: OpenSSL tells each object's end to its extra data.
final class FreeCount: @unchecked Sendable {
    private(set) var count = 0

    private var address: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    /// Marks an object of a kind (CRYPTO_EX_INDEX_...) with `set`.
    func watch(_ kind: CInt, _ set: (CInt, UnsafeMutableRawPointer) -> CInt) {
        let index = CRYPTO_get_ex_new_index(
            kind, 0, nil, nil, nil,
            { _, counter, _, _, _, _ in
                guard let counter else { return }
                Unmanaged<FreeCount>.fromOpaque(counter).takeUnretainedValue().count += 1
            })
        #expect(index >= 0)
        #expect(set(index, address) == 1)
    }
}

@Suite struct `An owner` {
    @Test func `of a context frees it`() throws {
        let freed = FreeCount()
        var context: OwnedContext? = try OwnedContext(.server)
        expectEmptyQueue()
        freed.watch(CRYPTO_EX_INDEX_SSL_CTX) { SSL_CTX_set_ex_data(context!.ctx, $0, $1) }
        #expect(freed.count == 0)
        #expect(context?.native == UnsafeMutableRawPointer(context!.ctx))
        context = nil
        #expect(freed.count == 1)
    }

    @Test(arguments: [Role.client, .server])
    func `of a connection frees it, and lets its context go`(role: Role) throws {
        let (freed, freedContext) = (FreeCount(), FreeCount())
        var context: OwnedContext? = try OwnedContext(role)
        freedContext.watch(CRYPTO_EX_INDEX_SSL_CTX) { SSL_CTX_set_ex_data(context!.ctx, $0, $1) }
        do {
            let ssl = try OwnedSSL(context!)
            expectEmptyQueue()
            freed.watch(CRYPTO_EX_INDEX_SSL) { SSL_set_ex_data(ssl.ssl, $0, $1) }
            context = nil
            #expect(freedContext.count == 0, "a connection keeps its context alive")
            let isServer = SSL_is_server(ssl.ssl)
            #expect(isServer == (role == .server ? 1 : 0))
        }
        #expect(freed.count == 1)
        #expect(freedContext.count == 1)
    }

    @Test func `of a memory BIO frees it`() throws {
        let freed = FreeCount()
        var bio: MemoryBIO? = try MemoryBIO()
        freed.watch(CRYPTO_EX_INDEX_BIO) { BIO_set_ex_data(bio!.bio, $0, $1) }
        bio = nil
        #expect(freed.count == 1)
    }

    @Test func `of a memory BIO leaves it to a connection that is attached to it`() throws {
        let freed = FreeCount()
        let outgoing = try MemoryBIO()
        do {
            let ssl = try OwnedSSL(try OwnedContext(.client))
            var incoming: MemoryBIO? = try MemoryBIO()
            freed.watch(CRYPTO_EX_INDEX_BIO) { BIO_set_ex_data(incoming!.bio, $0, $1) }
            for _ in 0..<3 { ssl.attach(incoming: incoming!, outgoing: outgoing) }
            incoming = nil
            #expect(freed.count == 0)
            ssl.detach()
            #expect(freed.count == 1)
            ssl.attach(incoming: outgoing, outgoing: outgoing)
        }
        #expect(outgoing.put([1]), "the owner's reference is its own")
    }

    @Test func `of PEM text, of certificates and of a key frees them`() throws {
        let freed = FreeCount()
        do {
            let bytes = Credentials.server.certificate
            try bytes.withUnsafeBytes { text in
                let source = try PEMSource(text)
                freed.watch(CRYPTO_EX_INDEX_BIO) { BIO_set_ex_data(source.bio, $0, $1) }
                let certificates = try Certificates.read(source)
                freed.watch(CRYPTO_EX_INDEX_X509) {
                    X509_set_ex_data(copenssl_x509s_at(certificates.list, 0), $0, $1)
                }
                #expect(freed.count == 0)
            }
            #expect(freed.count == 2)
            try Credentials.server.key.withUnsafeBytes { text in
                let source = try PEMSource(text)
                let key = try PrivateKey.read(source, for: OwnedContext(.server))
                freed.watch(CRYPTO_EX_INDEX_EVP_PKEY) { EVP_PKEY_set_ex_data(key.key, $0, $1) }
            }
        }
        #expect(freed.count == 3)
        expectEmptyQueue()
    }

    @Test func `of a context frees its identity with it`() throws {
        let freed = FreeCount()
        var context: OwnedContext? = try OwnedContext(.server)
        try context!.use(.server)
        try context!.trust(Authority.ours.pem)
        freed.watch(CRYPTO_EX_INDEX_X509) {
            X509_set_ex_data(copenssl_x509s_at(context!.identity.certificates!.list, 0), $0, $1)
        }
        freed.watch(CRYPTO_EX_INDEX_EVP_PKEY) { EVP_PKEY_set_ex_data(context!.identity.key!.key, $0, $1) }
        context = nil
        #expect(freed.count == 2)
        expectEmptyQueue()
    }
}

@Suite struct `An error that somebody left in the queue` {
    @Test func `does not make a step fail`() throws {
        let context = try OwnedContext(.client)
        var ssl = try OwnedSSL(context)
        let (incoming, outgoing) = (try MemoryBIO(), try MemoryBIO())
        ssl.attach(incoming: incoming, outgoing: outgoing)
        for _ in 0..<3 {
            leaveError()
            guard case .wantsCiphertext = ssl.handshake() else {
                Issue.record("a stale error was taken for a failure")
                return
            }
        }
        ERR_clear_error()
    }

    @Test func `is not reported as the cause of a refusal`() throws {
        let context = try OwnedContext(.server)
        leaveError()
        #expect(throws: SettingRefused.self) { try context.use(Credentials(certificate: [65], key: [65])) }
        leaveError()
        do {
            try context.setCiphers("NO-SUCH-CIPHER")
        } catch {
            #expect(error.cause.library == ERR_LIB_SSL)
        }
        expectEmptyQueue()
    }
}
