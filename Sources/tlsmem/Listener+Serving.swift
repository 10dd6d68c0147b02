internal import CLinux
internal import CTLSMem
internal import SocketTransport

/// What becomes of a client: the program is asked, and its connection goes into a loop.
extension Listener {
    /// Asks the program whether it wants to hear of this address at all.
    func isWelcome(_ client: Accepted) -> Bool {
        guard let onFilter = unsafe options.on_filter else { return true }
        return unsafe withAddress(client) { address, length in
            unsafe onFilter(Handle.of(self), address, length, options.user) == 0
        }
    }

    /// Closes a client that nobody has heard of. Any thread.
    func turnAway(_ client: Accepted) {
        Socket.close(client.fd)
        gate.leave()
        gate.descriptorIsFree()
    }

    /// Makes a connection for a client, asks the program, and puts it into the loop, unless on_accept has put it into
    /// one. In the thread of that loop; the client has been let in by the gate.
    func serve(_ client: Accepted, in loop: Loop) {
        guard !isFreed else { return turnAway(client) }
        guard let connection = unsafe Connection(context.current, tlsmem_callbacks(), nil),
            connection.reserve(Int(clamping: unsafe options.user_size))
        else {
            turnAway(client)
            return gate.failed(ENOMEM)
        }
        _ = connection.setSocket(client.fd)
        connection.ownsSocket = true
        connection.gate = gate
        connection.isCounted = true
        _ = unsafe Handle.handOut(connection)
        connection.isBeingAccepted = true
        let isAccepted = isAccepted(connection, client, loop)
        connection.isBeingAccepted = false
        guard !connection.isFreed else { return }
        guard isAccepted else {
            return connection.free()  // closes the socket, too; on_accept may have put it into a loop
        }
        if !connection.hasLoop, loop.add(connection, -1) != TLSMEM_OK.code {
            connection.end(Failure(.system(errno: clinux_errno())))  // unless on_accept has ended it already
            _ = connection.drive()
        }
    }

    /// Calls on_accept.
    private func isAccepted(_ connection: Connection, _ client: Accepted, _ loop: Loop) -> Bool {
        unsafe withAddress(client) { address, length in
            var answer = unsafe tlsmem_accepted()
            unsafe answer.size = MemoryLayout<tlsmem_accepted>.size
            unsafe answer.connection = connection.handle
            unsafe answer.fd = client.fd
            unsafe answer.peer = address
            unsafe answer.peer_length = length
            unsafe answer.user = connection.user
            unsafe answer.loop = loop.handle
            guard unsafe options.on_accept?(Handle.of(self), &answer, options.user) == 0 else { return false }
            guard let callbacks = unsafe copy(answer.callbacks) else {
                gate.failed(EINVAL)
                return false
            }
            connection.callbacks = callbacks
            unsafe connection.user = answer.user
            return true
        }
    }

    private func withAddress<Result>(
        _ client: Accepted, _ body: (UnsafePointer<sockaddr>?, socklen_t) -> Result
    ) -> Result {
        unsafe withUnsafeBytes(of: client.peer) { address in
            unsafe body(address.baseAddress?.assumingMemoryBound(to: sockaddr.self), client.peerLength)
        }
    }
}
