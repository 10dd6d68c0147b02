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

    package var failure: EngineFailure? { if case .failed(let failure) = state { failure } else { nil } }

    /// The peer's close_notify came.
    package var peerHasClosed: Bool { if case .open(.ended, _) = state { true } else { false } }

    /// Our close_notify was made.
    package var hasClosed: Bool { if case .open(_, .closed) = state { true } else { false } }

    /// Both directions have ended properly.
    package var isOver: Bool { peerHasClosed && hasClosed }

    package var counts: Tally { tally }
    package var observations: Observations { ssl.observations }

    /// Asks OpenSSL's object about what was negotiated.
    package func ask<Answer>(_ question: (borrowing OwnedSSL) -> Answer) -> Answer {
        question(ssl)
    }
}
