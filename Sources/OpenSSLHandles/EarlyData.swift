internal import COpenSSL

/// What became of the early data of a connection (RFC 8446, 2.3): data that a client sends behind its ClientHello, under the
/// keys of a session that it offers to resume.
package enum EarlyData {
    /// There was none, or nobody knows yet.
    case none
    case accepted
    case rejected
}

extension OwnedContext {
    /// Has a server take so many bytes of early data of each connection; 0 for none.
    package func setEarlyData(_ bytesMax: UInt32) {
        earlyDataMax = Int(bytesMax)
        _ = unsafe SSL_CTX_set_max_early_data(ctx, bytesMax)
        _ = unsafe SSL_CTX_set_recv_max_early_data(ctx, ciphertextMax(of: bytesMax))
        // OpenSSL's own guard would keep each session in memory, and give tickets that nobody asks us about (Resumption.swift)
        // and no other process can read.
        _ = unsafe SSL_CTX_set_options(ctx, copenssl_op_no_anti_replay())
        unsafe SSL_CTX_set_allow_early_data_cb(ctx, allowOnce, nil)
    }
}

/// What a ticket has allowed, and is refused now, is passed over as ciphertext: in small records that is much more. Of what
/// is taken, OpenSSL counts the plaintext.
private func ciphertextMax(of plaintext: UInt32) -> UInt32 {
    2 &* min(plaintext, .max / 4) &+ 65536
}

/// The last word, when OpenSSL has found that the ticket is good, was sent first, and is as old as the client says, give or
/// take ten seconds; and that neither the cipher nor the protocol is another (RFC 8446, 4.2.10).
private let allowOnce: @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> CInt = { ssl, _ in
    guard let session = unsafe SSL_get_session(ssl) else { return 0 }
    let promised = unsafe SSL_SESSION_get_max_early_data(session)
    guard unsafe promised <= SSL_get_max_early_data(ssl) else {
        _ = unsafe SSL_set_recv_max_early_data(ssl, ciphertextMax(of: promised))
        return 0
    }
    guard promised > 0, let mark = unsafe mark(of: session) else { return 0 }
    return UsedTickets.ofProcess?.use(mark, now: secondsSinceStart(), date: Int64(time(nil))) == true ? 1 : 0
}

/// A number for a ticket, made of its secret, which no two tickets share: they are derived from different nonces
/// (RFC 8446, 4.6.1). Two with the same number would only make one of them miss its early data.
private func mark(of session: OpaquePointer) -> UInt64? {
    unsafe withUnsafeTemporaryAllocation(byteCount: Int(EVP_MAX_MD_SIZE), alignment: 8) { secret in
        defer { unsafe OPENSSL_cleanse(secret.baseAddress, secret.count) }
        let start = unsafe secret.baseAddress?.assumingMemoryBound(to: UInt8.self)
        let count = unsafe SSL_SESSION_get_master_key(session, start, secret.count)
        var digest: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        let isMade = unsafe withUnsafeMutableBytes(of: &digest) { target in
            unsafe EVP_Digest(
                start, count, target.baseAddress?.assumingMemoryBound(to: UInt8.self), nil, EVP_sha256(), nil) == 1
        }
        return isMade && count > 0 ? digest.0 : nil
    }
}

/// By a clock that nobody sets.
private func secondsSinceStart() -> Int64 {
    var now = timespec()
    _ = unsafe clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec)
}

extension OwnedSSL {
    package var earlyData: EarlyData {
        switch unsafe SSL_get_early_data_status(ssl) {
        case SSL_EARLY_DATA_ACCEPTED: .accepted
        case SSL_EARLY_DATA_REJECTED: .rejected
        default: .none
        }
    }

    // MARK: A server

    /// Goes on with the handshake, and reads the early data that comes meanwhile: `done(0)` when there will be no more.
    package mutating func readEarly(into plaintext: inout MutableRawSpan) -> SSLResult {
        if mayAsk, let inquiry = unsafe inquiry(of: ssl) { return readEarly(into: &plaintext, inquiry) }
        let result = unsafe plaintext.withUnsafeMutableBytes { target in
            unsafe observed { unsafe readEarlyData($0, target) }
        }
        if case .done(let above) = result { return .done(above &- 1) }
        return result
    }

