internal import COpenSSL

/// Groups for the key exchange, and signature algorithms.
extension OwnedContext {
    package func setGroups(_ list: UnsafePointer<CChar>) throws(SettingRefused) {
        try unsafe setList(list, ifUnknown: "OpenSSL knows no group of this name") { ctx, list in
            unsafe use(groups: list, in: ctx)
        }
    }

    private func use(groups list: UnsafePointer<CChar>, in target: OpaquePointer) -> CInt {
        let result = unsafe copenssl_ctx_set_groups(target, list)
        if unsafe target == ctx, result == 1 {
            groups = unsafe Array(UnsafeBufferPointer(start: list, count: strlen(list) &+ 1))
        }
        return result
    }

    /// What we sign with, and what the peer may: OpenSSL takes the one list for both, as long as it has no other for clients.
    package func setSignatureAlgorithms(_ list: UnsafePointer<CChar>) throws(SettingRefused) {
        try unsafe setList(list, ifUnknown: "OpenSSL knows no signature algorithm of this name") { ctx, list in
            unsafe copenssl_ctx_set_signature_algorithms(ctx, list)
        }
        signatureAlgorithms = unsafe [UInt8](UnsafeRawBufferPointer(start: list, count: strlen(list)))
    }

    /// Sets the first of these lists that OpenSSL takes; false when it takes none.
    ///
    /// OpenSSL 3.5 brought the first group; from then on a client sends a share for each that is marked with a star, and a
    /// server asks for a better one, by a second ClientHello, when there is a slash between them. The last list is for
    /// systems where nothing is allowed but what FIPS 140 knows.
    func setUsualGroups() -> Bool {
        let lists: [StaticString] = ["*X25519MLKEM768/*X25519:P-256:P-384", "X25519:P-256:P-384", "P-256:P-384"]
        for list in lists {
            ERR_clear_error()
            if let list = unsafe cString(list), unsafe use(groups: list, in: ctx) == 1 { return true }
        }
        return false
    }
}
