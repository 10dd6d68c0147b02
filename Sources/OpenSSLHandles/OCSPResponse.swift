internal import COpenSSL

/// What an authority says of certificates (RFC 6960): a response of OCSP, whoever has sent it.
@safe final class OCSPResponse {
    private let response: OpaquePointer
    /// What is signed in it; nil when the responder had no answer, or has answered in a form that OpenSSL does not know.
    let basic: OpaquePointer?

    /// The response moves into it.
    private init(_ response: OpaquePointer) {
        unsafe self.response = response
        unsafe basic = OCSP_response_get1_basic(response)
    }

    deinit {
        unsafe OCSP_BASICRESP_free(basic)
        unsafe OCSP_RESPONSE_free(response)
    }

    /// Nil for what is none, or has something behind it.
    static func decode(_ der: UnsafeRawBufferPointer) -> OCSPResponse? {
        ERR_set_mark()
        defer { ERR_pop_to_mark() }
        var position = unsafe der.baseAddress?.assumingMemoryBound(to: UInt8.self)
        let end = unsafe position.map { unsafe $0 + der.count }
        guard let response = unsafe d2i_OCSP_RESPONSE(nil, &position, der.count) else { return nil }
        let decoded = unsafe OCSPResponse(response)
        return unsafe position == end ? decoded : nil
    }

    /// The responder has no answer: it is to be asked later, or does not know us. Nobody signs that.
    var isRefusal: Bool { unsafe OCSP_response_status(response) != OCSP_RESPONSE_STATUS_SUCCESSFUL }

    /// When it was made, in seconds since 1970.
    var producedAt: Int64? { unsafe basic.flatMap { unsafe seconds(OCSP_resp_get0_produced_at($0)) } }

    /// What it says of a certificate; nil when it is about others. Without its issuer the issuer's name has to do.
    func statement(about leaf: OpaquePointer?, of issuer: OpaquePointer?) -> OCSPStatement? {
        guard let basic = unsafe basic else { return nil }
        for index in 0..<max(0, unsafe OCSP_resp_count(basic)) {
            guard let single = unsafe OCSP_resp_get0(basic, index),
                unsafe isAbout(OCSP_SINGLERESP_get0_id(single), leaf, issuer)
            else { continue }
            return unsafe OCSPStatement(single)
        }
        return nil
    }

    /// Whether the issuer has signed it, or somebody to whom the issuer has given that right (RFC 6960, 4.2.2.2). `chain` is
    /// the verified one of the certificate.
    func isSigned(by chain: OpaquePointer?, trusting store: OpaquePointer?, isPartial: Bool) -> Bool {
        ERR_set_mark()
        defer { ERR_pop_to_mark() }
        let flags = UInt(OCSP_NOEXPLICIT | (isPartial ? OCSP_PARTIAL_CHAIN : 0))
        return unsafe basic != nil && OCSP_basic_verify(basic, chain, store, flags) == 1
    }
}

/// What is said of one certificate. Its dates are in seconds since 1970, nil for none.
struct OCSPStatement {
    enum Validity { case valid, notYet, over }

    /// V_OCSP_CERTSTATUS_GOOD, _REVOKED or _UNKNOWN.
    let status: CInt
    /// Why it was revoked (RFC 5280, 5.3.1); -1 when that is not said.
    let reason: CInt
    let revokedAt: Int64?
    let thisUpdate: Int64?
    let nextUpdate: Int64?
    let validity: Validity

    /// The clocks of two machines differ by so much.
    private static var skewSeconds: Int64 { 300 }
    /// Without a date at which there will be a newer one it is good for so long: else it would be so for ever.
    private static var openSeconds: Int64 { 7 * 86400 }

    fileprivate init(_ single: OpaquePointer) {
        var reason: CInt = -1
        var (revoked, this, next): (Time, Time, Time) = (nil, nil, nil)
        status = unsafe OCSP_single_get0_status(single, &reason, &revoked, &this, &next)
        self.reason = reason
        revokedAt = unsafe seconds(revoked)
        thisUpdate = unsafe seconds(this)
        nextUpdate = unsafe seconds(next)
        let now = Int64(time(nil))
        let hasEnd = unsafe next != nil
        guard let begin = thisUpdate, let end = hasEnd ? nextUpdate : begin &+ Self.openSeconds else {
            validity = .over  // what is no date
            return
        }
        validity = now < begin &- Self.skewSeconds ? .notYet : now > end &+ Self.skewSeconds ? .over : .valid
    }

    private typealias Time = UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
}

/// Compares as OCSP_id_cmp does, but for the issuer's key where the issuer is not known.
private func isAbout(_ id: OpaquePointer?, _ leaf: OpaquePointer?, _ issuer: OpaquePointer?) -> Bool {
    ERR_set_mark()
    defer { ERR_pop_to_mark() }
    var (name, key): (UnsafeMutablePointer<ASN1_OCTET_STRING>?, UnsafeMutablePointer<ASN1_OCTET_STRING>?) =
        (nil, nil)
    var serial: UnsafeMutablePointer<ASN1_INTEGER>?
    var algorithm: OpaquePointer?
    guard unsafe OCSP_id_get0_info(&name, &algorithm, &key, &serial, id) == 1,
        unsafe ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(leaf)) == 0,
        let digest = unsafe EVP_get_digestbyname(OBJ_nid2sn(OBJ_obj2nid(algorithm))),
        unsafe isDigest(name, { unsafe X509_NAME_digest(X509_get_issuer_name(leaf), digest, $0, $1) })
    else { return false }
    return unsafe issuer == nil || isDigest(key) { unsafe X509_pubkey_digest(issuer, digest, $0, $1) }
}

private func isDigest(
    _ text: UnsafeMutablePointer<ASN1_OCTET_STRING>?,
    _ make: (UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt32>?) -> CInt
) -> Bool {
    var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var count: UInt32 = 0
    guard unsafe make(&bytes, &count) == 1, let start = unsafe ASN1_STRING_get0_data(text),
        unsafe ASN1_STRING_length(text) == CInt(clamping: count)
    else { return false }
    return unsafe memcmp(start, bytes, Int(count)) == 0
}