    /// One that may stand still reads into a buffer that stays.
    private mutating func readEarly(into plaintext: inout MutableRawSpan, _ inquiry: Inquiry) -> SSLResult {
        guard let buffer = unsafe inquiry.readBuffer() else { return .failed(.outOfMemory) }
        let result = unsafe observed(inquiry) { unsafe readEarlyData($0, buffer) }
        guard case .done(let above) = result else { return result }
        let count = min(above &- 1, plaintext.byteCount)
        unsafe plaintext.withUnsafeMutableBytes {
            unsafe $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
        return .done(count)
    }

    // MARK: A client, and a server that answers early data

    /// Has a client begin the handshake, as one that sends early data.
    package mutating func beginEarly() -> SSLResult {
        if mayAsk, let inquiry = unsafe inquiry(of: ssl) { return unsafe observed(inquiry, writeNoEarlyData) }
        return unsafe observed(writeNoEarlyData)
    }

    /// Behind that, or, on a server that has read some, before the handshake is done.
    package mutating func writeEarly(_ plaintext: borrowing RawSpan) -> SSLResult {
        var count = 0
        let result = unsafe plaintext.withUnsafeBytes { source in
            unsafe observed { unsafe SSL_write_early_data($0, source.baseAddress, source.count, &count) }
        }
        if case .done = result { return .done(count) }
        return result
    }

    // MARK: A client

    /// So much of it the session allows that is offered; 0 without one.
    package var earlyDataMax: Int {
        guard let session = unsafe SSL_get_session(ssl) else { return 0 }
        return Int(unsafe SSL_SESSION_get_max_early_data(session))
    }

    /// The session was made under the name, letter by letter, that we ask for: OpenSSL would end the handshake otherwise.
    package var asksForNameOfSession: Bool {
        guard let session = unsafe SSL_get_session(ssl), let before = unsafe SSL_SESSION_get0_hostname(session)
        else { return true }
        guard let now = unsafe serverName else { return false }
        return unsafe strcmp(before, now) == 0
    }

    /// The place of the application protocol that the session was made with among those that the context offers, for which
    /// early data is written; -1 for none. Nil when it is not offered: OpenSSL would end the handshake, likewise.
    package func protocolOfSession(_ context: OwnedContext) -> Int? {
        var name: UnsafePointer<UInt8>?
        var count = 0
        guard let session = unsafe SSL_get_session(ssl) else { return -1 }
        unsafe SSL_SESSION_get0_alpn_selected(session, &name, &count)
        return unsafe place(of: UnsafeRawBufferPointer(start: name, count: count), among: context)
    }

    /// The same of the protocol that the server has chosen.
    package func protocolChosen(_ context: OwnedContext) -> Int? {
        unsafe place(of: alpn, among: context)
    }
}

private func place(of wanted: UnsafeRawBufferPointer, among context: OwnedContext) -> Int? {
    if unsafe wanted.isEmpty { return -1 }
    var rest = unsafe context.alpn[...]
    while let length = unsafe rest.first {
        let offered = unsafe rest.dropFirst().prefix(Int(length))
        if unsafe offered.elementsEqual(wanted) { return unsafe offered.startIndex }
        unsafe rest = rest.dropFirst(Int(length) + 1)
    }
    return nil
}

/// One more than the bytes that were read: 1 when there will be no more, 0 when it could not go on.
private func readEarlyData(_ ssl: OpaquePointer, _ target: UnsafeMutableRawBufferPointer) -> CInt {
    var count = 0
    switch unsafe SSL_read_early_data(ssl, target.baseAddress, target.count, &count) {
    case SSL_READ_EARLY_DATA_ERROR: return 0
    default: return CInt(clamping: count &+ 1)
    }
}

/// Nothing is sent but the ClientHello. It offers TLS 1.3 alone: a client that has sent early data goes on with no server of
/// TLS 1.2 (RFC 8446, D.3), and OpenSSL 3.0 would, with a record of eight bytes that nobody has written.
private func writeNoEarlyData(_ ssl: OpaquePointer) -> CInt {
    guard unsafe copenssl_set_min(ssl, TLS1_3_VERSION) == 1 else { return 0 }
    var (none, count) = (UInt8(0), 0)
    return unsafe SSL_write_early_data(ssl, &none, 0, &count)
}
