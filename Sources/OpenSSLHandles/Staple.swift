internal import COpenSSL

/// What a server gives to clients that ask for the status of its certificate (RFC 6066, 8): a response of OCSP.
struct Staple {
    let der: [UInt8]
    /// In seconds since 1970; from then on it is kept back.
    let end: Int64?

    var isOver: Bool { end.map { $0 < Int64(time(nil)) } ?? false }
}

extension OwnedContext {
    /// Sets the responses of a source, each for those of our certificates that it is about, in place of theirs; or none.
    /// While connections are served, too, and from any thread.
    package func setStaples(_ source: borrowing PEMSource) throws(SettingRefused) {
        var found: [(KeyPair, Staple)] = []
        let pairs = identity.allPairs
        try unsafe source.readAll(.ocspResponse) { position, count throws(SettingRefused) in
            // In DER there is one, and nothing behind it.
            let bytes = unsafe UnsafeRawBufferPointer(start: position, count: count)
            guard let response = unsafe OCSPResponse.decode(bytes) else { return false }
            unsafe position = position.map { unsafe $0 + count }
            let before = found.count
            for pair in pairs {
                guard let statement = unsafe response.statement(about: pair.leaf, of: pair.issuer) else { continue }
                try statement.check(source)
                found.append((pair, Staple(der: unsafe [UInt8](bytes), end: statement.nextUpdate)))
            }
            guard found.count > before else { throw source.refused(response.whyForNobody) }
            return true
        }
        let isDone = exclusively {
            for (pair, staple) in found { pair.staple = staple }
            return true
        }
        guard isDone else { throw source.outOfMemory }
    }

    /// Has clients that ask be given what was set for the certificate that they get.
    func stapleWhenAsked() {
        unsafe copenssl_ctx_set_status_cb(ctx, giveStaple)
    }

    fileprivate func staple(for ssl: OpaquePointer) -> Staple? {
        let certificate = unsafe SSL_get_certificate(ssl)
        guard let pair = unsafe pairs(for: ssl).all.first(where: { unsafe $0.leaf == certificate }) else { return nil }
        var staple: Staple?
        _ = exclusively {
            staple = pair.staple
            return true
        }
        return staple
    }
}

extension OCSPStatement {
    fileprivate func check(_ source: borrowing PEMSource) throws(SettingRefused) {
        switch validity {
        case .valid: break
        case .notYet: throw source.refused("it is not valid yet")
        case .over: throw source.refused("it has expired")
        }
    }
}

extension OCSPResponse {
    fileprivate var whyForNobody: StaticString {
        isRefusal ? "the responder had no answer" : "it is for none of our certificates"
    }
}

/// In a step of a handshake, when the certificate is chosen. Nothing is stapled when there is no memory. The program is asked
/// with nothing held: it may answer in another thread.
private let giveStaple: @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> CInt = { ssl, _ in
    guard let ssl = unsafe ssl, let context = unsafe context(of: ssl) else { return SSL_TLSEXT_ERR_NOACK }
    var staple = unsafe context.staple(for: ssl)
    if context.asksForStaples, let inquiry = unsafe inquiry(of: ssl) {
        let answer = inquiry.ask(.staple)
        if !answer.isGiven || answer.status != 0 { return SSL_TLSEXT_ERR_NOACK }
        if let der = answer.bytes { staple = unsafe Staple(der.bytes, for: SSL_get_certificate(ssl)) }
    }
    guard let staple, !staple.isOver, let copy = unsafe copenssl_malloc(staple.der.count) else {
        return SSL_TLSEXT_ERR_NOACK
    }
    unsafe UnsafeMutableRawBufferPointer(start: copy, count: staple.der.count).copyBytes(from: staple.der)
    _ = unsafe copenssl_set_status(ssl, copy, staple.der.count)  // which moves into ssl
    return SSL_TLSEXT_ERR_OK
}

extension Staple {
    /// What the program says; nil when it is no response, or none for this certificate.
    fileprivate init?(_ der: UnsafeRawBufferPointer, for certificate: OpaquePointer?) {
        let response = unsafe OCSPResponse.decode(der)
        guard let statement = unsafe response?.statement(about: certificate, of: nil), statement.validity == .valid
        else {
            return nil
        }
        self.init(der: unsafe [UInt8](der), end: statement.nextUpdate)
    }
}

extension OwnedSSL {
    /// The certificate that a client gets, while it is asked what is stapled to it.
    package var certificateToStaple: [UInt8]? {
        guard case .staple = question else { return nil }
        return unsafe encoded(SSL_get_certificate(ssl))
    }
}
