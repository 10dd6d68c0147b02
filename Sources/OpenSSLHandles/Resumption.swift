internal import COpenSSL

/// Whether a server takes a session that a client comes back with. OpenSSL asks nobody: neither whether the client's
/// certificate is good still, nor whether the client asks for the same name (RFC 6066, 3), nor how old all that is, because
/// each ticket of TLS 1.3 begins its time anew. What is not taken leads to a full handshake.
extension OwnedContext {
    /// Has a server look at the sessions that come back to it, where there is something to look at. OpenSSL does so for
    /// tickets only: what it keeps itself, for clients of TLS 1.2 that take none, it gives out without a word, and so keeps
    /// nothing. A ClientHello may choose another context, but the first one's callbacks and sessions remain in force.
    func holdSessions() -> Bool {
        guard !keepsSessionsElsewhere else { return true }  // they are looked at when they are found
        guard role == .server, examinesPeer || asksAboutHellos || identity.choosesByName else { return true }
        _ = unsafe copenssl_ctx_set_session_cache_mode(ctx, Int(SSL_SESS_CACHE_OFF))
        return unsafe SSL_CTX_set_session_ticket_cb(ctx, noteBeginning, holdTicket, nil) == 1
    }
}

/// Notes in a ticket when its sessions began, unless that is there from the ticket that was resumed.
let noteBeginning: @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> CInt = { ssl, _ in
    guard let session = unsafe SSL_get_session(ssl) else { return 1 }
    if unsafe beginning(of: session) != nil { return 1 }
    var now = Int64(time(nil))
    return unsafe SSL_SESSION_set1_ticket_appdata(session, &now, MemoryLayout<Int64>.size)
}

private let holdTicket: SSL_CTX_decrypt_session_ticket_fn = { ssl, session, _, _, status, _ in
    let isRead = status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW
    guard isRead, let ssl = unsafe ssl, let session = unsafe session, unsafe isGood(session, for: ssl) else {
        return SSL_TICKET_RETURN(SSL_TICKET_RETURN_IGNORE_RENEW)
    }
    return SSL_TICKET_RETURN(status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW)
}

/// Whether a session that a client has come back with is still as good as a whole handshake.
func isGood(_ session: OpaquePointer, for ssl: OpaquePointer) -> Bool {
    ERR_set_mark()
    defer { ERR_pop_to_mark() }
    guard let context = unsafe context(of: ssl), let beginning = unsafe beginning(of: session) else { return false }
    let (age, overflows) = Int64(time(nil)).subtractingReportingOverflow(beginning)
    // Another server may have made it, whose clock is a little ahead.
    guard !overflows, age >= -60, unsafe age <= Int64(SSL_CTX_get_timeout(context.ctx)) else { return false }
    guard unsafe isForSameName(session, ssl) else { return false }
    guard context.examinesPeer else { return true }
    guard let leaf = unsafe SSL_SESSION_get0_peer(session) else {
        let isAskedLater = unsafe context.trust.asksLater && SSL_SESSION_get_protocol_version(session) == TLS1_3_VERSION
        return isAskedLater || !context.requiresCertificate
    }
    return unsafe isGood(leaf, for: ssl, context)
}

/// A ticket has the client's own certificate only: the authorities above it have to be known here.
private func isGood(_ leaf: OpaquePointer, for ssl: OpaquePointer, _ context: OwnedContext) -> Bool {
    guard let check = unsafe X509_STORE_CTX_new() else { return false }
    defer { unsafe X509_STORE_CTX_free(check) }
    guard unsafe X509_STORE_CTX_init(check, SSL_CTX_get_cert_store(context.ctx), leaf, nil) == 1,
        unsafe setParameters(of: check, ssl, "ssl_client")
    else { return false }
    // Nothing is noted for the connection: its own verification is still to come if this fails.
    return unsafe verify(check, context) == 1
}

/// In TLS 1.3 a session is for no name: the server chooses for each connection anew (RFC 8446, 4.2.11).
private func isForSameName(_ session: OpaquePointer, _ ssl: OpaquePointer) -> Bool {
    if unsafe SSL_SESSION_get_protocol_version(session) == TLS1_3_VERSION { return true }
    let before = unsafe SSL_SESSION_get0_hostname(session).map {
        unsafe lowerCase(UnsafeRawBufferPointer(start: $0, count: strlen($0)))
    }
    return unsafe before == helloHostName(ssl).map { unsafe lowerCase($0) }
}

/// When the first of its sessions began, in seconds since 1970.
private func beginning(of session: OpaquePointer) -> Int64? {
    var data: UnsafeMutableRawPointer?
    var count = 0
    guard unsafe SSL_SESSION_get0_ticket_appdata(session, &data, &count) == 1, let data = unsafe data,
        count == MemoryLayout<Int64>.size
    else { return nil }
    return unsafe data.loadUnaligned(as: Int64.self)
}
