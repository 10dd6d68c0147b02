internal import COpenSSL

/// What a server does with a ClientHello before OpenSSL answers it.
extension OwnedContext {
    /// Has OpenSSL show them, where somebody wants to see them.
    func listenForHellos() {
        guard role == .server else { return }
        unsafe SSL_CTX_set_client_hello_cb(ctx, asksAboutHellos || requiresALPN ? hearHello : nil, nil)
    }
}

private let hearHello: @convention(c) (OpaquePointer?, UnsafeMutablePointer<CInt>?, UnsafeMutableRawPointer?) -> CInt =
    { ssl, alert, _ in
        guard let ssl = unsafe ssl, let refusal = unsafe refusal(of: ssl) else { return SSL_CLIENT_HELLO_SUCCESS }
        unsafe alert?.pointee = CInt(refusal)
        return SSL_CLIENT_HELLO_ERROR
    }

/// The alert that refuses the ClientHello which is being read; nil for none.
private func refusal(of ssl: OpaquePointer) -> UInt8? {
    if let inquiry = unsafe inquiry(of: ssl) {
        guard unsafe isWellFormed(ssl) else { return UInt8(SSL_AD_DECODE_ERROR) }
        if let refusal = unsafe inquiry.askAboutHello(ssl) { return refusal }
    }
    // OpenSSL does not ask for a choice when a client offers nothing; in a renegotiation it never does. The program may
    // have changed the context.
    guard unsafe SSL_renegotiate_pending(ssl) == 0, unsafe context(of: ssl)?.requiresALPN == true,
        unsafe helloExtension(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation) == nil
    else { return nil }
    return UInt8(SSL_AD_NO_APPLICATION_PROTOCOL)
}

/// What is shown to the program is what it is said to be: OpenSSL looks at it only later.
private func isWellFormed(_ ssl: OpaquePointer) -> Bool {
    var start: UnsafePointer<UInt8>?
    guard unsafe SSL_client_hello_isv2(ssl) == 1 || SSL_client_hello_get0_ciphers(ssl, &start) % 2 == 0 else {
        return false
    }
    guard let body = unsafe helloExtension(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation) else { return true }
    guard body.count > 2, unsafe Int(body[0]) << 8 | Int(body[1]) == body.count - 2 else { return false }
    var at = 2
    while at < body.count {
        guard unsafe body[at] > 0 else { return false }
        at &+= unsafe 1 + Int(body[at])
    }
    return at == body.count
}

/// The body of an extension of the ClientHello that is being read (RFC 8446, 4.2); nil when it has none.
func helloExtension(_ ssl: OpaquePointer, _ type: CInt) -> UnsafeRawBufferPointer? {
    var start: UnsafePointer<UInt8>?
    var count = 0
    guard unsafe SSL_client_hello_get0_ext(ssl, UInt32(bitPattern: type), &start, &count) == 1 else { return nil }
    return unsafe UnsafeRawBufferPointer(start: start, count: count)
}

/// The host name in it (RFC 6066, 3), as it was sent; nil when there is none.
func helloHostName(_ ssl: OpaquePointer) -> UnsafeRawBufferPointer? {
    guard let body = unsafe helloExtension(ssl, TLSEXT_TYPE_server_name), body.count > 5,
        unsafe body[2] == UInt8(TLSEXT_NAMETYPE_host_name)
    else { return nil }
    let count = unsafe Int(body[3]) << 8 | Int(body[4])
    guard count <= body.count - 5 else { return nil }
    return unsafe UnsafeRawBufferPointer(rebasing: body[5..<5 + count])
}
