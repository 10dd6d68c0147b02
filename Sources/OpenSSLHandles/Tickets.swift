internal import COpenSSL

/// When a server gives its clients session tickets.
package enum TicketMode {
    /// In TLS 1.3 with the first application write; in TLS 1.2 they belong to the handshake always (RFC 5077, 3.1).
    case withWrite
    /// As part of the handshake.
    case withHandshake
    case never
}

/// The tickets of a server.
extension OwnedContext {
    package func setTickets(_ count: Int) {
        ticketCount = count
    }

    package func setTicketMode(_ mode: TicketMode) {
        ticketMode = mode
        applyTicketMode()
    }

    /// In TLS 1.3 OpenSSL sends tickets all the same, that are no more than an id: `ticketCount` says how many.
    func applyTicketMode() {
        let option = copenssl_op_no_ticket()
        let isSet = ticketMode == .never || keepsSessionsElsewhere
        _ = unsafe isSet ? SSL_CTX_set_options(ctx, option) : SSL_CTX_clear_options(ctx, option)
    }
}

/// The keys of tickets, where the program has some of its own. They may be changed while connections are served, by any thread;
/// but OpenSSL has to be told before the first connection that there are such keys.
extension OwnedContext {
    package var hasTicketKeys: Bool { ticketKeys != nil }

    package func addTicketKey(_ key: TicketKey) throws(SettingRefused) {
        try ownTicketKeys().add(key)
    }

    /// Takes the keys of a text in place of all others.
    package func setTicketKeys(_ source: borrowing PEMSource) throws(SettingRefused) {
        let keys = try TicketKeyFile.read(source)
        try ownTicketKeys().replace(by: keys)
    }

    package func removeTicketKey(_ name: [UInt8]) {
        ticketKeys?.remove(name)
    }

    /// Has it ask for the keys of tickets that no key here has sealed, or not.
    package func askForTicketKeys(_ asks: Bool) throws(SettingRefused) {
        if asks { _ = try ownTicketKeys() }
        asksForTicketKeys = asks
    }

    /// Has the same keys as another from now on, whoever changes them: these if there are some, else the other's.
    func shareTicketKeys(of other: OwnedContext) -> Bool {
        guard let ring = other.ticketKeys else { return true }
        if let ticketKeys {
            if !ticketKeys.all.isEmpty { ring.replace(by: ticketKeys.all) }
        } else if unsafe SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, useTicketKey) != 1 {
            return false
        }
        ticketKeys = ring
        return true
    }

    private func ownTicketKeys() throws(SettingRefused) -> TicketKeyRing {
        if let ticketKeys { return ticketKeys }
        guard role == .server else { throw SettingRefused("only a server has keys for tickets") }
        guard let fresh = TicketKeyRing() else { throw unsafe .outOfMemory() }
        guard unsafe SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, useTicketKey) == 1 else {
            throw SettingRefused("OpenSSL does not take keys for tickets", .drain())
        }
        ticketKeys = fresh
        return fresh
    }
}

/// Has OpenSSL seal a ticket, or open one.
private let useTicketKey:
    @convention(c) (
        OpaquePointer?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt8>?, OpaquePointer?, OpaquePointer?, CInt
    ) -> CInt = { ssl, name, vector, cipher, mac, seals in
        guard let ssl = unsafe ssl, let name = unsafe name, let vector = unsafe vector,
            let ring = unsafe ticketKeys(of: ssl)
        else { return -1 }
        let now = Int64(time(nil))
        guard seals == 0 else {
            // Without a key there is no ticket; but in TLS 1.3 an old OpenSSL then sends one that is malformed (openssl#18977).
            let mayDoWithout = unsafe SSL_version(ssl) != TLS1_3_VERSION
            guard let key = ring.sealer(at: now) ?? (mayDoWithout ? nil : .forNobody) else {
                return mayDoWithout ? 0 : -1
            }
            return unsafe key.seal(name, vector, cipher, mac) ? 1 : -1
        }
        guard let (key, isOld) = unsafe ring.opener(name, at: now) ?? askedOpener(ssl, name, ring.sealer(at: now))
        else { return 0 }
        guard unsafe key.open(vector, cipher, mac) else { return -1 }
        return isOld ? 2 : 1
    }

/// The one that the program says, which opens this one ticket; and whether another seals by now.
private func askedOpener(
    _ ssl: OpaquePointer, _ name: UnsafePointer<UInt8>, _ sealer: TicketKey?
) -> (key: TicketKey, isOld: Bool)? {
    guard let context = unsafe context(of: ssl), context.asksForTicketKeys, let inquiry = unsafe inquiry(of: ssl),
        let key = unsafe inquiry.askForTicketKey(
            named: [UInt8](UnsafeBufferPointer(start: name, count: TicketKey.nameCount)))
    else { return nil }
    return (key, sealer != nil)
}

/// Whether a ticket would be one that somebody can open.
func canSealTickets(_ ssl: OpaquePointer) -> Bool {
    guard let ring = unsafe ticketKeys(of: ssl), unsafe SSL_get_options(ssl) & copenssl_op_no_ticket() == 0
    else { return true }
    return ring.sealer(at: Int64(time(nil))) != nil
}

// MARK: Whose keys they are

private nonisolated(unsafe) var firstSlot: CInt = -1
private nonisolated(unsafe) var firstOnce: CRYPTO_ONCE = 0

/// The keys that OpenSSL asks for: those of the context that the connection began with. Nil when it has none of its own.
private func ticketKeys(of ssl: OpaquePointer) -> TicketKeyRing? {
    if let kept = unsafe SSL_get_ex_data(ssl, firstSlot) {
        return unsafe Unmanaged<OwnedContext>.fromOpaque(kept).takeUnretainedValue().ticketKeys
    }
    return unsafe context(of: ssl)?.ticketKeys
}

/// To be called before a connection goes on with another context: it keeps the one that it began with, by whose keys OpenSSL
/// seals its tickets, and which clears them when it goes. False without memory.
func keepTicketKeys(_ ssl: OpaquePointer) -> Bool {
    guard let first = unsafe context(of: ssl) else { return true }
    _ = unsafe CRYPTO_THREAD_run_once(&firstOnce) {
        unsafe firstSlot = copenssl_ssl_index_freed { _, kept, _, _, _, _ in
            guard let kept = unsafe kept else { return }
            unsafe Unmanaged<OwnedContext>.fromOpaque(kept).release()
        }
    }
    if unsafe SSL_get_ex_data(ssl, firstSlot) != nil { return true }
    let held = unsafe Unmanaged.passRetained(first)
    if unsafe SSL_set_ex_data(ssl, firstSlot, held.toOpaque()) == 1 { return true }
    unsafe held.release()
    return false
}
