internal import COpenSSL

/// Certificate, key and chain in one file (RFC 7292).
extension OwnedContext {
    /// Without a password the program is asked for one, if it can be; else there is none.
    package func setPKCS12(_ source: borrowing PEMSource, password: UnsafePointer<CChar>?) throws(SettingRefused) {
        ERR_clear_error()
        guard let file = unsafe whole(source.bytes, { unsafe d2i_PKCS12(nil, &$0, $1) }, { unsafe PKCS12_free($0) })
        else { throw source.refused("it is no PKCS#12", .drain()) }
        defer { unsafe PKCS12_free(file) }
        let (certificates, key): (Certificates, PrivateKey)
        if unsafe password == nil, unsafe askPassword != nil {
            let asked = try self.password(for: source)
            (certificates, key) = try unsafe read(file, asked.text, source)
        } else {
            (certificates, key) = try unsafe read(file, password, source)
        }
        try setPair(certificates, key, source)
    }

    private func read(
        _ file: OpaquePointer, _ password: UnsafePointer<CChar>?, _ source: borrowing PEMSource
    ) throws(SettingRefused) -> (Certificates, PrivateKey) {
        var (key, leaf, chain): (OpaquePointer?, OpaquePointer?, OpaquePointer?)
        ERR_clear_error()
        guard unsafe PKCS12_parse(file, password, &key, &leaf, &chain) == 1 else {
            let isBare = unsafe password == nil || password?.pointee == 0
            throw source.refusedDecryption(isBare ? "it needs a password" : "the password is wrong")
        }
        // All three are ours now. A certificate comes apart from the others only if it is the key's.
        let (owned, list) = unsafe (key.map { unsafe PrivateKey($0) }, chain ?? copenssl_x509s_new())
        guard let list = unsafe list else {
            unsafe X509_free(leaf)
            throw source.outOfMemory
        }
        let certificates = unsafe Certificates(list)
        guard let owned else { throw source.refused("there is no private key in it") }
        guard let leaf = unsafe leaf else { throw source.refused("there is no certificate for the private key in it") }
        guard unsafe copenssl_x509s_unshift(list, leaf) > 0 else {
            unsafe X509_free(leaf)
            throw source.outOfMemory
        }
        guard unsafe isComplete(key: owned.key), unsafe isComplete(key: X509_get0_pubkey(leaf)) else {
            ERR_clear_error()
            throw source.outOfMemory
        }
        ERR_clear_error()
        return (certificates, owned)
    }
}
