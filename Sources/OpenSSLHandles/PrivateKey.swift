internal import COpenSSL

/// A private key: PKCS#8, PKCS#1 or SEC 1, in PEM or DER, encrypted or not.
@safe final class PrivateKey {
    let key: OpaquePointer
    /// Somebody else has the private part.
    let isRemote: Bool

    /// The key moves into it.
    init(_ key: OpaquePointer, isRemote: Bool = false) {
        unsafe self.key = key
        self.isRemote = isRemote
    }

    /// The key moves into it, or is freed. Refuses one that OpenSSL has read without the memory to read it whole.
    convenience init(whole key: OpaquePointer, _ source: borrowing PEMSource) throws(SettingRefused) {
        guard unsafe isComplete(key: key) else {
            unsafe EVP_PKEY_free(key)
            ERR_clear_error()
            throw source.outOfMemory
        }
        unsafe self.init(key)
    }

    deinit {
        unsafe EVP_PKEY_free(key)
    }

    /// RSA, elliptic curve, Ed25519...: OpenSSL has room for one pair of each.
    var type: CInt { unsafe EVP_PKEY_get_base_id(key) }

    /// Reads the first private key of a source. `context` knows who has the password.
    static func read(_ source: borrowing PEMSource, for context: OwnedContext) throws(SettingRefused) -> PrivateKey {
        ERR_clear_error()
        guard source.isPEM else {
            return try unsafe read(source.bytes, source, context, otherwise: "there is no private key in it")
        }
        while var block = unsafe PEMBlock.next(source.bio) {
            if block.isPrivateKey { return try read(&block, source, context) }
        }
        let end = OpenSSLError.drain()
        guard end.library == ERR_LIB_PEM, end.reason == PEM_R_NO_START_LINE else {
            throw source.refused("it is cut short, or damaged", end)
        }
        throw source.refused("there is no private key in it")
    }

    private static func read(
        _ block: inout PEMBlock, _ source: borrowing PEMSource, _ context: OwnedContext
    ) throws(SettingRefused) -> PrivateKey {
        guard let encryption = unsafe block.encryption else {
            throw source.refused("how the private key in it is encrypted cannot be understood", .drain())
        }
        if unsafe encryption.cipher == nil {
            return try unsafe read(
                block.bytes, source, context, otherwise: "the private key in it cannot be parsed")
        }
        let password = try context.password(for: source)
        guard unsafe block.decrypt(encryption, password), let key = try unsafe plain(block.bytes, source) else {
            throw source.refusedDecryption()
        }
        return key
    }

    private static func read(
        _ der: UnsafeRawBufferPointer, _ source: borrowing PEMSource, _ context: OwnedContext,
        otherwise sentence: StaticString
    ) throws(SettingRefused) -> PrivateKey {
        if let encrypted = unsafe whole(der, { unsafe d2i_X509_SIG(nil, &$0, $1) }, { unsafe X509_SIG_free($0) }) {
            defer { unsafe X509_SIG_free(encrypted) }
            return try unsafe decrypted(encrypted, context.password(for: source), source)
        }
        ERR_clear_error()
        guard let key = try unsafe plain(der, source) else { throw source.refused(sentence, .drain()) }
        return key
    }

    private static func plain(
        _ der: UnsafeRawBufferPointer, _ source: borrowing PEMSource
    ) throws(SettingRefused) -> PrivateKey? {
        let key = unsafe whole(der, { unsafe d2i_AutoPrivateKey(nil, &$0, $1) }, { unsafe EVP_PKEY_free($0) })
        guard let key = unsafe key else { return nil }
        ERR_clear_error()  // in which OpenSSL leaves what it has tried
        return try unsafe PrivateKey(whole: key, source)
    }

    /// An EncryptedPrivateKeyInfo (RFC 5958, 3).
    private static func decrypted(
        _ encrypted: OpaquePointer, _ password: consuming Password, _ source: borrowing PEMSource
    ) throws(SettingRefused) -> PrivateKey {
        ERR_clear_error()
        guard let info = unsafe PKCS8_decrypt(encrypted, password.text, CInt(clamping: password.count)) else {
            throw source.refusedDecryption()
        }
        defer { unsafe PKCS8_PRIV_KEY_INFO_free(info) }
        guard let key = unsafe EVP_PKCS82PKEY(info) else {
            throw source.refused("the private key in it cannot be parsed", .drain())
        }
        return try unsafe PrivateKey(whole: key, source)
    }
}
