internal import CLinux

/// A socket that connects or has connected already; the receiver owns its descriptor.
package struct Connecting {
    package let fd: CInt
    package let isConnected: Bool
}

extension Socket {
    /// Begins to connect a new non-blocking socket, from an address of ours if one is given.
    ///
    /// A Unix socket connects at once or not at all: EAGAIN says that its listener has no room now.
    package static func connect(to address: SocketAddress, from source: SocketAddress?) throws(Errno) -> Connecting {
        let kind = CInt(bitPattern: SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let fd = unsafe address.withSockaddr { name, _ in unsafe socket(CInt(name?.pointee.sa_family ?? 0), kind, 0) }
        guard fd >= 0 else { throw Errno.last }
        if address.family != .unix {
            _ = enable(TCP_NODELAY, at: CInt(clamping: IPPROTO_TCP), on: fd)
            // The port is chosen by connect, which then need be free towards this peer only.
            if source != nil { _ = enable(IP_BIND_ADDRESS_NO_PORT, at: CInt(clamping: IPPROTO_IP), on: fd) }
        }
        let isBound = source.map { unsafe $0.withSockaddr { unsafe bind(fd, $0, $1) == 0 } } ?? true
        if isBound {
            if unsafe address.withSockaddr({ unsafe CLinux.connect(fd, $0, $1) == 0 }) {
                return Connecting(fd: fd, isConnected: true)
            }
            let error = Errno.last
            // After a signal it goes on by itself.
            if error.code == EINPROGRESS || error.code == EINTR { return Connecting(fd: fd, isConnected: false) }
            close(fd)
            throw error
        }
        let error = Errno.last
        close(fd)
        throw error
    }

    /// What became of a connect, once the socket is writable: nil when it is connected.
    package static func connectFailure(_ fd: CInt) -> Errno? {
        var code: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        guard unsafe getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else { return Errno.last }
        if code != 0 { return Errno(code: code) }
        return isConnectedToItself(fd) ? Errno(code: ECONNREFUSED) : nil
    }

    /// Where nobody listens, the kernel may choose as our own port the very one that we connect to, and then TCP
    /// connects the socket with itself.
    private static func isConnectedToItself(_ fd: CInt) -> Bool {
        guard let mine = unsafe name(fd, getsockname), let its = unsafe name(fd, getpeername) else { return false }
        return mine == its
    }

    private static func name(
        _ fd: CInt, _ ask: (CInt, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> CInt
    ) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return unsafe withUnsafeMutableBytes(of: &storage) {
            guard let base = unsafe $0.baseAddress?.assumingMemoryBound(to: sockaddr.self),
                unsafe ask(fd, base, &length) == 0
            else { return nil }
            return unsafe SocketAddress(base, length)
        }
    }
}
