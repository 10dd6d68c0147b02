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
