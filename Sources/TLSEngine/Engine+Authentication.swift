package import OpenSSLHandles

/// Who is told when the client has answered is the business of whoever asks.
open class PendingRequest {
    package init() {}
}

/// A server that asks its client for a certificate in the middle of a connection (RFC 8446, 4.6.2).
extension Engine {
    /// Asks now; false when this is not the time, or the client has not offered to be asked.
    package mutating func request(
        _ request: PendingRequest, incoming: MemoryBIO, _ pool: BufferPool
    ) -> Bool {
        guard role == .server, canUpdateKey, configuration.context.examinesPeer, isAttached(incoming, pool),
            ssl.startAsking(as: configuration.context)
        else { return false }
        guard ssl.scheduleCertificateRequest() else {
            ssl.stopAsking()
            return false
        }
        keys.request = request
        if case .failed(let cause) = ssl.handshake() { _ = fail(cause) }
        _ = outgoing.countNew(ssl)
        return true
    }

    /// The client was asked, and has not answered.
    package var awaitsCertificate: Bool { rekeying?.request != nil }

    /// It has answered.
    package func takeRequest() -> PendingRequest? {
        defer { rekeying?.request = nil }
        return rekeying?.request
    }

    /// It has answered. Its next sessions are those of who it is now.
    mutating func authenticated(_ step: Step) -> Step {
        if case .asks = step { return step }
        ssl.stopAsking()
        ticketsDue = UInt8(clamping: configuration.context.ticketCount)
        return .authenticated(step)
    }

    /// What the client says of itself is not proven yet.
    package var isAuthenticating: Bool {
        guard case .open = state else { return false }
        return role == .server && ssl.isTLS13 && ssl.isInHandshake && ssl.question == nil
    }
}
