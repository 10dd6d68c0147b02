internal import COpenSSL

/// The question that a handshake stands still for: what it is about, and the answer.
extension OwnedSSL {
    /// Nil when none is open.
    package var question: Question? { unsafe inquiry(of: ssl)?.question }

    /// The next step goes on with that.
    package borrowing func give(_ answer: Answer) { unsafe inquiry(of: ssl)?.give(answer) }

    /// Nobody will answer: the handshake ends now.
    package mutating func giveUpQuestion() {
        if question != nil { stopAsking() }
    }

    /// The key that is asked for, while it is.
    package var keyRequest: KeyRequest { unsafe inquiry(of: ssl)?.keyRequest ?? KeyRequest() }

    /// The session that is asked for, while it is.
    package var sessionRequest: (id: [UInt8], isTLS13: Bool) { unsafe inquiry(of: ssl)?.sessionRequest ?? ([], false) }

    /// The name of the key that is asked for, while it is.
    package var ticketKeyName: [UInt8] { unsafe inquiry(of: ssl)?.ticketKeyName ?? [] }

    /// The program has refused the peer.
    package var isRefused: Bool { unsafe inquiry(of: ssl)?.isRefused ?? false }

    // MARK: A ClientHello

    /// Chooses an application protocol in place of what the list would give; false when the client does not offer it.
    package borrowing func selectALPN(_ name: borrowing RawSpan) -> Bool {
        guard let offered = unsafe helloALPN, let size = UInt8(exactly: name.byteCount), size > 0 else { return false }
        let wanted = unsafe [size] + name.withUnsafeBytes { unsafe [UInt8]($0) }
        var at = 0
        while at < offered.count {
            let end = unsafe at + 1 &+ Int(offered[at])
            guard end <= offered.count else { return false }
            if unsafe offered[at..<end].elementsEqual(wanted) {
                unsafe inquiry(of: ssl)?.alpn = wanted
                return true
            }
            at = end
        }
        return false
    }

    /// The body of an extension of the ClientHello. Valid while the question is open.
    private func helloExtension(_ type: CInt) -> UnsafeRawBufferPointer? {
        guard case .clientHello = question else { return nil }
        return unsafe OpenSSLHandles.helloExtension(ssl, type)
    }

    /// The host name that the client wants (RFC 6066, 3), with a final 0; nil when it sends none, or none that is a name.
    package var helloServerName: [CChar]? {
        guard case .clientHello = question, let sent = unsafe helloHostName(ssl) else { return nil }
        let name = unsafe sent.map { CChar(bitPattern: $0) }
        return isHostName(name[...]) ? name + [0] : nil
    }

    /// The protocols that it offers, each behind its length (RFC 7301, 3.1).
    package var helloALPN: UnsafeRawBufferPointer? {
        guard let body = unsafe helloExtension(TLSEXT_TYPE_application_layer_protocol_negotiation), body.count > 2
        else { return nil }
        return unsafe UnsafeRawBufferPointer(rebasing: body[2...])
    }

    /// The cipher suites that it offers, two bytes each; nil in the form of SSL 2, which has others as well.
    package var helloCiphers: UnsafeRawBufferPointer? {
        guard case .clientHello = question, unsafe SSL_client_hello_isv2(ssl) == 0 else { return nil }
        var start: UnsafePointer<UInt8>?
        let count = unsafe SSL_client_hello_get0_ciphers(ssl, &start)
        return unsafe UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count)
    }

    /// The newest version that it offers, by its number on the wire.
    package var helloVersion: CInt {
        guard case .clientHello = question else { return 0 }
        let legacy = unsafe CInt(clamping: SSL_client_hello_get0_legacy_version(ssl))
        guard let body = unsafe helloExtension(TLSEXT_TYPE_supported_versions), body.count > 2 else { return legacy }
        var newest: CInt = 0
        for index in stride(from: 1, to: body.count - 1, by: 2) {
            let version = unsafe CInt(body[index]) << 8 | CInt(body[index + 1])
            // RFC 8701: values such as 0x7a7a only see that unknown ones are passed over.
            if version >> 8 == 3 { newest = max(newest, version) }
        }
        return newest
    }

    /// Has the connection go on as one of another context: everything that can still matter is taken over. False without
    /// memory.
    package borrowing func change(to other: OwnedContext) -> Bool {
        ERR_clear_error()
        defer { ERR_clear_error() }
        let ctx = unsafe other.ctx
        guard unsafe keepTicketKeys(ssl), unsafe SSL_set_SSL_CTX(ssl, ctx) != nil else { return false }
        // The rest was copied from the first context when the SSL was made, or has to be named.
        unsafe other.useKeys(on: ssl)
        unsafe SSL_set_verify(ssl, SSL_CTX_get_verify_mode(ctx), SSL_CTX_get_verify_callback(ctx))
        let options = unsafe SSL_CTX_get_options(ctx)
        _ = unsafe SSL_clear_options(ssl, SSL_get_options(ssl) & ~options)
        _ = unsafe SSL_set_options(ssl, options)
        let mode = Int(SSL_MODE_RELEASE_BUFFERS)
        _ = unsafe other.keepsBuffers ? copenssl_clear_mode(ssl, mode) : copenssl_set_mode(ssl, mode)
        unsafe copenssl_set_max_cert_list(ssl, copenssl_ctx_get_max_cert_list(ctx))
        _ = unsafe SSL_set_max_early_data(ssl, SSL_CTX_get_max_early_data(ctx))
        _ = unsafe SSL_set_recv_max_early_data(ssl, SSL_CTX_get_recv_max_early_data(ctx))
        let parameters = unsafe SSL_get0_param(ssl)
        let flags = unsafe X509_VERIFY_PARAM_get_flags(SSL_CTX_get0_param(ctx))  // which would only be added
        _ = unsafe X509_VERIFY_PARAM_clear_flags(parameters, X509_VERIFY_PARAM_get_flags(parameters) & ~flags)
        return unsafe copenssl_set_min(ssl, other.versions.lowerBound) == 1
            && copenssl_set_max(ssl, other.versions.upperBound) == 1
            && SSL_set1_param(ssl, SSL_CTX_get0_param(ctx)) == 1
            && (other.groups.isEmpty || copenssl_set_groups(ssl, other.groups) == 1)
    }

    // MARK: A signature

    /// Who gave the certificates that the program has chosen; nil when it has not.
    package var identityHolder: AnyObject? { unsafe inquiry(of: ssl)?.identityHolder }

    package var signatureRequest: SignatureRequest? { unsafe inquiry(of: ssl)?.request }

    // MARK: A verdict

    /// What verification came to (X509_V_OK for good), and where in the chain.
    package var verdict: (result: Int, depth: CInt) {
        guard case .verdict = question, let store = unsafe inquiry(of: ssl)?.verification else { return (0, -1) }
        let result = unsafe X509_STORE_CTX_get_error(store)
        return (Int(result), result == X509_V_OK ? -1 : unsafe X509_STORE_CTX_get_error_depth(store))
    }
}
