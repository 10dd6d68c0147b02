package import OpenSSLHandles

/// Early data (RFC 8446, 2.3): what a client sends before it has heard from the server, and the server reads before it has
/// heard whether there is a client.
///
/// Until the handshake is done it may come from somebody who has recorded it. Once it is done, it is known to be from the client
/// of this connection, whose keys nobody else has, and is data like any other.
extension Engine {
    /// What has become of it: a client hears of that by the end of the handshake.
    package var earlyData: EarlyData { role == .server || state.wasEstablished ? ssl.earlyData : .none }

    // MARK: A client

    /// Early data that waits for the handshake, or for what the server says of it.
    package var earlyBytes: Int { outgoing.earlyCount }

    /// Why none can be sent; nil when it can, now, before the handshake.
    package var refusalOfEarlyData: EngineFailure.Kind? {
        if ssl.earlyDataMax == 0 { return .noSession }
        if !ssl.asksForNameOfSession { return .wrongHost }
        if ssl.protocolOfSession(configuration.context) == nil { return .noCommonProtocol }
        return nil
    }

    /// Takes early data for the handshake to come, and returns how much: no more than the session allows, and there is room for.
    package mutating func writeEarly(_ plaintext: borrowing RawSpan, _ pool: BufferPool) -> Int {
        let size = min(plaintext.byteCount, room, max(0, ssl.earlyDataMax &- earlyBytes))
        guard size > 0, let assumed = ssl.protocolOfSession(configuration.context),
            outgoing.putOffEarly(plaintext.extracting(..<size), for: assumed, pool)
        else { return 0 }
        tally.accepted &+= UInt64(clamping: size)
        return size
    }

    /// It was refused, and must not go out again: the server has not chosen the protocol that it was written for
    /// (RFC 8446, 4.2.10).
    var earlyDataIsForAnother: Bool {
        earlyBytes > 0 && ssl.earlyData != .accepted
            && ssl.protocolChosen(configuration.context) != outgoing.earlyProtocol
    }

    // MARK: A server

    /// The program was shown some of it, and may answer before the handshake is done: to somebody who is only known by the
    /// ticket, and may be nobody.
    package mutating func mayAnswerEarly() {
        state.earlyDataShown()
    }

    /// It has: whoever closes now waits for the handshake, like the others that have written something.
    package var hasAnsweredEarly: Bool { state.answersEarly && encryptedBytes > 0 }

    /// Encrypts a record's worth of what waits, if it may go out before the handshake is done. Returns whether it did.
    mutating func settleEarly(_ incoming: MemoryBIO, _ pool: BufferPool) -> Bool {
        guard state.answersEarly, deferredBytes > 0, corks == 0, ssl.question == nil, isAttached(incoming, pool)
        else { return false }
        return taken(outgoing.writeDeferredEarly(Self.recordBytesMax, &ssl)) > 0
    }

    // MARK: Steps

    /// The first step of a handshake.
    mutating func beginStep(into plaintext: inout MutableRawSpan) -> Step {
        state.began(withEarlyData: role == .server ? configuration.context.earlyDataMax > 0 : earlyBytes > 0)
        return nextHandshakeStep(into: &plaintext)
    }

    /// A step of a handshake; the first ones are early data's.
    mutating func nextHandshakeStep(into plaintext: inout MutableRawSpan) -> Step {
        guard case .handshaking(_, let early) = state, early.isUnderWay else { return handshakeStep() }
        switch role == .server ? ssl.readEarly(into: &plaintext) : ssl.beginEarly() {
        case .done(let count) where role == .server && count > 0:
            tally.received &+= UInt64(clamping: count)
            return .earlyPlaintext(count)
        case .done:
            state.earlyDataEnded()
            if role == .client, case .failed(let cause) = outgoing.writeEarly(&ssl) { return fail(cause) }
            return handshakeStep()
        case .wantsCiphertext:
            return .needsCiphertext
        case .closeNotify:
            return fail(EngineFailure(.endOfFileInHandshake))
        case .asks(let question):
            return .asks(question)
        case .failed(let cause):
            return fail(cause)
        }
    }
}
