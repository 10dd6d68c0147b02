internal import CTLSMem
internal import EventLoop
internal import OpenSSLHandles
internal import SocketTransport
internal import TLSEngine

/// A connection that has no socket yet, because `tlsmem_loop_connect` is getting it one: writes wait, and the handshake
/// does not begin.
extension Connection {
    /// It has its way to the peer, or is getting it: the buffers face is closed.
    var hasTransport: Bool { socket >= 0 || connector != nil }

    /// Nothing that a new transport would not know of has gone over another one.
    var mayConnect: Bool {
        guard socket < 0, !isOver, currentFailure == nil, case .open = input, case .working = transport else {
            return false
        }
        return !finIsSent && ciphertextReceived == 0 && engine.outgoing.taken == 0
    }

    /// Names the server as the host is named, unless the program has named it, or has chosen a session, which is of a
    /// name. False for what can be no name.
    func takeName(_ host: [CChar]?) -> Bool {
        guard let host, engine.role == .client, engine.phase == .new, !hasSession,
            !engine.hasServerName || nameIsHosts
        else { return true }
        nameIsHosts = engine.setServerName { unsafe $0.setServerName(host) }
        return nameIsHosts
    }

    /// The clock of the handshake stands still until there is a socket.
    func startConnecting(_ connector: Connector) {
        self.connector = connector
        if case .going = course { phaseBegan = -1 }
    }

    func connected(_ fd: CInt) {
        socket = fd
        ownsSocket = true
        if case .going = course { return beginHandshake() }
        lastMoved = currentMilliseconds  // it closes, and that is what is timed
        probeBegin()
    }

    /// The connect deadline has passed.
    func connectDeadlineHasPassed(_ now: Int64) -> Bool {
        guard let connector, connector.deadline >= 0, now >= connector.deadline else { return false }
        end(Failure(.connectDeadline(connector.outcome)))
        return true
    }
}
