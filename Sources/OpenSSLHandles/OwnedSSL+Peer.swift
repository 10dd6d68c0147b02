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
        return 1 + max(0, Int(unsafe copenssl_x509s_count(list)) - skipped)
    }

    package var peerSentCertificate: Bool { unsafe SSL_get0_peer_certificate(ssl) != nil }

    /// The peer's own, also when it was refused: OpenSSL keeps that one only in the chain that it tried to build. The one in
    /// a session that was offered, and not taken yet, has been sent by nobody.
    private func ownCertificate(_ offered: Session?) -> OpaquePointer? {
        if let offered, !isResumed, unsafe SSL_get_session(ssl) == offered.session { return nil }
        return unsafe SSL_get0_peer_certificate(ssl) ?? copenssl_x509s_at(SSL_get0_verified_chain(ssl), 0)
    }

    /// What was sent behind it; of a server's list OpenSSL has the first one in it, of a client's not.
    private func behindOwn(_ offered: Session?) -> (list: OpaquePointer?, skipped: Int) {
        if isResumed, let offered { return unsafe (offered.chain, 0) }
        return unsafe (SSL_get_peer_cert_chain(ssl), SSL_is_server(ssl) == 1 ? 0 : 1)
    }

    /// One of the chain by which the peer was found to be good; nil behind the last, and when it was not.
    package func verifiedCertificate(at index: Int) -> PeerCertificate? {
        guard verifyResult == VerifyResult.good, let place = CInt(exactly: index), place >= 0 else { return nil }
        return unsafe PeerCertificate.of(copenssl_x509s_at(SSL_get0_verified_chain(ssl), place))
    }

    /// X509_V_OK, or why the peer's certificate is not good.
    package var verifyResult: Int { unsafe SSL_get_verify_result(ssl) }

    /// Where in the chain verification failed; -1 when it did not.
    package var verifyDepth: CInt { unsafe OpenSSLHandles.verifyDepth(of: ssl) }
}
