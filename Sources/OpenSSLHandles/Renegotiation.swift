internal import COpenSSL

/// How often the handshake of TLS 1.2 may be repeated.
package enum Renegotiation {
    case never, always, once
}

extension OwnedContext {
    package var allowsRenegotiation: Bool { renegotiation != .never }

    package func setRenegotiation(_ renegotiation: Renegotiation) {
        self.renegotiation = renegotiation
        if allowsRenegotiation {
            _ = unsafe SSL_CTX_clear_options(ctx, copenssl_op_no_renegotiation())
            _ = unsafe SSL_CTX_set_options(ctx, copenssl_op_client_renegotiation())
        } else {
            _ = unsafe SSL_CTX_clear_options(ctx, copenssl_op_client_renegotiation())
            _ = unsafe SSL_CTX_set_options(ctx, copenssl_op_no_renegotiation())
        }
    }
}

/// The same of one connection, which begins with what its context says.
extension OwnedSSL {
    /// Not if it was refused meanwhile, nor with a peer that does not tie the new handshake to the old one (RFC 5746): OpenSSL
    /// would end the connection.
    package var mayRenegotiate: Bool {
        unsafe SSL_get_options(ssl) & copenssl_op_no_renegotiation() == 0
            && copenssl_has_secure_renegotiation(ssl) == 1
    }

    /// Refuses each that begins from now on; one that is under way goes on.
    package borrowing func refuseRenegotiation() {
        _ = unsafe SSL_set_options(ssl, copenssl_op_no_renegotiation())
    }

    /// Schedules one; the next read sends it.
    package borrowing func scheduleRenegotiation() -> Bool {
        ERR_clear_error()
        defer { ERR_clear_error() }
        return unsafe SSL_renegotiate(ssl) == 1
    }

    /// One was asked for and has not finished. A server's may never: the client need not answer.
    package var isRenegotiationPending: Bool { unsafe SSL_renegotiate_pending(ssl) == 1 }
}
