internal import COpenSSL

/// Sessions that the program keeps, for many servers at once. A client has no more than an id of one: in TLS 1.2 the session id
/// (RFC 5246, 7.3), in TLS 1.3 a ticket that says nothing else (RFC 8446, 4.6.1).
extension OwnedContext {
    /// Has the program keep them, or not. OpenSSL then keeps none itself, and seals no tickets.
    package func keepSessions(elsewhere: Bool) {
        keepsSessionsElsewhere = elsewhere
        unsafe SSL_CTX_sess_set_new_cb(ctx, elsewhere ? noteSession : nil)
        unsafe SSL_CTX_sess_set_get_cb(ctx, elsewhere ? findSession : nil)
        let mode = elsewhere ? SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL : SSL_SESS_CACHE_SERVER
        _ = unsafe copenssl_ctx_set_session_cache_mode(ctx, Int(mode))
        applyTicketMode()
    }
}

extension OwnedSSL {
    /// What failed is not to be resumed (RFC 5246, 7.2.2; RFC 8446, 6.2).
    package borrowing func reportLostSession() {
        guard let reports = unsafe reports(of: ssl), reports.wantsSessions,
            let session = unsafe SSL_get_session(ssl)
        else { return }
        unsafe collectSession(.lostSession, session, into: reports)
    }
}

/// One session of a report: what the program is told of it.
@safe package struct SessionEntry {
    package let expires: Int64
    package let isTLS13: Bool
    package let id: UnsafeRawBufferPointer
    /// OpenSSL's DER; empty for one that is lost.
    package let der: UnsafeRawBufferPointer
}

extension Report {
    /// What stands in front of the id: when it ends, the version, and how long the id is.
    static var entryHead: Int { 10 }

    /// Valid as long as this. Nil for reports of another kind.
    package var sessionEntry: SessionEntry? {
        let all = unsafe bytes
        guard kind == .session || kind == .lostSession, all.count >= Self.entryHead else { return nil }
        let end = unsafe Self.entryHead + Int(all[9])
        guard end <= all.count else { return nil }
        return unsafe SessionEntry(
            expires: all.loadUnaligned(as: Int64.self), isTLS13: all[8] == 1,
            id: UnsafeRawBufferPointer(rebasing: all[Self.entryHead..<end]),
            der: UnsafeRawBufferPointer(rebasing: all[end...]))
    }
}

/// Puts a session into reports. Without memory it is not told of, and nobody can come back with it.
func collectSession(_ kind: Report.Kind, _ session: OpaquePointer, into reports: Reports) {
    var idCount: UInt32 = 0
    guard let id = unsafe SSL_SESSION_get_id(session, &idCount), idCount > 0, idCount <= 32 else { return }
    let derCount = kind == .session ? Int(unsafe i2d_SSL_SESSION(session, nil)) : 0
    let count = Report.entryHead + Int(idCount) + max(0, derCount)
    guard let start = unsafe copenssl_malloc(count) else { return }
    defer { unsafe copenssl_clear_free(start, count) }
    let memory = unsafe start.assumingMemoryBound(to: UInt8.self)
    var end = unsafe Int64(SSL_SESSION_get_time(session)) &+ Int64(SSL_SESSION_get_timeout(session))
    unsafe memcpy(memory, &end, MemoryLayout<Int64>.size)
    unsafe memory[8] = SSL_SESSION_get_protocol_version(session) == TLS1_3_VERSION ? 1 : 0
    unsafe memory[9] = UInt8(truncatingIfNeeded: idCount)
    unsafe memcpy(memory + Report.entryHead, id, Int(idCount))
    var place: UnsafeMutablePointer<UInt8>? = unsafe memory + Report.entryHead + Int(idCount)
    if derCount > 0 { _ = unsafe i2d_SSL_SESSION(session, &place) }
    unsafe reports.add(kind, Report.Origin(), UnsafeRawBufferPointer(start: start, count: count))
}

/// A handshake is done, or a ticket is about to be sent. OpenSSL keeps its reference.
private let noteSession: @convention(c) (OpaquePointer?, OpaquePointer?) -> CInt = { ssl, session in
    guard let ssl = unsafe ssl, let session = unsafe session, let reports = unsafe reports(of: ssl),
        reports.wantsSessions, unsafe noteBeginning(ssl, nil) == 1
    else { return 0 }
    unsafe collectSession(.session, session, into: reports)
    return 0
}

/// A client has come with an id. What is found is looked at as a ticket would be; the reference moves to OpenSSL.
private let findSession:
    @convention(c) (OpaquePointer?, UnsafePointer<UInt8>?, CInt, UnsafeMutablePointer<CInt>?) -> OpaquePointer? = {
        ssl, id, count, isCopied in
        unsafe isCopied?.pointee = 0
        guard let ssl = unsafe ssl, let inquiry = unsafe inquiry(of: ssl), count > 0 else { return nil }
        let id = unsafe [UInt8](UnsafeBufferPointer(start: id, count: Int(count)))
        let version = unsafe SSL_version(ssl)
        guard let der = inquiry.askForSession(id, isTLS13: version == TLS1_3_VERSION).bytes,
            let session = unsafe Session.readSession(der.bytes)
        else {
            ERR_clear_error()
            return nil
        }
        if unsafe SSL_SESSION_get_protocol_version(session) == version, unsafe hasID(session, id),
            unsafe isGood(session, for: ssl)
        {
            return unsafe session
        }
        unsafe SSL_SESSION_free(session)
        return nil
    }

private func hasID(_ session: OpaquePointer, _ id: [UInt8]) -> Bool {
    var count: UInt32 = 0
    let own = unsafe SSL_SESSION_get_id(session, &count)
    return unsafe UnsafeBufferPointer(start: own, count: Int(count)).elementsEqual(id)
}
