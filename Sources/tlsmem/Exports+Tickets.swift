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
