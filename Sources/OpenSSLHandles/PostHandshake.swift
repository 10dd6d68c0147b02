internal import COpenSSL

/// Client certificates in the middle of a connection of TLS 1.3 (RFC 8446, 4.6.2).
extension OwnedContext {
    /// Says whether a client lets itself be asked for its certificate at any time.
    package func setAuthenticatesLater(_ isOffered: Bool) {
        authenticatesLater = isOffered
        unsafe SSL_CTX_set_post_handshake_auth(ctx, isOffered ? 1 : 0)
    }
}

extension OwnedSSL {
    /// Schedules a CertificateRequest, which the next handshake step sends. False when the client has not offered to be asked,
    /// has one to answer already, or without memory.
    package borrowing func scheduleCertificateRequest() -> Bool {
        ERR_clear_error()
        defer { ERR_clear_error() }
        return unsafe SSL_verify_client_post_handshake(ssl) == 1
    }
}
