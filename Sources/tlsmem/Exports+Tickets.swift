public import CTLSMem
internal import OpenSSLHandles

@implementation @_cdecl("tlsmem_ctx_set_tickets")
public func tlsmem_ctx_set_tickets(_ ctx: OpaquePointer!, _ count: CInt) -> CInt {
    unsafe set(ctx) { (openSSL) throws(SettingRefused) in
        try expect(count, in: 0...16, "the number of tickets is not 0 to 16")
        openSSL.setTickets(Int(count))
    }
}

@implementation @_cdecl("tlsmem_ctx_set_ticket_mode")
public func tlsmem_ctx_set_ticket_mode(_ ctx: OpaquePointer!, _ mode: tlsmem_ticket_mode) -> CInt {
    unsafe set(ctx) { (openSSL) throws(SettingRefused) in
        try expectServer(openSSL, "mode", "only a server sends tickets")
        openSSL.setTicketMode(try known(TicketMode(mode), mode.rawValue, "there is no such tlsmem_ticket_mode"))
    }
}

extension TicketMode {
    fileprivate init?(_ mode: tlsmem_ticket_mode) {
        switch mode {
        case TLSMEM_TICKETS_WITH_WRITE: self = .withWrite
        case TLSMEM_TICKETS_WITH_HANDSHAKE: self = .withHandshake
        case TLSMEM_TICKETS_NEVER: self = .never
        default: return nil
        }
    }
}

// MARK: Keys

@implementation @_cdecl("tlsmem_ctx_add_ticket_key")
public func tlsmem_ctx_add_ticket_key(_ ctx: OpaquePointer!, _ key: UnsafePointer<tlsmem_ticket_key>!) -> CInt {
    guard let key = unsafe key else { return TLSMEM_EINVAL.code }
    return unsafe setKeys(ctx) { (openSSL) throws(SettingRefused) in
        try openSSL.addTicketKey(unsafe ticketKey(UnsafeMutablePointer(mutating: key)))
    }
}

@implementation @_cdecl("tlsmem_ctx_remove_ticket_key")
public func tlsmem_ctx_remove_ticket_key(_ ctx: OpaquePointer!, _ name: UnsafePointer<UInt8>!) -> CInt {
    guard let name = unsafe input(name, TicketKey.nameCount) else { return TLSMEM_EINVAL.code }
    return unsafe setKeys(ctx) { $0.removeTicketKey(unsafe [UInt8](name)) }
}

@implementation @_cdecl("tlsmem_ctx_set_ticket_keys_file")
public func tlsmem_ctx_set_ticket_keys_file(_ ctx: OpaquePointer!, _ path: UnsafePointer<CChar>!) -> CInt {
    guard let path = unsafe path else { return TLSMEM_EINVAL.code }
    return unsafe setKeys(ctx, path) { (openSSL) throws(SettingRefused) in
        try openSSL.setTicketKeys(try unsafe PEMSource(path: path, bytesMax: PEMSource.identityBytesMax))
    }
}

@implementation @_cdecl("tlsmem_ctx_set_ticket_keys_mem")
public func tlsmem_ctx_set_ticket_keys_mem(_ ctx: OpaquePointer!, _ text: UnsafeRawPointer!, _ n: Int) -> CInt {
    guard let text = unsafe input(text, n) else { return TLSMEM_EINVAL.code }
    return unsafe setKeys(ctx) { (openSSL) throws(SettingRefused) in
        try openSSL.setTicketKeys(try unsafe PEMSource(text, bytesMax: PEMSource.identityBytesMax))
    }
}

@implementation @_cdecl("tlsmem_ctx_set_ticket_key_cb")
public func tlsmem_ctx_set_ticket_key_cb(
    _ ctx: OpaquePointer!, _ cb: tlsmem_ticket_key_cb!, _ user: UnsafeMutableRawPointer!
) -> CInt {
    guard let context = unsafe Handle.object(ctx, Context.self) else { return TLSMEM_EINVAL.code }
    return unsafe context.set(nil) { (openSSL) throws(SettingRefused) in
        try openSSL.askForTicketKeys(unsafe cb != nil)
        unsafe context.onTicketKey = unsafe cb.map { unsafe ($0, user) }
    }
}

/// Changes the keys of what new connections are made of, which may be another context by now. Whoever had some before the first
/// connection may do so after it.
private func setKeys(
    _ ctx: OpaquePointer?, _ subject: UnsafePointer<CChar>? = nil,
    _ setting: (OwnedContext) throws(SettingRefused) -> Void
) -> CInt {
    guard let context = unsafe Handle.object(ctx, Context.self) else { return TLSMEM_EINVAL.code }
    let current = context.current.openSSL
    let change = { (_: OwnedContext) throws(SettingRefused) in try setting(current) }
    return unsafe current.hasTicketKeys ? context.renew(subject, change) : context.set(subject, change)
}

/// Reads the struct where it is: a copy would be a copy of the secret. It is not changed.
private func ticketKey(_ key: UnsafeMutablePointer<tlsmem_ticket_key>) throws(SettingRefused) -> TicketKey {
    guard unsafe key.pointee.size == MemoryLayout<tlsmem_ticket_key>.size else {
        throw SettingRefused(argument: "size", "it is not that of the struct: begin with TLSMEM_TICKET_KEY_INIT")
    }
    let times = unsafe TicketKeyTimes(
        sealsFrom: key.pointee.encrypt_from, sealsUntil: key.pointee.encrypt_until,
        opensUntil: key.pointee.decrypt_until)
    let name = unsafe withUnsafeBytes(of: &key.pointee.name) { unsafe [UInt8]($0) }
    return try unsafe TicketKey.checked(name, times) { target in
        unsafe withUnsafeBytes(of: &key.pointee.secret) { unsafe target.copyBytes(from: $0) }
    }
}
