internal import COpenSSL

/// What a client makes of the response that a server has stapled to its certificate, or has not.
package enum StapleVerdict: CInt {
    case good = 1
    /// None came, or one in which the responder says that it has no answer: nobody signs that, so it is worth as much.
    case missing
    case malformed
    /// Neither the issuer has signed it, nor somebody who has that right from the issuer.
    case unsigned
    case otherCertificate
    case notYetValid, over
    case revoked, unknown
    /// Nobody is trusted by whom it could be checked.
    case unchecked

    package var sentence: StaticString {
        switch self {
        case .good: "the certificate is good"
        case .missing: "the server has none"
        case .malformed: "it cannot be parsed"
        case .unsigned: "nobody has signed it who may speak for the issuer"
        case .otherCertificate: "it is for another certificate"
        case .notYetValid: "it is not valid yet"
        case .over: "it has expired"
        case .revoked: "the certificate is revoked"
        case .unknown: "the responder does not know the certificate"
        case .unchecked: "the certificate was not verified, so nobody is known who could have signed it"
        }
    }
}

extension OwnedContext {
    /// Has a client ask servers for the status of their certificate (RFC 6066, 8). What comes has to be good; with
    /// `requires` something has to come.
    package func requestStaples(requires: Bool) {
        requiresStaple = requires || requiresStaple
        unsafe copenssl_ctx_request_status(ctx)
        unsafe copenssl_ctx_set_status_cb(ctx, checkStaple)
    }
}

/// Called by OpenSSL when the server has shown its certificate and the certificate was verified: in TLS 1.2 at the
/// ServerHelloDone, in TLS 1.3 at the Finished, there for resumed connections, too.
private let checkStaple: @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> CInt = { ssl, _ in
    guard let ssl = unsafe ssl, let context = unsafe context(of: ssl) else { return 0 }
    // Who resumes, or has a key in common, is shown no certificate.
    guard unsafe SSL_session_reused(ssl) == 0, let leaf = unsafe SSL_get0_peer_certificate(ssl) else { return 1 }
    let verdict = unsafe verdict(of: ssl, leaf, context)
    guard unsafe note(verdict, of: ssl) else { return -1 }
    switch verdict {
    case .good: return 1
    case .missing: return unsafe context.requiresStaple || mustStaple(leaf) ? 0 : 1
    case .unchecked: return context.requiresStaple ? 0 : 1
    case .malformed, .unsigned, .otherCertificate, .notYetValid, .over, .revoked, .unknown: return 0
    }
}

private func verdict(of ssl: OpaquePointer, _ leaf: OpaquePointer, _ context: OwnedContext) -> StapleVerdict {
    guard let der = unsafe staple(of: ssl) else { return .missing }
    // First of all: then nothing that is in it decides anything, be it no response at all.
    guard context.trust.verifies, unsafe SSL_get_verify_result(ssl) == X509_V_OK, unsafe verifyDepth(of: ssl) < 0 else {
        return .unchecked
    }
    guard let response = unsafe OCSPResponse.decode(der) else { return .malformed }
    if response.isRefusal { return .missing }
    guard unsafe response.basic != nil else { return .malformed }
    let chain = unsafe SSL_get0_verified_chain(ssl)
    guard let statement = unsafe response.statement(about: leaf, of: issuer(in: chain)) else {
        return .otherCertificate
    }
    let flags = unsafe X509_VERIFY_PARAM_get_flags(SSL_get0_param(ssl))
    let isPartial = flags & UInt(X509_V_FLAG_PARTIAL_CHAIN) != 0
    let store = unsafe SSL_CTX_get_cert_store(context.ctx)
    guard unsafe response.isSigned(by: chain, trusting: store, isPartial: isPartial) else { return .unsigned }
    switch statement.validity {
    case .notYet: return .notYetValid
    case .over: return .over
    case .valid: break
    }
    switch statement.status {
    case V_OCSP_CERTSTATUS_GOOD: return .good
    case V_OCSP_CERTSTATUS_REVOKED: return .revoked
    default: return .unknown
    }
}

