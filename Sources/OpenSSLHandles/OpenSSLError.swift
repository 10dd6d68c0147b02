internal import COpenSSL

/// What OpenSSL's error queue held, as a value.
package struct OpenSSLError: Error, Equatable {
    /// OpenSSL's packed code, 0 when the queue was empty.
    package let code: UInt

    package static let none = OpenSSLError(code: 0)
    static let outOfMemory = OpenSSLError(code: UInt(ERR_R_MALLOC_FAILURE))

    /// What a system call failed with.
    static func system(_ errno: CInt) -> OpenSSLError { OpenSSLError(code: copenssl_err_system(errno)) }

    package init(code: UInt) {
        self.code = code
    }

    /// Empties this thread's queue and keeps its first entry, which is the one nearest to the cause. Only that a certificate
    /// was not good counts more than what libcrypto said while it looked: that is in the result of verification; and that
    /// there was no memory counts more than what was not found without it.
    package static func drain() -> OpenSSLError {
        let last = OpenSSLError(code: ERR_peek_last_error())
        let first = OpenSSLError(code: ERR_get_error())
        var next = first
        while next != .none, !next.isOutOfMemory { next = OpenSSLError(code: ERR_get_error()) }
        ERR_clear_error()
        if next.isOutOfMemory { return next }
        return last.isSSL && last.reason == Reason.certificateVerifyFailed ? last : first
    }

    package var library: CInt { copenssl_err_library(code) }
    package var reason: CInt { copenssl_err_reason(code) }

    package var isOutOfMemory: Bool { reason == ERR_R_MALLOC_FAILURE }

    /// errno, when a system call failed; or 0.
    package var errno: CInt { copenssl_err_is_system(code) != 0 ? reason : 0 }

    /// No provider that is loaded has an algorithm.
    var isUnsupported: Bool {
        library == ERR_LIB_EVP && [CInt(ERR_R_UNSUPPORTED), EVP_R_UNSUPPORTED_ALGORITHM].contains(reason)
    }

    /// A key that is held elsewhere has not signed.
    package var isUnsigned: Bool { library == Unsigned.library }

    /// OpenSSL's words for it, or the system's; nil when it has none.
    @safe package var text: UnsafePointer<CChar>? {
        if copenssl_err_is_system(code) != 0 { return unsafe UnsafePointer(strerror(reason)) }
        return unsafe ERR_reason_error_string(code)
    }
}
