internal import COpenSSL

extension OpenSSLError {
    /// It comes from libssl: a matter of the protocol.
    package var isSSL: Bool { library == ERR_LIB_SSL }
    /// In TLS 1.2 a cipher takes a record that is shorter than its nonce and tag for a mistake of OpenSSL's own.
    package var isShortRecord: Bool {
        library == ERR_LIB_PROV && (reason == PROV_R_INVALID_DATA || reason == PROV_R_INVALID_AAD)
    }
    /// The alert that OpenSSL has ended for, whatever its level: in TLS 1.3 that counts for nothing (RFC 8446, 6).
    package var alertReceived: UInt8? {
        isSSL && reason >= SSL_AD_REASON_OFFSET ? UInt8(exactly: reason - SSL_AD_REASON_OFFSET) : nil
    }
}

/// The reasons of libssl that are told apart.
package enum Reason {
    package static var certificateVerifyFailed: CInt { SSL_R_CERTIFICATE_VERIFY_FAILED }
    /// A callback of ours has refused; the alert says which.
    package static var callbackFailed: CInt { SSL_R_CALLBACK_FAILED }
    package static var noPeerCertificate: CInt { SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE }
    package static var invalidStatusResponse: CInt { SSL_R_INVALID_STATUS_RESPONSE }
    /// TLS 1.2 itself makes keys by it.
    package static var labelIsTaken: CInt { SSL_R_TLS_ILLEGAL_EXPORTER_LABEL }
    package static var excessiveMessageSize: CInt { SSL_R_EXCESSIVE_MESSAGE_SIZE }

    package static var version: [CInt] {
        [
            SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_UNSUPPORTED_SSL_VERSION, SSL_R_NO_PROTOCOLS_AVAILABLE,
            SSL_R_WRONG_SSL_VERSION, SSL_R_VERSION_TOO_HIGH, SSL_R_VERSION_TOO_LOW,
        ]
    }

    package static var algorithms: [CInt] {
        [
            SSL_R_NO_SHARED_CIPHER, SSL_R_NO_CIPHERS_AVAILABLE, SSL_R_NO_SUITABLE_KEY_SHARE, SSL_R_NO_SUITABLE_GROUPS,
            SSL_R_NO_SHARED_GROUPS, SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM,
        ]
    }

    package static var keys: [CInt] {
        [SSL_R_PSK_IDENTITY_NOT_FOUND, SSL_R_BINDER_DOES_NOT_VERIFY, SSL_R_BAD_PSK, SSL_R_BAD_PSK_IDENTITY]
    }

    /// Reasons given for a first packet that is no TLS record.
    package static var notTLS: [CInt] {
        [SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST, SSL_R_WRONG_VERSION_NUMBER, SSL_R_RECORD_TOO_SMALL]
    }
}

/// The results of verification that are told apart.
package enum VerifyResult {
    package static var good: Int { Int(X509_V_OK) }
    package static var rejected: Int { Int(X509_V_ERR_CERT_REJECTED) }
    package static var notYetValid: Int { Int(X509_V_ERR_CERT_NOT_YET_VALID) }
    package static var expired: Int { Int(X509_V_ERR_CERT_HAS_EXPIRED) }
    package static var hostMismatch: Int { Int(X509_V_ERR_HOSTNAME_MISMATCH) }
    package static var addressMismatch: Int { Int(X509_V_ERR_IP_ADDRESS_MISMATCH) }
    package static var outOfMemory: Int { Int(X509_V_ERR_OUT_OF_MEM) }
    /// OpenSSL's for DANE, whose records are pins too (RFC 6698).
    package static var unpinned: Int { Int(X509_V_ERR_DANE_NO_MATCH) }
}
