internal import COpenSSL

/// What OpenSSL's callbacks saw of one connection. They run inside a step and only write here; the step's caller
/// reads it afterwards, so no user code ever runs inside OpenSSL.
@usableFromInline package struct Observations {
    package var recordsIn: UInt64 = 0
    package var recordsOut: UInt64 = 0
    /// Messages that ask for new keys, since `takeUpdates`: KeyUpdates that want an answer, HelloRequests, ClientHellos
    /// (the first one too).
    fileprivate var updateRequestsIn: UInt16 = 0
    /// KeyUpdates that want no answer; they may be answers to ours. The highest bit: a Finished.
    fileprivate var updatesIn: UInt16 = 0
    /// None of ours has that number (RFC 8446, 6), and an idle connection has no byte to spare.
    private static var noAlert: UInt8 { 255 }
    private var lastAlertSent = Self.noAlert
    package var alertSent: UInt8? {
        get { lastAlertSent == Self.noAlert ? nil : lastAlertSent }
        set { lastAlertSent = newValue ?? Self.noAlert }
    }
    package var alertReceived: UInt8?
    /// Messages of a handshake were sent or read, since `takeHandshake`.
    fileprivate var handshakeWasSeen = false

    /// Counts on from nothing. To be called after each step: what one step reads has less than 65536 messages.
    mutating func takeUpdates() -> Updates {
        defer { (updateRequestsIn, updatesIn) = (0, 0) }
        return Updates(requests: updateRequestsIn, others: updatesIn)
    }

    /// Whether any message of a handshake has gone by, tickets and KeyUpdates included, since the last time.
    mutating func takeHandshake() -> Bool {
        defer { handshakeWasSeen = false }
        return handshakeWasSeen
    }
}

/// What has come that changes keys, or asks for work.
package struct Updates {
    /// Of those that want an answer.
    package let requests: UInt16
    fileprivate let others: UInt16
    fileprivate static var finished: UInt16 { 1 << 15 }

    package var isEmpty: Bool { requests | others == 0 }
    /// KeyUpdates that want none.
    package var plain: UInt16 { others & ~Self.finished }
    /// The peer's part of a handshake is done.
    package var hasFinished: Bool { others & Self.finished != 0 }
}

/// Has OpenSSL report what it sends and receives to whoever listens at the moment (`listen`).
func observe(_ ssl: OpaquePointer) {
    unsafe SSL_set_msg_callback(ssl, noteMessage)
}

typealias MessageCallback =
    @convention(c) (
        CInt, CInt, CInt, UnsafeRawPointer?, Int, OpaquePointer?, UnsafeMutableRawPointer?
    ) -> Void

let noteMessage: MessageCallback = { isWrite, version, type, bytes, count, ssl, target in
    guard let seen = unsafe target?.assumingMemoryBound(to: Observations.self) else { return }
    switch type {
    case SSL3_RT_HEADER where isWrite == 1:
        unsafe seen.pointee.recordsOut &+= 1
        unsafe copenssl_probe_record_out(UnsafeRawPointer(ssl), bytes)
    case SSL3_RT_HEADER:
        unsafe seen.pointee.recordsIn &+= 1
        unsafe copenssl_probe_record_in(UnsafeRawPointer(ssl), bytes)
    case SSL3_RT_ALERT, SSL3_RT_HANDSHAKE:
        unsafe note(
            isWrite: isWrite == 1, version, type, UnsafeRawBufferPointer(start: bytes, count: count), &seen.pointee)
    default:
        break
    }
}

/// Whom it reports to from now on, for the length of a step.
func listen(_ ssl: OpaquePointer, _ target: UnsafeMutablePointer<Observations>) {
    unsafe copenssl_set_msg_arg(ssl, target)
}

@inline(never)
private func note(
    isWrite: Bool, _ version: CInt, _ type: CInt, _ bytes: UnsafeRawBufferPointer, _ seen: inout Observations
) {
    switch (type, isWrite) {
    case (SSL3_RT_ALERT, _):
        guard bytes.count == 2 else { return }
        let (level, alert) = unsafe (CInt(bytes[0]), bytes[1])
        // Warnings end nothing: close_notify and user_canceled, and no_renegotiation in TLS 1.2.
        guard level == SSL3_AL_FATAL else { return }
        if isWrite { seen.alertSent = alert } else { seen.alertReceived = alert }
    case (SSL3_RT_HANDSHAKE, true):
        seen.handshakeWasSeen = true
    case (SSL3_RT_HANDSHAKE, false):
        seen.handshakeWasSeen = true
        guard let first = unsafe bytes.first else { return }
        switch CInt(first) {
        case SSL3_MT_HELLO_REQUEST, SSL3_MT_CLIENT_HELLO: seen.updateRequestsIn &+= 1
        // After the handshake it asks for a signature; before, nobody looks at these.
        case SSL3_MT_CERTIFICATE_REQUEST where version == TLS1_3_VERSION: seen.updateRequestsIn &+= 1
        case SSL3_MT_FINISHED: seen.updatesIn |= Updates.finished
        case SSL3_MT_KEY_UPDATE where unsafe bytes.last == 1: seen.updateRequestsIn &+= 1
        case SSL3_MT_KEY_UPDATE: seen.updatesIn &+= 1
        default: break
        }
    default:
        break
    }
}