/// A certificate that is its own issuer, or is trusted itself, is alone in its chain.
private func issuer(in chain: OpaquePointer?) -> OpaquePointer? { unsafe copenssl_x509s_at(chain, 1) }

/// The server has promised to staple: the certificate has the feature status_request (RFC 7633, 4.2.3.1).
private func mustStaple(_ leaf: OpaquePointer) -> Bool {
    ERR_set_mark()
    defer { ERR_pop_to_mark() }
    guard let features = unsafe copenssl_features(leaf) else { return false }
    defer { unsafe copenssl_features_free(features) }
    return (0..<max(0, unsafe copenssl_features_count(features))).contains {
        unsafe copenssl_features_at(features, $0) == Int(TLSEXT_TYPE_status_request)
    }
}

/// What the server has sent; as long as the connection, or until its next handshake.
private func staple(of ssl: OpaquePointer) -> UnsafeRawBufferPointer? {
    var start: UnsafePointer<UInt8>?
    let count = unsafe copenssl_get_status(ssl, &start)
    return unsafe start == nil || count <= 0 ? nil : UnsafeRawBufferPointer(start: start, count: count)
}

// MARK: What there is to know of it

/// A response as the peer has sent it, and what was made of it.
package struct StapleFacts {
    package let verdict: StapleVerdict
    /// What it says: 0 good, 1 revoked, 2 unknown (RFC 6960, 4.2.1); nil when it says nothing of the certificate.
    package var status: CInt?
    package var reason: CInt = -1
    package var revokedAt: Int64?
    package var producedAt: Int64?
    package var thisUpdate: Int64?
    package var nextUpdate: Int64?
}

extension OwnedSSL {
    /// What was made of the server's response in the last handshake; nil when it was not asked for.
    package var stapleVerdict: StapleVerdict? { unsafe notedVerdict(of: ssl) }

    /// The response, DER; nil when none came.
    package var stapledResponse: UnsafeRawBufferPointer? {
        stapleVerdict == nil ? nil : unsafe staple(of: ssl)
    }

    /// Nil when no response came.
    package var stapleFacts: StapleFacts? {
        guard let verdict = stapleVerdict, let der = unsafe staple(of: ssl) else { return nil }
        var facts = StapleFacts(verdict: verdict)
        guard let response = unsafe OCSPResponse.decode(der) else { return facts }
        facts.producedAt = response.producedAt
        let issuer = unsafe issuer(in: SSL_get0_verified_chain(ssl))
        guard let statement = unsafe response.statement(about: SSL_get0_peer_certificate(ssl), of: issuer) else {
            return facts
        }
        (facts.status, facts.reason) = (statement.status, statement.reason)
        facts.revokedAt = statement.revokedAt
        (facts.thisUpdate, facts.nextUpdate) = (statement.thisUpdate, statement.nextUpdate)
        return facts
    }
}

// MARK: Where a verdict is noted

private nonisolated(unsafe) var slot: CInt = -1
private nonisolated(unsafe) var slotOnce: CRYPTO_ONCE = 0

/// The number is made once in the process.
private func verdictSlot() -> CInt {
    _ = unsafe CRYPTO_THREAD_run_once(&slotOnce) { unsafe slot = copenssl_ssl_index() }
    return unsafe slot
}

/// False without memory.
private func note(_ verdict: StapleVerdict, of ssl: OpaquePointer) -> Bool {
    unsafe SSL_set_ex_data(ssl, verdictSlot(), UnsafeMutableRawPointer(bitPattern: Int(verdict.rawValue))) == 1
}

private func notedVerdict(of ssl: OpaquePointer) -> StapleVerdict? {
    let found = Int(bitPattern: unsafe SSL_get_ex_data(ssl, verdictSlot()))
    return StapleVerdict(rawValue: CInt(truncatingIfNeeded: found))
}
