internal import COpenSSL

/// How a handshake comes to its key: OpenSSL asks for it in one way in TLS 1.3, where it is a session, and in another before.
extension OwnedContext {
    func useKeys() {
        switch role {
        case .client:
            unsafe SSL_CTX_set_psk_use_session_callback(ctx, usesKeys ? offerKey : nil)
            unsafe SSL_CTX_set_psk_client_callback(ctx, usesKeys ? sendKey : nil)
        case .server:
            unsafe SSL_CTX_set_psk_find_session_callback(ctx, usesKeys ? findKey : nil)
            unsafe SSL_CTX_set_psk_server_callback(ctx, usesKeys ? giveKey : nil)
        }
    }

    /// Has a server's connection that changes to this context look for keys here, or nowhere.
    func useKeys(on ssl: OpaquePointer) {
        unsafe SSL_set_psk_find_session_callback(ssl, usesKeys ? findKey : nil)
        unsafe SSL_set_psk_server_callback(ssl, usesKeys ? giveKey : nil)
    }

    /// A client's.
    fileprivate func keyToOffer(
        _ ssl: OpaquePointer, hint: UnsafePointer<CChar>? = nil, isLast: Bool = false
    ) -> PresharedKey? {
        if let key = presharedKeys.all.first { return key }
        return unsafe asksForKeys ? inquiry(of: ssl)?.askForKey(hint: hint, isLast: isLast) : nil
    }

    /// A server's.
    fileprivate func key(named identity: UnsafeRawBufferPointer, _ ssl: OpaquePointer) -> PresharedKey? {
        if let key = unsafe presharedKeys.key(named: identity) { return key }
        return unsafe asksForKeys ? inquiry(of: ssl)?.askForKey(named: identity) : nil
    }
}

// MARK: TLS 1.3

/// Adds a key to the ClientHello; after a HelloRetryRequest, which has chosen the hash, only if it is for that one.
private let offerKey: SSL_psk_use_session_cb_func = { ssl, hash, identity, count, session in
    unsafe session?.pointee = nil
    guard let ssl = unsafe ssl, unsafe hash == nil || EVP_MD_get_type(hash) == NID_sha256,
        let key = unsafe context(of: ssl)?.keyToOffer(ssl)
    else { return 1 }
    guard let fresh = unsafe key.session(for: ssl) else { return 0 }
    let name = OwnedContext.sessionName  // for which OpenSSL looks on a client, but not on a server
    _ = unsafe SSL_SESSION_set1_id_context(fresh, name.utf8Start, UInt32(name.utf8CodeUnitCount))
    unsafe session?.pointee = fresh  // which moves into OpenSSL, and keeps the identity
    unsafe identity?.pointee = UnsafeRawPointer(key.identity.text).assumingMemoryBound(to: UInt8.self)
    unsafe count?.pointee = key.identity.count
    return 1
}

/// Looks for the key that a client names; a ticket comes here first, too.
private let findKey: SSL_psk_find_session_cb_func = { ssl, identity, count, session in
    unsafe session?.pointee = nil
    guard let ssl = unsafe ssl,
        let key = unsafe context(of: ssl)?.key(named: UnsafeRawBufferPointer(start: identity, count: count), ssl)
    else { return 1 }
    guard let fresh = unsafe key.session(for: ssl) else { return 0 }
    unsafe session?.pointee = fresh  // likewise
    return 1
}

extension PresharedKey {
    /// It as a session, for the hash SHA-256 (RFC 8446, 4.2.11). Nil without memory.
    fileprivate func session(for ssl: OpaquePointer) -> OpaquePointer? {
        let suite: [UInt8] = [0x13, 0x01]
        guard let session = unsafe SSL_SESSION_new() else { return nil }
        if unsafe SSL_SESSION_set1_master_key(session, bytes.baseAddress, bytes.count) == 1,
            unsafe SSL_SESSION_set_cipher(session, SSL_CIPHER_find(ssl, suite)) == 1,
            unsafe SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) == 1,
            unsafe note(identity, in: session)
        {
            return unsafe session
        }
        unsafe SSL_SESSION_free(session)
        return nil
    }
}

// MARK: TLS 1.2

