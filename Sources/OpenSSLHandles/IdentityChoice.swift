internal import COpenSSL

/// Which pairs a handshake has, where OpenSSL cannot tell: for the name that the client asks for, and without the one that
/// it would keep when a pair of another type has replaced it. Other contexts' handshakes ask nobody.
extension OwnedContext {
    func chooseByHand() {
        unsafe SSL_CTX_set_cert_cb(ctx, givePairs, nil)
    }

    /// Whether a client that asks for a name which has no pairs is refused; or else has the pairs for no name.
    package func setRefusesOtherNames(_ refuses: Bool) {
        identity.refusesOtherNames = refuses
    }
}

/// What the client asks for by SNI, in lower case.
private func nameAsked(_ ssl: OpaquePointer) -> [UInt8]? {
    guard let name = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else { return nil }
    return unsafe lowerCase(UnsafeRawBufferPointer(start: name, count: strlen(name)))
}

private let givePairs: @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> CInt = { ssl, _ in
    guard let ssl = unsafe ssl, let identity = unsafe context(of: ssl)?.identity else { return 1 }
    let named = unsafe nameAsked(ssl).flatMap { identity.names.pairs(for: $0) }
    unsafe SSL_certs_clear(ssl)
    for pair in (named ?? identity.pairs).all where unsafe !pair.give(to: ssl) { return 0 }
    return 1
}

/// A name that has no pairs is refused, or else passed over (RFC 6066, 3). Every other one is acknowledged: OpenSSL keeps only
/// such a name in the session, and knows none when TLS 1.2 resumes another.
let acknowledgeName: @convention(c) (OpaquePointer?, UnsafeMutablePointer<CInt>?, UnsafeMutableRawPointer?) -> CInt = {
    ssl, alert, _ in
    guard let ssl = unsafe ssl, let identity = unsafe context(of: ssl)?.identity else { return SSL_TLSEXT_ERR_NOACK }
    let name = unsafe nameAsked(ssl)
    let hasPairs = name.map { identity.names.pairs(for: $0) != nil } ?? false
    let onlyHasNames = identity.pairs.all.isEmpty && !identity.names.isEmpty
    if !hasPairs, onlyHasNames || (name != nil && identity.refusesOtherNames) {
        unsafe alert?.pointee = SSL_AD_UNRECOGNIZED_NAME
        return SSL_TLSEXT_ERR_ALERT_FATAL
    }
    return name == nil ? SSL_TLSEXT_ERR_NOACK : SSL_TLSEXT_ERR_OK
}
