internal import OpenSSLHandles

/// While a handshake stands still for a question. The next step goes on with the answer.
extension Engine {
    /// It is the connection of another context from now on. Returns why it cannot be, or nil; only for a ClientHello.
    package mutating func change(to other: Configuration) -> EngineFailure? {
        let before = configuration
        configuration = other
        if let refusal = refusal() {
            configuration = before
            return refusal
        }
        guard ssl.change(to: other.context) else {
            _ = ssl.change(to: before.context)
            configuration = before
            return EngineFailure(.outOfMemory)
        }
        return nil
    }

    /// Chooses an application protocol; false when the client does not offer it.
    package func selectALPN(_ name: borrowing RawSpan) -> Bool {
        ssl.selectALPN(name)
    }

    /// Lets a ClientHello go on, or refuses it with an alert.
    package func answerHello(refusing alert: UInt8?) {
        ssl.answerHello(refusing: alert)
    }

    /// Makes a code of OpenSSL's the last word on the peer's certificate: X509_V_OK lets the handshake go on.
    package func answerVerdict(_ code: Int) {
        ssl.answerVerdict(code)
    }
}
