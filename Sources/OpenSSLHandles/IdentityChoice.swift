internal import COpenSSL

/// Which pairs a handshake has, where OpenSSL cannot tell: those for the name that the client asks for, and never the one
/// that OpenSSL would keep when a pair of another type has replaced it. Other contexts' handshakes ask nobody.
extension OwnedContext {
    func chooseByHand() {
        unsafe SSL_CTX_set_cert_cb(ctx, givePairs, nil)
        if role == .server { unsafe copenssl_ctx_set_servername_callback(ctx, acknowledgeOrRefuse) }
    }

    /// Those for the name that a client asks for, or for none.
    func pairs(for ssl: OpaquePointer) -> KeyPairs {
        unsafe nameAsked(ssl).flatMap { identity.names.pairs(for: $0) } ?? identity.pairs
    }

    /// Whether a client that asks for a name which has no pairs is refused; or else has the pairs for no name.
    package func setRefusesOtherNames(_ refuses: Bool) {
        if refuses { chooseByHand() }
        identity.refusesOtherNames = refuses
    }
}

/// What the client asks for by SNI, in lower case.
private func nameAsked(_ ssl: OpaquePointer) -> [UInt8]? {
    guard let name = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else { return nil }
    return unsafe lowerCase(UnsafeRawBufferPointer(start: name, count: strlen(name)))
}

private let givePairs: @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> CInt = { ssl, _ in
    guard let ssl = unsafe ssl, let owner = unsafe context(of: ssl) else { return 1 }
    if owner.asksAboutCertificates { return unsafe chooseCertificate(ssl) ? 1 : 0 }
    let pairs = unsafe owner.pairs(for: ssl)
    unsafe SSL_certs_clear(ssl)
    for pair in pairs.all where unsafe !pair.give(to: ssl) { return 0 }
    return 1
}

/// Every name is acknowledged: one that is not is no part of the session, and so unknown when TLS 1.2 resumes it.
let acknowledge: @convention(c) (OpaquePointer?, UnsafeMutablePointer<CInt>?, UnsafeMutableRawPointer?) -> CInt = {
    ssl, _, _ in
    unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) == nil ? SSL_TLSEXT_ERR_NOACK : SSL_TLSEXT_ERR_OK
}

/// The same, but a name that has no pairs is refused (RFC 6066, 3), if that was set, or if there are none for others at all.
private let acknowledgeOrRefuse:
    @convention(c) (OpaquePointer?, UnsafeMutablePointer<CInt>?, UnsafeMutableRawPointer?) -> CInt = { ssl, alert, _ in
        guard let ssl = unsafe ssl, let identity = unsafe context(of: ssl)?.identity else {
            return SSL_TLSEXT_ERR_NOACK
        }
        let name = unsafe nameAsked(ssl)
        let hasPairs = name.map { identity.names.pairs(for: $0) != nil } ?? false
        guard !hasPairs, identity.pairs.all.isEmpty || (name != nil && identity.refusesOtherNames) else {
            return unsafe acknowledge(ssl, alert, nil)
        }
        unsafe alert?.pointee = SSL_AD_UNRECOGNIZED_NAME
        return SSL_TLSEXT_ERR_ALERT_FATAL
    }
