internal import CLinux
internal import CTLSMem
internal import EventLoop
internal import SocketTransport

/// A `tlsmem_listener`: accepts clients and makes a connection for each.
@safe final class Listener: Loop.Owned {
    /// Clients taken in one turn, so that a burst of them does not keep the others waiting.
    private static let acceptsPerTurnMax = 64
    /// How long accepting pauses when the system has no descriptors or memory left, in milliseconds.
    private static let pauseMilliseconds: Int64 = 1000

    private let context: Context
    private let socket: CInt
    private let options: tlsmem_listen_options
    private var connections = 0
    private var isFull = false

    init(_ owner: Loop, _ context: Context, _ options: tlsmem_listen_options) throws(Errno) {
        self.context = context
        unsafe self.options = options
        guard let port = unsafe UInt16(exactly: options.port) else { throw Errno(code: EINVAL) }
        socket = try unsafe Socket.listen(
            host: options.host, port: port, backlog: options.backlog, reusePort: options.reuse_port != 0)
        super.init(owner)
        do {
            try owner.registry.add(self, fd: socket, interest: .read)
        } catch {
            Socket.close(socket)
            throw error
        }
        owner.adopt(self)
    }

    override func ended() {
        Socket.close(socket)
    }

    var port: CInt { CInt(clamping: Socket.localPort(socket)) }

    // MARK: Accepting

    override func ready(_ readiness: Readiness) {
        for _ in 0..<Self.acceptsPerTurnMax where fd >= 0 && !isFull {
            do {
                guard let accepted = try Socket.accept(socket) else { return }
                take(accepted)
            } catch {
                return failed(error.code)
            }
        }
    }

    /// Asks the program, and puts the connection into the loop.
    private func take(_ accepted: Accepted) {
        guard let connection = unsafe Connection(context, tlsmem_callbacks(), nil) else {
            return Socket.close(accepted.fd)
        }
        _ = connection.setSocket(accepted.fd)
        connection.ownsSocket = true
        let handle = unsafe Handle.handOut(connection)
        connection.isBeingAccepted = true
        let isWelcome = isWelcome(connection, accepted)
        connection.isBeingAccepted = false
        guard !connection.isFreed else { return }
        guard isWelcome else { return unsafe Handle.takeBack(handle, Connection.self) }  // closes the socket, too
        connections += 1
        connection.listener = self
        guard owner.add(connection, -1) == TLSMEM_OK.code else {
            connection.end(Failure(.system(errno: clinux_errno())))  // unless on_accept has ended it already
            _ = connection.drive()
            return
        }
        pauseIfFull()
    }

    /// Calls on_accept; without one everybody is welcome, and nobody hears of it.
    private func isWelcome(_ connection: Connection, _ accepted: Accepted) -> Bool {
        guard let onAccept = unsafe options.on_accept else { return false }
        var peer = accepted.peer
        return unsafe withUnsafeBytes(of: &peer) { address in
            var answer = unsafe tlsmem_accepted()
            unsafe answer.size = MemoryLayout<tlsmem_accepted>.size
            unsafe answer.connection = connection.handle
            unsafe answer.fd = accepted.fd
            unsafe answer.peer = address.baseAddress?.assumingMemoryBound(to: sockaddr.self)
            unsafe answer.peer_length = accepted.peerLength
            guard unsafe onAccept(Handle.of(self), &answer, options.user) == 0 else { return false }
            if let callbacks = unsafe answer.callbacks {
                guard unsafe callbacks.pointee.size == MemoryLayout<tlsmem_callbacks>.size else { return false }
                connection.callbacks = unsafe callbacks.pointee
            }
            unsafe connection.user = answer.user
            return true
        }
    }

    // MARK: Pausing

    func connectionEnded() {
        connections -= 1
        guard isFull else { return }
        isFull = false
        resume()
    }

    private func pauseIfFull() {
        let most = Int(unsafe options.connections_max)
        guard most > 0, connections >= most else { return }
        isFull = true
        pause()
    }

    /// Out of descriptors or memory: level-triggered readiness would spin, so the listener waits a little.
    private func failed(_ errno: CInt) {
        switch errno {
        case EMFILE, ENFILE, ENOBUFS, ENOMEM:
            pause()
            owner.registry.setDeadline(self, MonotonicClock.milliseconds() &+ Self.pauseMilliseconds)
        default:
            break
        }
        unsafe options.on_error?(Handle.of(self), errno, options.user)
    }

    override func deadlinePassed(now: Int64) {
        if !isFull { resume() }
    }

    private func pause() {
        try? owner.registry.setInterest(self, [])
    }

    private func resume() {
        guard fd >= 0 else { return }
        do {
            try owner.registry.setInterest(self, .read)
        } catch {
            owner.registry.setDeadline(self, MonotonicClock.milliseconds() &+ Self.pauseMilliseconds)
        }
    }
}
