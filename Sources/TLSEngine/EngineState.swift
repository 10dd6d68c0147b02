/// Where one TLS connection stands. The only place where that changes.
///
///     new ──began──> handshaking ──established──> open
///      └───────────────────┴────── failed ──────────┴──> failed
///
/// In `open` each direction ends by itself (RFC 8446, 6.1):
///
///     reading   open ──peerClosed──> ended
///     writing   open ──closeRequested──> closing ──closeNotifySent──> closed
///
/// A close that is asked for earlier is remembered in `writing` and done once the connection is open.
enum EngineState {
    case new(Writing)
    case handshaking(Writing, Early)
    case open(Reading, Writing)
    /// With what had happened before.
    indirect case failed(EngineFailure, Reading, Writing, wasEstablished: Bool)

    enum Reading { case open, ended }
    enum Writing { case open, closing, closed }

    /// What is done about early data before the handshake is done.
    struct Early {
        /// A client has still to begin, or a server to read, by calls of their own, which take the handshake along.
        var isUnderWay = false
        /// A server has shown some to the program, which may answer.
        var isShown = false
    }

    var writing: Writing {
        switch self {
        case .new(let writing), .handshaking(let writing, _), .open(_, let writing): writing
        case .failed(_, _, let writing, _): writing
        }
    }

    var reading: Reading {
        switch self {
        case .new, .handshaking: .open
        case .open(let reading, _), .failed(_, let reading, _, _): reading
        }
    }

    /// The handshake is done, or was before a failure.
    var wasEstablished: Bool {
        switch self {
        case .new, .handshaking: false
        case .open: true
        case .failed(_, _, _, let wasEstablished): wasEstablished
        }
    }

    var isHandshaking: Bool { if case .handshaking = self { true } else { false } }

    var answersEarly: Bool { if case .handshaking(_, let early) = self { early.isShown } else { false } }

    mutating func began(withEarlyData: Bool) {
        if case .new(let writing) = self { self = .handshaking(writing, Early(isUnderWay: withEarlyData)) }
    }

    mutating func earlyDataShown() {
        guard case .handshaking(let writing, let early) = self else { return }
        self = .handshaking(writing, Early(isUnderWay: early.isUnderWay, isShown: true))
    }

    mutating func earlyDataEnded() {
        guard case .handshaking(let writing, let early) = self else { return }
        self = .handshaking(writing, Early(isUnderWay: false, isShown: early.isShown))
    }

    mutating func established() {
        if case .handshaking(let writing, _) = self { self = .open(.open, writing) }
    }

    mutating func peerClosed() {
        if case .open(_, let writing) = self { self = .open(.ended, writing) }
    }

    mutating func closeRequested() {
        switch self {
        case .new(.open): self = .new(.closing)
        case .handshaking(.open, let early): self = .handshaking(.closing, early)
        case .open(let reading, .open): self = .open(reading, .closing)
        case .new, .handshaking, .open, .failed: break
        }
    }

    mutating func closeNotifySent() {
        if case .open(let reading, .closing) = self { self = .open(reading, .closed) }
    }

    /// The first failure stays: what follows from it is no news.
    mutating func failed(_ failure: EngineFailure) {
        if case .failed = self { return }
        self = .failed(failure, reading, writing, wasEstablished: wasEstablished)
    }
}
