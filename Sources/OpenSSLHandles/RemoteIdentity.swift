internal import COpenSSL

/// Certificates whose keys are held elsewhere: signatures are asked of the program.
extension OwnedContext {
    /// Has it asked for the signatures of certificates that have no key, or not.
    package func askForSignatures(_ asks: Bool) throws(SettingRefused) {
        guard asks || !identity.needsSigner else {
            throw SettingRefused("there is a certificate without a key, for which nobody would sign")
        }
        if asks, let certificates = identity.certificates, identity.key == nil {
            try adopt(certificates)
        }
        asksForSignatures = asks
    }

    /// A certificate that was set before it was known who signs for it.
    private func adopt(_ certificates: Certificates) throws(SettingRefused) {
        guard let der = unsafe encoded(copenssl_x509s_at(certificates.list, 0)) else {
            throw unsafe SettingRefused.outOfMemory()
        }
        try unsafe der.withUnsafeBufferPointer { bytes throws(SettingRefused) in
            let source = try unsafe PEMSource(UnsafeRawBufferPointer(bytes))
            try setPair(certificates, .remote(for: certificates, source), source)
        }
    }

    /// As `addPair`, of a certificate whose key is held elsewhere.
    package func addRemote(
        for name: UnsafePointer<CChar>?, _ certificate: borrowing PEMSource
    ) throws(SettingRefused) {
        let certificates = try Certificates.read(certificate)
        let pair = try KeyPair.make(certificates, .remote(for: certificates, certificate), certificate)
        try unsafe add(pair, for: name, certificate, certificate)
        identity.needsSigner = true
    }
}

extension PrivateKey {
    /// A key of the certificate's which only passes for a private one.
    static func remote(
        for certificates: Certificates, _ source: borrowing PEMSource
    ) throws(SettingRefused) -> PrivateKey {
        ERR_clear_error()
        let leaf = unsafe copenssl_x509s_at(certificates.list, 0)
        guard let key = unsafe X509_get0_pubkey(leaf) else {
            throw source.refused("the certificate's public key cannot be read", .drain())
        }
        guard let type = unsafe RemoteKeyType(of: key) else {
            throw source.refused("signatures by this type of key cannot be asked for: RSA, EC, Ed25519 and Ed448 can")
        }
        var parts: UnsafeMutablePointer<OSSL_PARAM>?
        defer { unsafe OSSL_PARAM_free(parts) }
        guard let library = unsafe SigningProvider.library, var name = unsafe pin(of: leaf),
            unsafe EVP_PKEY_todata(key, copenssl_public_key(), &parts) == 1, let parts = unsafe parts,
            let remote = unsafe name.withUnsafeMutableBytes({ name in
                var all: [OSSL_PARAM] = unsafe [
                    OSSL_PARAM_construct_octet_string(cString(RemoteKey.nameParameter), name.baseAddress, name.count)
                ]
                var at = 0
                while unsafe parts[at].key != nil {
                    unsafe all.append(parts[at])
                    at &+= 1
                }
                unsafe all.append(copenssl_param_end())
                return unsafe makeKey(type, in: library, copenssl_key_pair(), all)
            })
        else { throw source.refused("OpenSSL makes no key of it that is held elsewhere", .drain()) }
        ERR_clear_error()
        return unsafe PrivateKey(remote, isRemote: true)
    }
}
