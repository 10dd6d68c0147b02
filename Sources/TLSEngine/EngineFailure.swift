package import OpenSSLHandles

/// Why a connection cannot go on, as a value.
package struct EngineFailure: Error {
    package enum Kind {
        case noServerName, noTrust, noIdentity
        case notTLS, protocolViolation, alertReceived
        case noCommonVersion, noCommonCipher, noCommonProtocol, noCommonKey
        case untrusted, wrongHost, expired, unpinned, badStaple, noCertificate, rejected
        case endOfFileInHandshake, truncated
        case controlLimit, updateLimit, messageLimit
        /// What a client offers to resume is over.
        case noSession
        /// The program did not want this client.
        case refused
        /// A key that is held elsewhere has not signed.
        case unsigned
        case outOfMemory, unexpected
    }

    package let kind: Kind
    package let cause: OpenSSLError
    package let alertSent: UInt8?
    package let alertReceived: UInt8?
    package let verifyResult: Int
    package let verifyDepth: CInt
    /// What is not good of the server's OCSP response; nil when that is not what failed.
    package let staple: StapleVerdict?

    /// A failure that OpenSSL has no part in.
    init(_ kind: Kind) {
        self.kind = kind
        cause = .none
        alertSent = nil
        alertReceived = nil
        verifyResult = 0
        verifyDepth = -1
        staple = nil
    }

    /// `isNegotiating`: the first handshake has not come to a cipher yet.
    init(
        _ cause: OpenSSLError, seen: Observations, verifyResult: Int, verifyDepth: CInt, isNegotiating: Bool,
        canSendAlerts: Bool, isRefused: Bool = false, staple: StapleVerdict? = nil
    ) {
        self.cause = cause
        alertSent = seen.alertSent
        alertReceived = seen.alertReceived ?? cause.alertReceived
        let failedToVerify = cause.isSSL && cause.reason == Reason.certificateVerifyFailed
        self.verifyResult = failedToVerify ? verifyResult : 0
        self.verifyDepth = failedToVerify ? verifyDepth : -1
        self.staple = cause.isSSL && cause.reason == Reason.invalidStatusResponse ? staple : nil
        kind =
            isRefused
            ? .refused
            : Kind(cause, seen, verifyResult: verifyResult, isNegotiating: isNegotiating, canSendAlerts: canSendAlerts)
    }
}

extension EngineFailure.Kind {
    fileprivate init(
        _ cause: OpenSSLError, _ seen: Observations, verifyResult: Int, isNegotiating: Bool, canSendAlerts: Bool
    ) {
        // OpenSSL blames the peer by an alert, internal_error (80) excepted; after our close_notify it sends none.
        let isPeersFault = seen.alertSent.map { $0 != 80 } ?? !canSendAlerts
        if cause.isOutOfMemory {
            self = .outOfMemory
        } else if cause.isUnsigned {
            self = .unsigned
        } else if let alert = seen.alertReceived ?? cause.alertReceived {
            self = .init(alertReceived: alert, isNegotiating: isNegotiating)
        } else if seen.alertSent == 120 {
            self = .noCommonProtocol  // OpenSSL's own reason, or that a callback of ours has said so
        } else if !cause.isSSL {
            // A primitive of libcrypto refused something.
            self = isPeersFault || cause.isShortRecord ? .protocolViolation : .unexpected
        } else if seen.alertSent == nil, Reason.notTLS.contains(cause.reason) {
            self = isNegotiating ? .notTLS : .protocolViolation  // OpenSSL answers neither with an alert
        } else if cause.reason == Reason.callbackFailed, seen.alertSent == 112 || seen.alertSent == 80 {
            self = .noIdentity  // for that name (unrecognized_name; RFC 6066, 3), or for any
        } else {
            self = .init(reason: cause.reason, verifyResult: verifyResult, isPeersFault: isPeersFault)
        }
    }

    /// By the alert descriptions of RFC 8446, 6 and RFC 7301, 3.2.
    private init(alertReceived alert: UInt8, isNegotiating: Bool) {
        switch alert {
        case 40, 71: self = isNegotiating ? .noCommonCipher : .alertReceived
        case 42, 43, 44, 45, 46, 48, 49, 113, 116: self = .rejected
        case 70: self = .noCommonVersion
        case 115: self = .noCommonKey
        case 120: self = .noCommonProtocol
        default: self = .alertReceived
        }
    }

    private init(reason: CInt, verifyResult: Int, isPeersFault: Bool) {
        switch reason {
        case Reason.certificateVerifyFailed:
            self = .init(verifyResult: verifyResult)
        case Reason.invalidStatusResponse:
            self = .badStaple
        case Reason.noPeerCertificate:
            self = .noCertificate
        case _ where Reason.version.contains(reason):
            self = .noCommonVersion
        case _ where Reason.algorithms.contains(reason):
            self = .noCommonCipher
        case _ where Reason.keys.contains(reason):
            self = .noCommonKey
        case Reason.excessiveMessageSize:
            self = .messageLimit
        default:
            self = isPeersFault ? .protocolViolation : .unexpected
        }
    }
}

extension EngineFailure.Kind {
    init(verifyResult: Int) {
        switch verifyResult {
        case VerifyResult.notYetValid, VerifyResult.expired: self = .expired
        case VerifyResult.hostMismatch, VerifyResult.addressMismatch: self = .wrongHost
        case VerifyResult.unpinned: self = .unpinned
        case VerifyResult.outOfMemory: self = .outOfMemory
        default: self = .untrusted
        }
    }
}