/// Names a key to the server. OpenSSL asks here also for TLS 1.3, when it was given none before.
private let sendKey: SSL_psk_client_cb_func = { ssl, hint, identity, identityMax, target, targetMax in
    guard let ssl = unsafe ssl, unsafe SSL_version(ssl) != TLS1_3_VERSION, let identity = unsafe identity,
        let key = unsafe context(of: ssl)?.keyToOffer(ssl, hint: hint, isLast: true),
        key.identity.count < Int(identityMax)
    else { return 0 }
    unsafe memcpy(identity, key.identity.text, key.identity.count + 1)
    return unsafe key.copy(to: target, targetMax)
}

/// Gives the key that a client names. Who names an unknown one gets a random one, so that it fails as with a wrong key: nobody
/// finds out which names there are (RFC 4279, 2: "decrypt_error").
private let giveKey: SSL_psk_server_cb_func = { ssl, identity, target, targetMax in
    guard let ssl = unsafe ssl, unsafe SSL_version(ssl) != TLS1_3_VERSION, let identity = unsafe identity,
        let target = unsafe target
    else { return 0 }
    let name = unsafe UnsafeRawBufferPointer(start: identity, count: strlen(identity))
    if let key = unsafe context(of: ssl)?.key(named: name, ssl) { return unsafe key.copy(to: target, targetMax) }
    let count = min(32, targetMax)
    return unsafe RAND_bytes(target, CInt(clamping: count)) == 1 ? count : 0
}

extension PresharedKey {
    fileprivate func copy(to target: UnsafeMutablePointer<UInt8>?, _ max: UInt32) -> UInt32 {
        guard let target = unsafe target, let start = unsafe bytes.baseAddress, unsafe bytes.count <= Int(max) else {
            return 0
        }
        unsafe memcpy(target, start, bytes.count)
        return unsafe UInt32(clamping: bytes.count)
    }
}

// MARK: Which one it was

extension OwnedSSL {
    /// The name of the key by which the peers have proved to each other who they are; nil when it was none. As long as the
    /// connection.
    package var keyIdentity: UnsafePointer<CChar>? {
        guard unsafe context(of: ssl)?.usesKeys == true else { return nil }
        guard isTLS13 else { return unsafe SSL_get_psk_identity(ssl) }
        guard let session = unsafe SSL_get_session(ssl) else { return nil }
        return unsafe notedIdentity(of: session)?.text
    }

    /// The peers know each other by a key, and no certificate was shown. OpenSSL calls that a resumed session in TLS 1.3.
    package var isByKey: Bool { unsafe keyIdentity != nil }
}

private nonisolated(unsafe) var slot: CInt = -1
private nonisolated(unsafe) var slotOnce: CRYPTO_ONCE = 0

/// The number is made once in the process, and only when there are keys: what is in its place is held by each copy of a session.
private func identitySlot() -> CInt {
    _ = unsafe CRYPTO_THREAD_run_once(&slotOnce) {
        unsafe slot = copenssl_session_index(
            { _, _, held, _, _, _ in
                guard let held = unsafe held?.pointee else { return 1 }
                _ = unsafe Unmanaged<KeyIdentity>.fromOpaque(held).retain()
                return 1
            },
            { _, held, _, _, _, _ in
                guard let held = unsafe held else { return }
                unsafe Unmanaged<KeyIdentity>.fromOpaque(held).release()
            })
    }
    return unsafe slot
}

/// False without memory.
private func note(_ identity: KeyIdentity, in session: OpaquePointer) -> Bool {
    let held = unsafe Unmanaged.passRetained(identity)
    if unsafe SSL_SESSION_set_ex_data(session, identitySlot(), held.toOpaque()) == 1 { return true }
    unsafe held.release()
    return false
}

private func notedIdentity(of session: OpaquePointer) -> KeyIdentity? {
    guard let found = unsafe SSL_SESSION_get_ex_data(session, identitySlot()) else { return nil }
    return unsafe Unmanaged<KeyIdentity>.fromOpaque(found).takeUnretainedValue()
}

/// A session that is resumed is not the key any more that it began with.
func forgetKey(in session: OpaquePointer) {
    guard let identity = unsafe notedIdentity(of: session) else { return }
    if unsafe SSL_SESSION_set_ex_data(session, identitySlot(), nil) == 1 {
        unsafe Unmanaged.passUnretained(identity).release()
    }
}
