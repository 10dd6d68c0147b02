internal import COpenSSL

/// What one call into OpenSSL came to: the only translation of `SSL_get_error`.
package enum SSLResult {
    /// It succeeded; for reads and writes with so many bytes of plaintext.
    case done(Int)
    /// It cannot go on before more ciphertext was fed.
    case wantsCiphertext
    /// The peer's close_notify came.
    case closeNotify
    /// It stands still for a question.
    case asks(Question)
    case failed(OpenSSLError)
}

/// Clears the queue, calls, translates, drains: a stale entry would make `SSL_get_error` lie (openssl#11889).
func result(_ ssl: OpaquePointer, _ call: (OpaquePointer) -> CInt) -> SSLResult {
    if ERR_peek_error() != 0 { ERR_clear_error() }  // looking costs a fraction of clearing
    return unsafe translate(ssl, call(ssl))
}

/// What a call has returned.
private func translate(_ ssl: OpaquePointer, _ value: CInt) -> SSLResult {
    if value > 0 { return .done(Int(value)) }
    switch unsafe SSL_get_error(ssl, value) {
    case SSL_ERROR_WANT_READ: return .wantsCiphertext
    case SSL_ERROR_ZERO_RETURN: return .closeNotify
    default:
        unsafe restoreFinding(of: ssl)
        return .failed(.drain())
    }
}

/// The same for a call that may stand still for a question.
func result(_ ssl: OpaquePointer, _ inquiry: Inquiry, _ call: @escaping (OpaquePointer) -> CInt) -> SSLResult {
    ERR_clear_error()
    switch inquiry.perform({ unsafe call(ssl) }) {
    case .returned(let value): return unsafe translate(ssl, value)
    case .asks(let question): return .asks(question)
    case .outOfMemory: return .failed(.outOfMemory)
    }
}
