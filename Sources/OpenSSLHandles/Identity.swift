internal import COpenSSL

/// Our certificate with its chain, and our private key; each may come first.
@safe package struct Identity {
    var certificates: Certificates?
    var key: PrivateKey?

    package var isComplete: Bool { certificates != nil && key != nil }
}

/// Certificates in the order of a PEM text.
@safe final class Certificates {
    let list: OpaquePointer

    private init(_ list: OpaquePointer) {
        unsafe self.list = list
    }

    /// Reads every certificate of a PEM text, or refuses the whole.
    static func read(_ source: OpaquePointer) throws(SettingRefused) -> Certificates {
        guard let list = unsafe copenssl_x509s_new() else { throw SettingRefused("out of memory", .drain()) }
        let certificates = unsafe Certificates(list)  // owns the list from here on
        while let certificate = unsafe PEM_read_bio_X509_AUX(source, nil, refusePassword, nil) {
            guard unsafe copenssl_x509s_push(list, certificate) > 0 else {
                unsafe X509_free(certificate)
                throw SettingRefused("out of memory", .drain())
            }
        }
        let end = OpenSSLError(code: ERR_peek_last_error())
        guard unsafe copenssl_x509s_count(list) > 0 else {
            throw SettingRefused("there is no PEM certificate in it", .drain())
        }
        guard end.library == ERR_LIB_PEM, end.reason == PEM_R_NO_START_LINE else {
            throw SettingRefused("a certificate in it cannot be parsed", .drain())
        }
        ERR_clear_error()  // "no start line" is how the end of the text looks
        return certificates
    }

    deinit {
        unsafe copenssl_x509s_free(list)
    }
}

/// A certificate as DER.
func encoded(_ certificate: OpaquePointer?) -> [UInt8]? {
    let count = unsafe i2d_X509(certificate, nil)
    guard count > 0 else { return nil }
    var der = [UInt8](repeating: 0, count: Int(count))
    unsafe der.withUnsafeMutableBytes { target in
        var position = unsafe target.baseAddress?.assumingMemoryBound(to: UInt8.self)
        _ = unsafe i2d_X509(certificate, &position)
    }
    return der
}

@safe final class PrivateKey {
    let key: OpaquePointer

    private init(_ key: OpaquePointer) {
        unsafe self.key = key
    }

    static func read(_ source: OpaquePointer) throws(SettingRefused) -> PrivateKey {
        guard let key = unsafe PEM_read_bio_PrivateKey(source, nil, refusePassword, nil) else {
            throw SettingRefused("there is no unencrypted PEM private key in it", .drain())
        }
        return unsafe PrivateKey(key)
    }

    deinit {
        unsafe EVP_PKEY_free(key)
    }
}

/// OpenSSL would ask on the terminal.
private let refusePassword:
    @convention(c) (UnsafeMutablePointer<CChar>?, CInt, CInt, UnsafeMutableRawPointer?) -> CInt = { _, _, _, _ in -1 }

/// Who we are.
extension OwnedContext {
    package func setCertificate(_ source: borrowing PEMSource) throws(SettingRefused) {
        var changed = identity
        changed.certificates = try unsafe Certificates.read(source.bio)
        try use(changed)
    }

    package func setKey(_ source: borrowing PEMSource) throws(SettingRefused) {
        var changed = identity
        changed.key = try unsafe PrivateKey.read(source.bio)
        try use(changed)
    }

    /// Given to OpenSSL only when both are there, because OpenSSL would drop a key that does not match in silence.
    private func use(_ changed: Identity) throws(SettingRefused) {
        if let certificates = changed.certificates, let key = changed.key {
            guard let chain = unsafe X509_chain_up_ref(certificates.list) else {
                throw SettingRefused("out of memory", .drain())
            }
            defer { unsafe copenssl_x509s_free(chain) }
            let leaf = unsafe copenssl_x509s_shift(chain)
            defer { unsafe X509_free(leaf) }
            ERR_clear_error()
            guard unsafe X509_check_private_key(leaf, key.key) == 1 else {
                throw SettingRefused("the private key does not belong to the certificate", .drain())
            }
            guard unsafe SSL_CTX_use_cert_and_key(ctx, leaf, key.key, chain, 1) == 1 else {
                throw SettingRefused("OpenSSL does not take this certificate and key", .drain())
            }
        }
        identity = changed
    }
}

/// PEM text: a file, or memory that stays the caller's.
@safe @frozen @usableFromInline package struct PEMSource: ~Copyable {
    let bio: OpaquePointer

    package init(path: UnsafePointer<CChar>) throws(SettingRefused) {
        ERR_clear_error()
        guard let bio = unsafe BIO_new_file(path, "r") else {
            throw SettingRefused("the file cannot be opened", .drain())
        }
        unsafe self.bio = bio
    }

    package init(_ text: UnsafeRawBufferPointer) throws(SettingRefused) {
        ERR_clear_error()
        guard let length = CInt(exactly: text.count), length > 0,
            let bio = unsafe BIO_new_mem_buf(text.baseAddress, length)
        else { throw SettingRefused("the text is empty, or larger than OpenSSL takes", .drain()) }
        unsafe self.bio = bio
    }

    @inlinable deinit {
        release()
    }

    @usableFromInline borrowing func release() {
        unsafe BIO_free(bio)
    }
}
