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
        guard let ssl = unsafe ssl else { return SSL_CLIENT_HELLO_ERROR }
        if let inquiry = unsafe inquiry(of: ssl), let refusal = unsafe inquiry.askAboutHello(ssl) {
            unsafe alert?.pointee = CInt(refusal)
            return SSL_CLIENT_HELLO_ERROR
        }
        // OpenSSL does not ask for a choice when a client offers nothing. The program may have changed the context.
        let isOffered = unsafe helloExtension(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation) != nil
        if !isOffered, unsafe context(of: ssl)?.requiresALPN == true {
            unsafe alert?.pointee = SSL_AD_NO_APPLICATION_PROTOCOL
            return SSL_CLIENT_HELLO_ERROR
        }
        return SSL_CLIENT_HELLO_SUCCESS
    }

/// The body of an extension of the ClientHello that is being read (RFC 8446, 4.2); nil when it has none.
func helloExtension(_ ssl: OpaquePointer, _ type: CInt) -> UnsafeRawBufferPointer? {
    var start: UnsafePointer<UInt8>?
    var count = 0
    guard unsafe SSL_client_hello_get0_ext(ssl, UInt32(type), &start, &count) == 1 else { return nil }
    return unsafe UnsafeRawBufferPointer(start: start, count: count)
}
