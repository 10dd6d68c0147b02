internal import COpenSSL

/// Which pairs a handshake has, where OpenSSL cannot tell: for the name that the client asks for, and without the one that
/// it would keep when a pair of another type has replaced it. Other contexts' handshakes ask nobody.
extension OwnedContext {
    func chooseByHand() throws(SettingRefused) {
        ERR_clear_error()
        guard setOwner(self) else { throw SettingRefused("out of memory", .drain()) }
        unsafe SSL_CTX_set_cert_cb(ctx, givePairs, nil)
        if role == .server { unsafe copenssl_ctx_set_sni_cb(ctx, acknowledgeName) }
    }

    /// Whether a client that asks for a name which has no pairs is refused; or else has the pairs for no name.
    package func setRefusesOtherNames(_ refuses: Bool) throws(SettingRefused) {
        if refuses { try chooseByHand() }
        identity.refusesOtherNames = refuses
    }
}

/// What the client asks for by SNI, in lower case.
private func nameAsked(_ ssl: OpaquePointer) -> [UInt8]? {
    guard let name = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else { return nil }
    return unsafe lowerCase(UnsafeRawBufferPointer(start: name, count: strlen(name)))
}

private let givePairs: @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> CInt = { ssl, _ in
    guard let ssl = unsafe ssl, let identity = unsafe owner(of: ssl)?.identity else { return 1 }
    let named = unsafe nameAsked(ssl).flatMap { identity.names.pairs(for: $0) }
    unsafe SSL_certs_clear(ssl)
    for pair in (named ?? identity.pairs).all where unsafe !pair.give(to: ssl) { return 0 }
    return 1
}

/// A name that decides is acknowledged; one that nobody knows is refused, or else passed over (RFC 6066, 3).
private let acknowledgeName:
    @convention(c) (OpaquePointer?, UnsafeMutablePointer<CInt>?, UnsafeMutableRawPointer?) -> CInt = { ssl, alert, _ in
        guard let ssl = unsafe ssl, let identity = unsafe owner(of: ssl)?.identity else { return SSL_TLSEXT_ERR_NOACK }
        let name = unsafe nameAsked(ssl)
        if let name, identity.names.pairs(for: name) != nil { return SSL_TLSEXT_ERR_OK }
        guard identity.pairs.all.isEmpty || (name != nil && identity.refusesOtherNames) else {
            return SSL_TLSEXT_ERR_NOACK
        }
        unsafe alert?.pointee = SSL_AD_UNRECOGNIZED_NAME
        return SSL_TLSEXT_ERR_ALERT_FATAL
    }
