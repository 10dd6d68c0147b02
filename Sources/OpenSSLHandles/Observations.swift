internal import COpenSSL

/// What OpenSSL's callbacks saw of one connection. They run inside a step and only write here; the step's caller
/// reads it afterwards, so no user code ever runs inside OpenSSL.
@usableFromInline package struct Observations {
    package var recordsIn: UInt64 = 0
    package var recordsOut: UInt64 = 0
    /// Messages that ask for new keys: KeyUpdates that want an answer, HelloRequests, ClientHellos (the first one too).
    package var updateRequestsIn: UInt64 = 0
    /// KeyUpdates that want no answer; they may be answers to ours.
    package var updatesIn: UInt64 = 0
    package var alertSent: UInt8?
    package var alertReceived: UInt8?
    package var verifyDepth: CInt = -1
    var keylog: CInt = -1
}

/// Where an SSL keeps the address of its observations: OpenSSL's slot number, made once in the process.
private nonisolated(unsafe) var slot: CInt = -1
private nonisolated(unsafe) var slotOnce: CRYPTO_ONCE = 0

private func observationsSlot() -> CInt {
    unsafe CRYPTO_THREAD_run_once(&slotOnce) { unsafe slot = copenssl_ssl_index() }
    return unsafe slot
}

private func observations(of ssl: OpaquePointer?) -> UnsafeMutablePointer<Observations>? {
    guard let ssl = unsafe ssl else { return nil }
    return unsafe SSL_get_ex_data(ssl, observationsSlot())?.assumingMemoryBound(to: Observations.self)
}

/// Has OpenSSL report to `target`, which must outlive the SSL.
func observe(_ ssl: OpaquePointer, into target: UnsafeMutablePointer<Observations>) -> Bool {
    guard unsafe SSL_set_ex_data(ssl, observationsSlot(), target) == 1 else { return false }
    unsafe copenssl_set_msg_arg(ssl, target)
    unsafe SSL_set_msg_callback(ssl) { isWrite, _, type, bytes, count, _, target in
        guard let target = unsafe target?.assumingMemoryBound(to: Observations.self), let bytes = unsafe bytes else {
            return
        }
        unsafe note(isWrite: isWrite == 1, type, UnsafeRawBufferPointer(start: bytes, count: count), &target.pointee)
    }
    return true
}

private func note(isWrite: Bool, _ type: CInt, _ bytes: UnsafeRawBufferPointer, _ seen: inout Observations) {
    switch (type, isWrite) {
    case (SSL3_RT_HEADER, true):
        seen.recordsOut &+= 1
    case (SSL3_RT_HEADER, false):
        seen.recordsIn &+= 1
    case (SSL3_RT_ALERT, _):
        guard bytes.count == 2 else { return }
        let (level, alert) = unsafe (CInt(bytes[0]), bytes[1])
        // Warnings end nothing: close_notify and user_canceled, and no_renegotiation in TLS 1.2.
        guard level == SSL3_AL_FATAL else { return }
        if isWrite { seen.alertSent = alert } else { seen.alertReceived = alert }
    case (SSL3_RT_HANDSHAKE, false):
        guard let first = unsafe bytes.first else { return }
        switch CInt(first) {
        case SSL3_MT_HELLO_REQUEST, SSL3_MT_CLIENT_HELLO: seen.updateRequestsIn &+= 1
        case SSL3_MT_KEY_UPDATE where unsafe bytes.last == 1: seen.updateRequestsIn &+= 1
        case SSL3_MT_KEY_UPDATE: seen.updatesIn &+= 1
        default: break
        }
    default:
        break
    }
}

/// OpenSSL's own verification decides; this only remembers where in the chain it said no.
let noteVerifyDepth: @convention(c) (CInt, OpaquePointer?) -> CInt = { isGood, store in
    guard isGood == 0, let store = unsafe store else { return isGood }
    let ssl = unsafe X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx())
    unsafe observations(of: ssl.map { OpaquePointer($0) })?.pointee.verifyDepth =
        X509_STORE_CTX_get_error_depth(store)
    return isGood
}

/// One write for the line and its end, to a file opened with O_APPEND: lines of several threads do not mix.
let appendToKeylog: @convention(c) (OpaquePointer?, UnsafePointer<CChar>?) -> Void = { ssl, line in
    guard let file = unsafe observations(of: ssl)?.pointee.keylog, file >= 0, let line = unsafe line else { return }
    var bytes = unsafe [UInt8](UnsafeRawBufferPointer(start: line, count: strlen(line)))
    bytes.append(UInt8(ascii: "\n"))
    _ = unsafe bytes.withUnsafeBytes { unsafe write(file, $0.baseAddress, $0.count) }
}
