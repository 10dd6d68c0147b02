internal import COpenSSL

/// A certificate with its chain, and the private key that belongs to it.
@safe final class KeyPair {
    let certificates: Certificates
    let key: PrivateKey
    /// The first of the certificates, and a list of the others.
    let leaf: OpaquePointer?
    private let chain: OpaquePointer
    /// Changes while connections are served: only inside `exclusively`.
    var staple: Staple?

    private init(_ certificates: Certificates, _ key: PrivateKey, _ chain: OpaquePointer) {
        self.certificates = certificates
        self.key = key
        unsafe leaf = copenssl_x509s_at(certificates.list, 0)
        unsafe self.chain = chain
    }

    /// `source` is where the last of the two came from.
    static func make(
        _ certificates: Certificates, _ key: PrivateKey, _ source: borrowing PEMSource
    ) throws(SettingRefused) -> KeyPair {
        ERR_clear_error()
        guard unsafe X509_check_private_key(copenssl_x509s_at(certificates.list, 0), key.key) == 1 else {
            throw source.refused("the private key does not belong to the certificate", .drain())
        }
        guard let chain = unsafe X509_chain_up_ref(certificates.list) else {
            throw source.outOfMemory
        }
        unsafe X509_free(copenssl_x509s_shift(chain))
        return unsafe KeyPair(certificates, key, chain)
    }

    deinit {
        unsafe copenssl_x509s_free(chain)
    }

    /// Whether a client that wants this name would take the certificate. One for "*.example.org" is for that name, too.
    func covers(_ name: [UInt8]) -> Bool {
        ERR_clear_error()
        defer { ERR_clear_error() }
        // As for OwnedSSL.setServerName (RFC 9525).
        let flags = UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS)
        return unsafe name.withUnsafeBytes {
            unsafe X509_check_host(leaf, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count, flags, nil) == 1
        }
    }

    /// Who has issued the first certificate; nil when that one is not in the chain.
    var issuer: OpaquePointer? {
        for index in 0..<max(0, unsafe copenssl_x509s_count(chain)) {
            let other = unsafe copenssl_x509s_at(chain, index)
            if unsafe X509_check_issued(other, leaf) == X509_V_OK { return unsafe other }
        }
        return nil
    }

    /// In place of the one of the same type of key. False when OpenSSL does not take it: nothing has changed then.
    func give(toContext ctx: OpaquePointer) -> Bool {
        unsafe SSL_CTX_use_cert_and_key(ctx, leaf, key.key, chain, 1) == 1
    }

    func give(to ssl: OpaquePointer) -> Bool {
        unsafe SSL_use_cert_and_key(ssl, leaf, key.key, chain, 1) == 1
    }
}

/// One pair for each type of key: the client's algorithms decide between them.
struct KeyPairs {
    private(set) var all: [KeyPair] = []

    /// Takes one in, in place of the one of the same type.
    mutating func put(_ pair: KeyPair) {
        remove(pair.key.type)
        all.append(pair)
    }

    mutating func remove(_ type: CInt) {
        all = all.filter { $0.key.type != type }
    }
}
