package import OpenSSLHandles

/// Why a connection cannot go on, as a value.
package struct EngineFailure: Error {
    package enum Kind {
        case noServerName, noTrust, noIdentity
        case notTLS, protocolViolation, alertReceived
        case noCommonVersion, noCommonCipher, noCommonProtocol
        case untrusted, wrongHost, expired, noCertificate, rejected
        case endOfFileInHandshake, truncated
        case controlLimit, updateLimit
        case outOfMemory, unexpected
    }

    package let kind: Kind
    package let cause: OpenSSLError
    package let alertSent: UInt8?
    package let alertReceived: UInt8?
    package let verifyResult: Int
    package let verifyDepth: CInt

    /// A failure that OpenSSL has no part in.
    init(_ kind: Kind) {
        self.kind = kind
        cause = .none
        alertSent = nil
        alertReceived = nil
        verifyResult = 0
        verifyDepth = -1
    }

    init(_ cause: OpenSSLError, seen: Observations, verifyResult: Int, inHandshake: Bool) {
        self.cause = cause
        alertSent = seen.alertSent
        alertReceived = seen.alertReceived
        let failedToVerify = cause.isSSL && cause.reason == Reason.certificateVerifyFailed
        self.verifyResult = failedToVerify ? verifyResult : 0
        verifyDepth = failedToVerify ? seen.verifyDepth : -1
        kind = Kind(cause, seen: seen, verifyResult: verifyResult, inHandshake: inHandshake)
    }
}

extension EngineFailure.Kind {
    fileprivate init(_ cause: OpenSSLError, seen: Observations, verifyResult: Int, inHandshake: Bool) {
        if cause.isOutOfMemory {
            self = .outOfMemory
        } else if let alert = seen.alertReceived {
            self = .init(alertReceived: alert)
        } else if !cause.isSSL {
            // Not TLS's own: a primitive refused what the peer sent, or something is wrong with us (no alert).
            self = seen.alertSent == nil ? .unexpected : .protocolViolation
        } else {
            self = .init(reason: cause.reason, verifyResult: verifyResult, alertSent: seen.alertSent, inHandshake)
        }
    }

    /// By the alert descriptions of RFC 8446, 6 and RFC 7301, 3.2.
    private init(alertReceived alert: UInt8) {
        switch alert {
        case 40, 71: self = .noCommonCipher
        case 42, 43, 44, 45, 46, 48, 49, 116: self = .rejected
        case 70: self = .noCommonVersion
        case 120: self = .noCommonProtocol
        default: self = .alertReceived
        }
    }

    private init(reason: CInt, verifyResult: Int, alertSent: UInt8?, _ inHandshake: Bool) {
        switch reason {
        case Reason.certificateVerifyFailed:
            self = .init(verifyResult: verifyResult)
        case Reason.noPeerCertificate:
            self = .noCertificate
        case _ where Reason.version.contains(reason):
            self = .noCommonVersion
        case _ where Reason.algorithms.contains(reason):
            self = .noCommonCipher
        case Reason.noApplicationProtocol:
            self = .noCommonProtocol
        case _ where Reason.notTLS.contains(reason) && inHandshake && alertSent == nil:
            self = .notTLS
        default:
            self = alertSent == nil || alertSent == 80 ? .unexpected : .protocolViolation
        }
    }

    private init(verifyResult: Int) {
        switch verifyResult {
        case VerifyResult.notYetValid, VerifyResult.expired: self = .expired
        case VerifyResult.hostMismatch, VerifyResult.addressMismatch: self = .wrongHost
        default: self = .untrusted
        }
    }
}
