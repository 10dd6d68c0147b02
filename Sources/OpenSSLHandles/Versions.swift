internal import COpenSSL

/// Which versions of the protocol are spoken.
extension OwnedContext {
    package func setMinimumVersion(_ version: CInt) throws(SettingRefused) {
        guard version <= versions.upperBound else {
            throw SettingRefused("the oldest version would be newer than the newest")
        }
        try expectCiphers(for: version...versions.upperBound)
        ERR_clear_error()
        guard unsafe copenssl_ctx_set_min(ctx, version) == 1 else {
            throw SettingRefused("OpenSSL does not speak this version", .drain())
        }
        versions = version...versions.upperBound
    }

    package func setMaximumVersion(_ version: CInt) throws(SettingRefused) {
        guard version >= versions.lowerBound else {
            throw SettingRefused("the newest version would be older than the oldest")
        }
        try expectCiphers(for: versions.lowerBound...version)
        ERR_clear_error()
        guard unsafe copenssl_ctx_set_max(ctx, version) == 1 else {
            throw SettingRefused("OpenSSL does not speak this version", .drain())
        }
        versions = versions.lowerBound...version
    }

    package func speaks(_ version: CInt) -> Bool { versions.contains(version) }

    /// Ciphers that the program has named would count for nothing, and others be used, where none is for these versions.
    private func expectCiphers(for versions: ClosedRange<CInt>) throws(SettingRefused) {
        if let named = versionsOfCiphers, !named.overlaps(versions) {
            throw SettingRefused("the ciphers that were set are for none of the versions that would be spoken")
        }
    }
}
