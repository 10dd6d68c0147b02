internal import COpenSSL

/// Which certificates of a chain must not be on a certificate revocation list (CRL). Each of them needs a list of its
/// issuer's then.
package enum RevocationCheck: UInt8 {
    case none, leaf, chain
}

/// Certificates that were taken back.
extension OwnedContext {
    /// Adds the lists in a source, all or none. With the first every chain is checked, unless `setRevocationCheck`
    /// chooses something else.
    package func addRevocations(_ source: borrowing PEMSource) throws(SettingRefused) {
        let lists = try RevocationList.read(source)
        let areTaken = withExtendedLifetime(lists) {
            unsafe fillStore(lists.map { unsafe $0.crl }, X509_STORE_add_crl, X509_OBJECT_get0_X509_CRL)
        }
        guard areTaken else {
            throw SettingRefused("OpenSSL does not take a revocation list in it", .drain())
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

    /// Reads every list of a source, or refuses the whole.
    static func read(_ source: borrowing PEMSource) throws(SettingRefused) -> [RevocationList] {
        var lists: [RevocationList] = []
        try unsafe source.readAll(.revocationList) { position, count in
            guard let crl = unsafe d2i_X509_CRL(nil, &position, count) else { return false }
            lists.append(unsafe RevocationList(crl))
            return true
        }
        return lists
    }
}
