package import OpenSSLHandles

/// What can be asked about a connection.
extension Engine {
    package enum Phase { case new, handshaking, open, failed }

    package var phase: Phase {
        switch state {
        case .new: .new
        case .handshaking: .handshaking
        case .open: .open
        case .failed: .failed
        }
    }

    package var failure: EngineFailure? { if case .failed(let failure, _, _, _) = state { failure } else { nil } }

    package var wasEstablished: Bool { state.wasEstablished }

    /// The peer's close_notify came.
    package var peerHasClosed: Bool { state.reading == .ended }

    /// Our close_notify was made.
    package var hasClosed: Bool { state.writing == .closed }

    /// Both directions have ended properly.
    package var isOver: Bool { peerHasClosed && hasClosed }

    /// Some handshake is under way.
    package var isInHandshake: Bool { ssl.isInHandshake }

    /// Nothing can be written, or closed, before the peer has answered in a handshake.
    @inline(__always)
    package var waitsForHandshake: Bool {
        ssl.isInHandshake || (state.writing == .closing && awaitsHello)
    }

    package var counts: Tally { tally }
    /// Plaintext that became ciphertext.
    package var encryptedBytes: UInt64 { tally.accepted &- outgoing.plaintextUnsent }
    package var observations: Observations { ssl.observations }

    /// What OpenSSL reports is collected.
    package var collects: Bool { configuration.collects }

    /// Asks OpenSSL's object about what was negotiated.
    package func ask<Answer>(_ question: (borrowing OwnedSSL) -> Answer) -> Answer {
        question(ssl)
    }
}
