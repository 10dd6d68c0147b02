internal import COpenSSL

/// OpenSSL's words for the numbers in a failure; static.
package enum Words {
    package static func verifyResult(_ code: Int) -> UnsafePointer<CChar>? {
        unsafe X509_verify_cert_error_string(code)
    }

    /// OpenSSL 3.0 calls the newest alerts "unknown".
    package static func alert(_ code: UInt8) -> UnsafePointer<CChar>? {
        let newer: StaticString
        switch CInt(code) {
        case SSL_AD_CERTIFICATE_REQUIRED: newer = "certificate required"
        default: return unsafe SSL_alert_desc_string_long(CInt(code))
        }
        return unsafe UnsafeRawPointer(newer.utf8Start).assumingMemoryBound(to: CChar.self)
    }

    package static var openSSLVersion: UnsafePointer<CChar>? { unsafe OpenSSL_version(OPENSSL_VERSION) }
}
