internal import COpenSSL

/// OpenSSL's words for the numbers in a failure; static.
package enum Words {
    package static func verifyResult(_ code: Int) -> UnsafePointer<CChar>? {
        unsafe X509_verify_cert_error_string(code)
    }

    package static func alert(_ code: UInt8) -> UnsafePointer<CChar>? {
        unsafe SSL_alert_desc_string_long(CInt(code))
    }

    package static var openSSLVersion: UnsafePointer<CChar>? { unsafe OpenSSL_version(OPENSSL_VERSION) }
}
