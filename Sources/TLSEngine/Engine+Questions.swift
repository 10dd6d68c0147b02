package import OpenSSLHandles

/// While a handshake stands still for a question. The next step goes on with the answer.
extension Engine {
    /// Why it could not go on as the connection of another context; nil when it can.
    package func refusal(of other: Configuration) -> EngineFailure? {
        other.context.isNobody ? EngineFailure(.noIdentity) : refusal(of: other.context)
    }

    /// It is the connection of another context from now on, which has nothing against that. False without memory.
    package mutating func change(to other: Configuration) -> Bool {
        if ssl.change(to: other.context) {
            configuration = other
            if case .open = state { renegotiationWasBegun() }  // this is its ClientHello
            return true
        }
        if !ssl.change(to: configuration.context) { _ = fail(EngineFailure(.outOfMemory)) }  // it is half of each
        return false
    }

    /// Chooses an application protocol; false when the client does not offer it.
    package func selectALPN(_ name: borrowing RawSpan) -> Bool {
        ssl.selectALPN(name)
    }

    /// The next step goes on with that. A server that is nobody still, can only refuse.
    package func give(_ answer: Answer) {
        if case .clientHello = ssl.question, answer.status == 0, configuration.context.isNobody { return }
        ssl.give(answer)
    }

    /// Nobody will answer any more.
    package mutating func giveUpQuestion() { ssl.giveUpQuestion() }
}
