internal import COpenSSL

/// Sessions of a client: the one that it offers, and those that it is given.
extension OwnedSSL {
    /// The host in lower case, or the address, that the peer's certificate has to be for; empty for none.
    package var nameToVerify: [UInt8] {
        let parameters = unsafe SSL_get0_param(ssl)
        if let host = unsafe X509_VERIFY_PARAM_get0_host(parameters, 0) {
            return unsafe lowerCase(UnsafeRawBufferPointer(start: host, count: strlen(host)))
        }
        guard let address = unsafe X509_VERIFY_PARAM_get1_ip_asc(parameters) else { return [] }
        defer { unsafe copenssl_clear_free(address, strlen(address)) }
        return unsafe [UInt8](UnsafeRawBufferPointer(start: address, count: strlen(address)))
    }

    /// Whether the cipher of a session is among those that we offer. OpenSSL would not look, and a server might end the
    /// handshake for it.
    package func offersCipher(of session: Session) -> Bool {
        guard let cipher = unsafe session.cipher, let offered = unsafe SSL_get1_supported_ciphers(ssl) else {
            return false
        }
        defer { unsafe copenssl_ciphers_free(offered) }
        return unsafe copenssl_ciphers_find(offered, cipher) >= 0
    }

    /// Verifies the certificate of a session as its context does in a full handshake: X509_V_OK, or why it is not good; nil
    /// when the session has none.
    ///
    /// When it resumes, OpenSSL verifies nothing, neither name nor dates nor authority: it takes over the result that the
    /// first handshake had, and asks nobody what that was.
    package func verify(_ session: Session, by context: OwnedContext) -> Int? {
        ERR_clear_error()
        defer { ERR_clear_error() }
        guard let peer = unsafe SSL_SESSION_get0_peer(session.session) else { return nil }
        guard let check = unsafe X509_STORE_CTX_new() else { return Int(X509_V_ERR_OUT_OF_MEM) }
        defer { unsafe X509_STORE_CTX_free(check) }
        let store = unsafe SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl))
        guard unsafe X509_STORE_CTX_init(check, store, peer, session.chain) == 1,
            unsafe X509_STORE_CTX_set_ex_data(
                check, SSL_get_ex_data_X509_STORE_CTX_idx(), UnsafeMutableRawPointer(ssl)) == 1
        else { return Int(X509_V_ERR_OUT_OF_MEM) }
        guard unsafe setParameters(of: check, ssl, "ssl_server") else { return Int(X509_V_ERR_OUT_OF_MEM) }
        unsafe X509_STORE_CTX_set_verify_cb(check, SSL_get_verify_callback(ssl))
        if unsafe OpenSSLHandles.verify(check, context) == 1 { return Int(X509_V_OK) }
        let reason = unsafe X509_STORE_CTX_get_error(check)
        return Int(reason == X509_V_OK ? X509_V_ERR_UNSPECIFIED : reason)
    }

    /// Offers a session in the handshake to come. Returns the copy of it that OpenSSL works with; nil without memory.
    package func offer(_ session: Session, isVerified: Bool) -> Session? {
        guard let copy = unsafe Session.copy(session.session, session.chain, session.name) else { return nil }
        if unsafe context(of: ssl)?.usesKeys == true { unsafe forgetKey(in: copy.session) }
        guard unsafe SSL_set_session(ssl, copy.session) == 1 else { return nil }
        if isVerified { unsafe SSL_set_verify_result(ssl, Int(X509_V_OK)) }
        return copy
    }

    /// The newest session that can be resumed; nil when there is none. `offered` is what the last offer returned.
    ///
    /// Of a ticket that is malformed OpenSSL keeps what came before the mistake: anybody would know that secret, of no bytes.
    package func newestSession(offered: Session?) -> Session? {
        guard let session = unsafe SSL_get_session(ssl), unsafe SSL_SESSION_is_resumable(session) == 1,
            unsafe SSL_SESSION_get_master_key(session, nil, 0) > 0
        else { return nil }
        guard let offered, isResumed else {
            guard let chain = unsafe copenssl_x509s_new() else { return nil }
            defer { unsafe copenssl_x509s_free(chain) }
            let sent = unsafe SSL_get_peer_cert_chain(ssl)
            for index in 1..<max(1, unsafe copenssl_x509s_count(sent)) {  // the first is the server's own
                let certificate = unsafe copenssl_x509s_at(sent, index)
                guard unsafe copenssl_x509s_push(chain, certificate) > 0 else { return nil }
                _ = unsafe X509_up_ref(certificate)
            }
            return unsafe Session.copy(session, chain, nameToVerify)
        }
        // A ticket of TLS 1.3 has been used up now (RFC 8446, C.4); with the next one OpenSSL makes another object.
        if isTLS13, unsafe session == offered.session { return nil }
        return unsafe Session.copy(session, offered.chain, offered.name)
    }
}
