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
    let value = unsafe call(ssl)
    if value > 0 { return .done(Int(value)) }
    switch unsafe SSL_get_error(ssl, value) {
    case SSL_ERROR_WANT_READ:
        return .wantsCiphertext
    case SSL_ERROR_ZERO_RETURN:
        return .closeNotify
    case SSL_ERROR_WANT_ASYNC:
        guard let question = unsafe inquiry(of: ssl)?.question else { return .failed(.drain()) }
        return .asks(question)
    case SSL_ERROR_WANT_ASYNC_JOB:
        return .failed(.outOfMemory)
    default:
        unsafe restoreFinding(of: ssl)
        return .failed(.drain())
    }
}
