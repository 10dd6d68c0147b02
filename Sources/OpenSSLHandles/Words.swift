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
        return unsafe cString(newer)
    }

    /// By RFC 8446, B.1.
    package static func contentType(_ type: CInt) -> UnsafePointer<CChar>? {
        switch type {
        case SSL3_RT_CHANGE_CIPHER_SPEC: unsafe cString("change_cipher_spec")
        case SSL3_RT_ALERT: unsafe cString("alert")
        case SSL3_RT_HANDSHAKE: unsafe cString("handshake")
        case SSL3_RT_APPLICATION_DATA: unsafe cString("application_data")
        default: unsafe cString("unknown")
        }
    }

    /// By the structs of RFC 8446, 4, RFC 5246, 7.4 and their extensions.
    package static func handshakeType(_ type: UInt8) -> UnsafePointer<CChar>? {
        switch CInt(type) {
        case SSL3_MT_HELLO_REQUEST: unsafe cString("HelloRequest")
        case SSL3_MT_CLIENT_HELLO: unsafe cString("ClientHello")
        case SSL3_MT_SERVER_HELLO: unsafe cString("ServerHello")
        case SSL3_MT_NEWSESSION_TICKET: unsafe cString("NewSessionTicket")
        case SSL3_MT_END_OF_EARLY_DATA: unsafe cString("EndOfEarlyData")
        case SSL3_MT_ENCRYPTED_EXTENSIONS: unsafe cString("EncryptedExtensions")
        case SSL3_MT_CERTIFICATE: unsafe cString("Certificate")
        case SSL3_MT_SERVER_KEY_EXCHANGE: unsafe cString("ServerKeyExchange")
        case SSL3_MT_CERTIFICATE_REQUEST: unsafe cString("CertificateRequest")
        case SSL3_MT_SERVER_DONE: unsafe cString("ServerHelloDone")
        case SSL3_MT_CERTIFICATE_VERIFY: unsafe cString("CertificateVerify")
        case SSL3_MT_CLIENT_KEY_EXCHANGE: unsafe cString("ClientKeyExchange")
        case SSL3_MT_FINISHED: unsafe cString("Finished")
        case SSL3_MT_CERTIFICATE_STATUS: unsafe cString("CertificateStatus")
        case SSL3_MT_KEY_UPDATE: unsafe cString("KeyUpdate")
        case 25: unsafe cString("CompressedCertificate")  // RFC 8879, 4; from OpenSSL 3.2 on, whose headers 3.0 has not
        default: unsafe cString("unknown")
        }
    }

    package static var openSSLVersion: UnsafePointer<CChar>? { unsafe OpenSSL_version(OPENSSL_VERSION) }
}

/// Literals end with a NUL.
func cString(_ text: StaticString) -> UnsafePointer<CChar>? {
    guard text.hasPointerRepresentation else { return nil }
    return unsafe UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
}

/// Literals and numbers as OpenSSL takes them. Not by way of String, which would bring its Unicode, and its traps, into the
/// library.
extension [CChar] {
    init(_ text: StaticString) {
        self = unsafe text.bytes.map { CChar(bitPattern: $0) }
    }

    package init(decimal number: Int) {
        var (digits, rest): ([CChar], UInt) = ([], number.magnitude)
        repeat {
            digits.insert(CChar(truncatingIfNeeded: 48 &+ rest % 10), at: 0)
            rest /= 10
        } while rest > 0
        self = number < 0 ? [CChar(UInt8(ascii: "-"))] + digits : digits
    }
}

extension StaticString {
    var bytes: UnsafeRawBufferPointer {
        guard hasPointerRepresentation else { return unsafe UnsafeRawBufferPointer(start: nil, count: 0) }
        return unsafe UnsafeRawBufferPointer(start: utf8Start, count: utf8CodeUnitCount)
    }
}
