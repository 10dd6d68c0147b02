internal import COpenSSL

/// What a client comes back to a server with: OpenSSL's session, the certificates that came behind the server's own, which
/// OpenSSL does not write down with it, and the name that the server had.
///
/// It never changes, so any thread may use it: OpenSSL writes into the session of a connection, which therefore has a
/// copy of its own.
@safe package final class Session {
    let session: OpaquePointer
    /// For verifying the server's certificate, which is in the session.
    let chain: OpaquePointer
    /// The host in lower case, or the address; empty when the connection had no name to verify.
    package let name: [UInt8]

    /// Both references move into it.
    init(_ session: OpaquePointer, _ chain: OpaquePointer, _ name: [UInt8]) {
        unsafe self.session = session
        unsafe self.chain = chain
        self.name = name
    }

    deinit {
        unsafe SSL_SESSION_free(session)  // clears the secret
        unsafe copenssl_x509s_free(chain)
    }

    /// Copies a session, and refers to a chain once more. Nil without memory.
    static func copy(_ session: OpaquePointer, _ chain: OpaquePointer, _ name: [UInt8]) -> Session? {
        ERR_clear_error()
        defer { ERR_clear_error() }
        guard let session = unsafe SSL_SESSION_dup(session) else { return nil }
        guard let chain = unsafe X509_chain_up_ref(chain) else {
            unsafe SSL_SESSION_free(session)
            return nil
        }
        return unsafe Session(session, chain, name)
    }

    package var protocolVersion: CInt { unsafe SSL_SESSION_get_protocol_version(session) }

    var isTLS13: Bool { protocolVersion == TLS1_3_VERSION }

    var cipher: OpaquePointer? { unsafe SSL_SESSION_get0_cipher(session) }

    /// The moment, in seconds since 1970, from which on no server takes it. What the server said of it counts, in TLS 1.3
    /// for a week at most (RFC 8446, 4.6.1); in TLS 1.2 a server may say nothing (RFC 5077, 3.3), and then what is usual.
    package var expires: Int {
        let said = Int(clamping: unsafe SSL_SESSION_get_ticket_lifetime_hint(session))
        let lifetime = isTLS13 ? min(said, 604_800) : said > 0 ? said : unsafe SSL_SESSION_get_timeout(session)
        let (moment, overflows) = unsafe SSL_SESSION_get_time(session).addingReportingOverflow(lifetime)
        return overflows ? .max : moment
    }

    package var hasExpired: Bool { time(nil) >= expires }
}
