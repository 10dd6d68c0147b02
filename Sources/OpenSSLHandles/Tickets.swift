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
        let option = copenssl_op_no_ticket()
        _ = unsafe mode == .never ? SSL_CTX_set_options(ctx, option) : SSL_CTX_clear_options(ctx, option)
    }
}
