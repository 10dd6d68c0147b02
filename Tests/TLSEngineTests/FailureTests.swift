import COpenSSL
import TestSupport
import Testing

@testable import OpenSSLHandles
@testable import TLSEngine

@Suite struct `A failure` {
    /// OpenSSL's ERR_PACK, which is a macro.
    private static func pack(_ library: CInt, _ reason: CInt) -> OpenSSLError {
        OpenSSLError(code: UInt(library) << 23 | UInt(reason))
    }

    private func kind(
        _ cause: OpenSSLError, sent: UInt8? = nil, received: UInt8? = nil, verify: CInt = 0, isNegotiating: Bool = true,
        canSendAlerts: Bool = true
    ) -> EngineFailure.Kind {
        var seen = Observations()
        seen.alertSent = sent
        seen.alertReceived = received
        return EngineFailure(
            cause, seen: seen, verifyResult: Int(verify), verifyDepth: -1, isNegotiating: isNegotiating,
            canSendAlerts: canSendAlerts
        ).kind
    }

    private func ssl(_ reason: CInt) -> OpenSSLError { Self.pack(ERR_LIB_SSL, reason) }

    @Test func `that the peer tells is classified by its alert`() {
        let expected: [UInt8: EngineFailure.Kind] = [
            40: .noCommonCipher, 71: .noCommonCipher, 42: .rejected, 43: .rejected, 44: .rejected, 45: .rejected,
            46: .rejected, 48: .rejected, 49: .rejected, 113: .rejected, 116: .rejected, 70: .noCommonVersion,
            115: .noCommonKey, 120: .noCommonProtocol,
        ]
        for alert in UInt8.min...UInt8.max {
            let found = kind(ssl(anyReason), received: alert)
            #expect(found == expected[alert] ?? .alertReceived, "alert \(alert)")
            // Once there is a cipher, "handshake failure" means something else.
            let later = kind(ssl(anyReason), received: alert, isNegotiating: false)
            #expect(later == (found == .noCommonCipher ? .alertReceived : found), "alert \(alert)")
        }
    }

    @Test func `to verify is told apart by why`() {
        let cause = ssl(SSL_R_CERTIFICATE_VERIFY_FAILED)
        #expect(kind(cause, sent: 45, verify: X509_V_ERR_CERT_HAS_EXPIRED) == .expired)
        #expect(kind(cause, sent: 45, verify: X509_V_ERR_CERT_NOT_YET_VALID) == .expired)
        #expect(kind(cause, sent: 42, verify: X509_V_ERR_HOSTNAME_MISMATCH) == .wrongHost)
        #expect(kind(cause, sent: 42, verify: X509_V_ERR_IP_ADDRESS_MISMATCH) == .wrongHost)
        #expect(kind(cause, sent: 46, verify: X509_V_ERR_DANE_NO_MATCH) == .unpinned)
        #expect(kind(cause, sent: 80, verify: X509_V_ERR_OUT_OF_MEM) == .outOfMemory)
        for other in [X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_CERT_REVOKED, X509_V_ERR_INVALID_CA] {
            #expect(kind(cause, sent: 48, verify: other) == .untrusted)
        }
    }

    @Test func `of our own making names no certificate`() {
        let failure = EngineFailure(
            ssl(SSL_R_NO_SHARED_CIPHER), seen: Observations(), verifyResult: 10, verifyDepth: 1,
            isNegotiating: true, canSendAlerts: true)
        #expect(failure.verifyResult == 0 && failure.verifyDepth == -1)
    }

    @Test func `to agree is told apart by what`() {
        for reason in Reason.version { #expect(kind(ssl(reason), sent: 70) == .noCommonVersion) }
        for reason in Reason.algorithms { #expect(kind(ssl(reason), sent: 40) == .noCommonCipher) }
        #expect(kind(ssl(SSL_R_NO_APPLICATION_PROTOCOL), sent: 120) == .noCommonProtocol)
        #expect(kind(ssl(SSL_R_EXCESSIVE_MESSAGE_SIZE), sent: 47) == .messageLimit)
        #expect(kind(ssl(SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE), sent: 116) == .noCertificate)
    }

    @Test func `of what is no TLS is one of the first packet only, and sends no alert`() {
        for reason in Reason.notTLS {
            #expect(kind(ssl(reason)) == .notTLS)
            #expect(kind(ssl(reason), sent: 70) != .notTLS)
            #expect(kind(ssl(reason), isNegotiating: false) != .notTLS)
        }
    }

    @Test func `of memory is that, whoever says so`() {
        for library in [ERR_LIB_SSL, ERR_LIB_EVP, ERR_LIB_BUF] {
            let cause = Self.pack(library, CInt(ERR_R_MALLOC_FAILURE))
            #expect(kind(cause) == .outOfMemory)
            #expect(kind(cause, sent: 80) == .outOfMemory)
        }
    }

    @Test func `is the peer's fault when OpenSSL sends it an alert, or can no longer send one`() {
        for cause in [ssl(SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC), Self.pack(ERR_LIB_EVP, 100)] {
            #expect(kind(cause, sent: 20, isNegotiating: false) == .protocolViolation)
            #expect(kind(cause, isNegotiating: false, canSendAlerts: false) == .protocolViolation)
            #expect(kind(cause, sent: 80, isNegotiating: false) == .unexpected)
            #expect(kind(cause, isNegotiating: false) == .unexpected)
        }
        #expect(kind(OpenSSLError.none) == .unexpected)
    }
}

/// Any reason will do: the alert decides.
private let anyReason: CInt = 1000
