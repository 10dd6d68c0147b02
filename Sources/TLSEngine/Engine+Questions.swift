internal import OpenSSLHandles

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

    /// Lets a ClientHello go on, or refuses it with an alert. A server that is nobody still, can only refuse.
    package func answerHello(refusing alert: UInt8?) {
        if alert == nil, configuration.context.isNobody {
            ssl.answerHello(refusing: 80, byProgram: false)
        } else {
            ssl.answerHello(refusing: alert, byProgram: alert != nil)
        }
    }

    /// The program did something else than answer.
    package func giveUpQuestion() { ssl.giveUpQuestion() }

    /// Makes a code of OpenSSL's the last word on the peer's certificate: X509_V_OK lets the handshake go on.
    package func answerVerdict(_ code: Int) {
        ssl.answerVerdict(code)
    }
}
