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

    private init(_ owner: Loop, _ context: Context, _ options: tlsmem_listen_options, _ socket: CInt) {
        self.context = context
        unsafe self.options = options
        self.socket = socket
        super.init(owner)
    }

    /// Listens, and puts the listener into the loop.
    static func listen(
        _ owner: Loop, _ context: Context, _ options: tlsmem_listen_options
    ) throws(Errno) -> Listener {
        let socket = try unsafe Socket.listen(
            host: options.host, port: UInt16(clamping: options.port), backlog: options.backlog,
            reusePort: options.reuse_port != 0)
        let listener = unsafe Listener(owner, context, options, socket)
        do {
            try owner.registry.add(listener, fd: socket, interest: .read, manner: .patient)
        } catch {
            Socket.close(socket)
            throw error
        }
        owner.adopt(listener)
        return listener
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

    /// Asks the program, and puts the connection into the loop, unless on_accept has put it into one.
    private func take(_ accepted: Accepted) {
        guard let connection = unsafe Connection(context, tlsmem_callbacks(), nil) else {
            Socket.close(accepted.fd)
            return failed(ENOMEM)
        }
        _ = connection.setSocket(accepted.fd)
        connection.ownsSocket = true
        let handle = unsafe Handle.handOut(connection)
        connection.isBeingAccepted = true
        let isWelcome = isWelcome(connection, accepted)
        connection.isBeingAccepted = false
        guard !connection.isFreed else { return }
        guard isWelcome else { return unsafe Handle.takeBack(handle, Connection.self) }  // closes the socket, too
        guard connection.loop == nil else { return }
        guard owner.add(connection, -1) == TLSMEM_OK.code else {
            connection.end(Failure(.system(errno: clinux_errno())))  // unless on_accept has ended it already
            _ = connection.drive()
            return
        }
        connections += 1
        connection.listener = self
        pauseIfFull()
    }

    /// Calls on_accept.
    private func isWelcome(_ connection: Connection, _ accepted: Accepted) -> Bool {
        var peer = accepted.peer
        return unsafe withUnsafeBytes(of: &peer) { address in
            var answer = unsafe tlsmem_accepted()
            unsafe answer.size = MemoryLayout<tlsmem_accepted>.size
            unsafe answer.connection = connection.handle
            unsafe answer.fd = accepted.fd
            unsafe answer.peer = address.baseAddress?.assumingMemoryBound(to: sockaddr.self)
            unsafe answer.peer_length = accepted.peerLength
            guard unsafe options.on_accept?(Handle.of(self), &answer, options.user) == 0 else { return false }
            guard let callbacks = unsafe copy(answer.callbacks) else {
                failed(EINVAL)
                return false
            }
            connection.callbacks = callbacks
            unsafe connection.user = answer.user
            return true
        }
    }

    // MARK: Pausing

    func connectionLeft() {
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

    /// What accept refuses it may refuse again at once, for want of descriptors above all: level-triggered readiness
    /// would spin, so the listener waits a little.
    private func failed(_ errno: CInt) {
        if fd >= 0 {
            pause()
            owner.registry.setDeadline(self, MonotonicClock.milliseconds() &+ Self.pauseMilliseconds)
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
