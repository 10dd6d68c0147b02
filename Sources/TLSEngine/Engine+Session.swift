package import OpenSSLHandles

/// Sessions of a client.
extension Engine {
    /// Offers a session in the handshake to come. Returns what OpenSSL works with, for `newestSession`, or says what speaks
    /// against it, and then nothing changes.
    ///
    /// In a resumed handshake nobody would verify who the server is, so it is done here.
    package func offer(_ session: Session) throws(EngineFailure) -> Session {
        if let refusal = refusal() { throw refusal }
        // RFC 8446, 4.6.1: the certificate must be for the name, and the name should be the same.
        guard session.name == ssl.nameToVerify else { throw EngineFailure(.wrongHost) }
        guard configuration.context.speaks(session.protocolVersion) else { throw EngineFailure(.noCommonVersion) }
        guard ssl.offersCipher(of: session) else { throw EngineFailure(.noCommonCipher) }
        guard !session.hasExpired else { throw EngineFailure(.noSession) }
        // There is no certificate in a resumed handshake, and so nothing to staple to.
        guard !configuration.context.requiresStaple else { throw EngineFailure(.badStaple) }
        let examines = configuration.context.examinesPeer
        if examines {
            guard let result = ssl.verify(session, by: configuration.context) else {
                throw EngineFailure(.noCertificate)
            }
            guard result == VerifyResult.good else { throw EngineFailure(.init(verifyResult: result)) }
        }
        guard let copy = ssl.offer(session, isVerified: examines) else { throw EngineFailure(.outOfMemory) }
        return copy
    }

    /// The newest session that can be resumed; nil when there is none. In TLS 1.2 that of a renegotiation counts once the
    /// renegotiation is done.
    package func newestSession(offered: Session?) -> Session? {
        guard role == .client, state.wasEstablished, ssl.isTLS13 || !ssl.isInHandshake else { return nil }
        return ssl.newestSession(offered: offered)
    }
}

/// Tickets of TLS 1.3, of a server.
extension Engine {
    /// The handshake is done: from now on tickets are due, and go out with the first application write, or at once.
    mutating func giveTickets() {
        guard role == .server, ssl.isTLS13 else { return }
        let (mode, count) = (configuration.context.ticketMode, configuration.context.ticketCount)
        // Who has a key needs no ticket: it would be good when the key is not any more.
        ticketsDue = mode == .never || ssl.isByKey ? 0 : UInt8(clamping: ssl.isResumed ? min(count, 1) : count)
        // The first application write may have been early.
        guard mode == .withHandshake || encryptedBytes > 0, ticketsDue > 0 else { return }
        scheduleTickets()
        if case .failed(let cause) = ssl.handshake() { _ = fail(cause) }
    }

    /// OpenSSL sends them before anything else.
    mutating func scheduleTickets() {
        ssl.scheduleTickets(Int(ticketsDue))
        ticketsDue = 0
    }
}
