internal import COpenSSL

/// Which certificates of a chain must not be on a certificate revocation list (CRL). Each of them needs a list of its
/// issuer's then.
package enum RevocationCheck: UInt8 {
    case none, leaf, chain
}

/// Certificates that were taken back.
extension OwnedContext {
    /// Adds the lists in a PEM text, or the one in DER. With the first every chain is checked, unless `setRevocationCheck`
    /// chooses something else.
    package func addRevocations(_ source: borrowing PEMSource) throws(SettingRefused) {
        let lists = try unsafe RevocationList.read(source.bio)
        let store = unsafe SSL_CTX_get_cert_store(ctx)
        for list in lists {
            guard unsafe X509_STORE_add_crl(store, list.crl) == 1 else {
                throw SettingRefused("OpenSSL does not take a revocation list in it", .drain())
            }
        }
        trust.hasRevocationLists = true
        applyRevocation()
    }

    package func setRevocationCheck(_ check: RevocationCheck) {
        trust.revocation = check
        applyRevocation()
    }

    private func applyRevocation() {
        let parameters = unsafe SSL_CTX_get0_param(ctx)
        let (leaf, chain) = (UInt(X509_V_FLAG_CRL_CHECK), UInt(X509_V_FLAG_CRL_CHECK_ALL))
        _ = unsafe X509_VERIFY_PARAM_clear_flags(parameters, leaf | chain)
        switch trust.revocation ?? (trust.hasRevocationLists ? .chain : .none) {
        case .none: break
        case .leaf: _ = unsafe X509_VERIFY_PARAM_set_flags(parameters, leaf)
        case .chain: _ = unsafe X509_VERIFY_PARAM_set_flags(parameters, leaf | chain)
        }
    }
}

@safe private final class RevocationList {
    let crl: OpaquePointer

    private init(_ crl: OpaquePointer) {
        unsafe self.crl = crl
    }

    deinit {
        unsafe X509_CRL_free(crl)
    }

    /// Reads every list of a PEM text, or one in DER; or refuses the whole.
    static func read(_ source: OpaquePointer) throws(SettingRefused) -> [RevocationList] {
        var lists: [RevocationList] = []
        while let crl = unsafe PEM_read_bio_X509_CRL(source, nil, nil, nil) {
            lists.append(unsafe RevocationList(crl))
        }
        let end = OpenSSLError(code: ERR_peek_last_error())
        guard end.library == ERR_LIB_PEM, end.reason == PEM_R_NO_START_LINE else {
            throw SettingRefused("a revocation list in it cannot be parsed", .drain())
        }
        ERR_clear_error()  // "no start line" is how the end of the text looks
        if lists.isEmpty { lists.append(try unsafe readDER(source)) }
        return lists
    }

    private static func readDER(_ source: OpaquePointer) throws(SettingRefused) -> RevocationList {
        unsafe copenssl_reset(source)
        guard let crl = unsafe d2i_X509_CRL_bio(source, nil) else {
            let cause = OpenSSLError.drain()
            throw SettingRefused("there is no revocation list in it", cause.isOutOfMemory ? cause : .none)
        }
        let list = unsafe RevocationList(crl)
        var beyond: UInt8 = 0
        guard unsafe BIO_read(source, &beyond, 1) <= 0 else {
            throw SettingRefused("there is more than a revocation list in it")
        }
        return list
    }
}
