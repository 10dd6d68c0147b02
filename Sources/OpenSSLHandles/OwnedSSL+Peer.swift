internal import COpenSSL

/// Which certificates the peer has sent, and what verification has found.
extension OwnedSSL {
    /// One of those that the peer has sent, its own first; nil behind the last. `offered` is the session that a client has
    /// offered, which keeps what OpenSSL does not.
    package func peerCertificate(at index: Int = 0, offered: Session? = nil) -> PeerCertificate? {
        guard index > 0 else { return index < 0 ? nil : unsafe PeerCertificate.of(ownCertificate(offered)) }
        let (list, skipped) = unsafe behindOwn(offered)
        guard let place = CInt(exactly: index &- 1 &+ skipped) else { return nil }
        return unsafe PeerCertificate.of(copenssl_x509s_at(list, place))
    }

    /// How many it has sent.
    package func peerCertificateCount(offered: Session?) -> Int {
        guard unsafe ownCertificate(offered) != nil else { return 0 }
        let (list, skipped) = unsafe behindOwn(offered)
        return 1 &+ max(0, Int(unsafe copenssl_x509s_count(list)) &- skipped)
    }

    package var peerSentCertificate: Bool { unsafe ownCertificate(nil) != nil }

    /// The peer's own, also while the verdict on it is asked about, and when it was refused: OpenSSL keeps that one only in
    /// the chain that it tried to build. The one in a session that was offered, and not taken
    /// yet, has been sent by nobody.
    private func ownCertificate(_ offered: Session?) -> OpaquePointer? {
        if let store = unsafe verification { return unsafe X509_STORE_CTX_get0_cert(store) }
        if let offered, !isResumed, unsafe SSL_get_session(ssl) == offered.session { return nil }
        return unsafe SSL_get0_peer_certificate(ssl) ?? copenssl_x509s_at(SSL_get0_verified_chain(ssl), 0)
    }

    /// What was sent behind it; of a server's list OpenSSL has the first one in it, of a client's not.
    private func behindOwn(_ offered: Session?) -> (list: OpaquePointer?, skipped: Int) {
        if let store = unsafe verification { return unsafe (X509_STORE_CTX_get0_untrusted(store), 1) }
        if isResumed, let offered { return unsafe (offered.chain, 0) }
        return unsafe (SSL_get_peer_cert_chain(ssl), SSL_is_server(ssl) == 1 ? 0 : 1)
    }

    /// What is being verified, while the program is asked about it.
    private var verification: OpaquePointer? { unsafe inquiry(of: ssl)?.verification }

    /// One of the chain by which the peer was found to be good; nil behind the last, and when it was not, also if the program
    /// has taken it all the same.
    package func verifiedCertificate(at index: Int) -> PeerCertificate? {
        guard verifyResult == VerifyResult.good, verifyDepth < 0, let place = CInt(exactly: index) else { return nil }
        return unsafe PeerCertificate.of(copenssl_x509s_at(SSL_get0_verified_chain(ssl), place))
    }

    /// The subject of one in the chain that was verified, or that verification came to before it failed.
    package func subject(atDepth depth: CInt) -> [UInt8]? {
        unsafe PeerCertificate.of(copenssl_x509s_at(SSL_get0_verified_chain(ssl), depth))?.subject
    }

    /// What verification has found, or has found so far, and where in the chain: -1 for good.
    package var findings: (result: Int, depth: CInt) {
        if unsafe verification != nil { return verdict }
        let result = verifyResult
        return (result, result == VerifyResult.good ? -1 : verifyDepth)
    }

    /// X509_V_OK, or why the peer's certificate is not good.
    package var verifyResult: Int { unsafe SSL_get_verify_result(ssl) }

    /// Where in the chain verification failed; -1 when it did not.
    package var verifyDepth: CInt { unsafe OpenSSLHandles.verifyDepth(of: ssl) }
}
