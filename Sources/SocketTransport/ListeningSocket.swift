internal import CLinux

/// A socket that listens, wherever it came from, and what has to be cleared away when listening ends.
package struct ListeningSocket {
    /// Where to listen, or what listens already.
    @safe package enum Place {
        case host(UnsafePointer<CChar>?, port: UInt16, reusePort: Bool, ipv6Only: Bool)
        case unix(SocketAddress)
        /// A descriptor that stays its owner's.
        case descriptor(CInt)
    }

    package let fd: CInt
    /// 0 where there are no ports.
    package let port: CInt
    private let file: SocketFile?
    private let isOurs: Bool

    /// Non-blocking in every case. A backlog of 0 is the longest that the system allows.
    package init(_ place: Place, backlog: CInt) throws(Errno) {
        switch place {
        case .host(let host, let port, let reusePort, let ipv6Only):
            fd = try unsafe Socket.listen(
                host: host, port: port, backlog: backlog, reusePort: reusePort, ipv6Only: ipv6Only)
            file = nil
        case .unix(let address):
            (fd, file) = try Socket.listen(at: address, backlog: backlog)
        case .descriptor(let given):
            try Socket.checkListens(given)
            fd = given
            file = nil
        }
        if case .descriptor = place { isOurs = false } else { isOurs = true }
        let bound = Socket.localPort(fd)
        let error = Errno.last
        port = CInt(clamping: bound)
        if bound < 0 {  // nobody could be told where it is
            end()
            throw error
        }
    }

    /// Ends listening: closes the descriptor and removes the file, as far as they are ours.
    package func end() {
        file?.remove()
        if isOurs { Socket.close(fd) }
    }
}

extension Socket {
    private static let firstInherited: CInt = 3

    /// The index-th socket that a service manager has passed to this process, as sd_listen_fds(3) has them, from now on
    /// close-on-exec; nil when there are not so many. The one place that reads the environment.
    package static func inherited(_ index: CInt) -> CInt? {
        guard unsafe number(getenv("LISTEN_PID")) == Int(getpid()), let count = unsafe number(getenv("LISTEN_FDS")),
            index >= 0, index < count
        else { return nil }
        let (fd, isTooMuch) = firstInherited.addingReportingOverflow(index)
        guard !isTooMuch, clinux_set_close_on_exec(fd) == 0 else { return nil }
        return fd
    }

    /// Digits and nothing else; nil for what is no number, or none that fits.
    private static func number(_ text: UnsafePointer<CChar>?) -> Int? {
        guard let text = unsafe text, unsafe text[0] != 0 else { return nil }
        var value = 0
        for index in 0..<(unsafe strlen(text)) {
            let digit = Int(unsafe text[index]) - 48
            guard (0...9).contains(digit), value <= Int(CInt.max) else { return nil }
            value = value &* 10 &+ digit
        }
        return value
    }

    /// Makes sure that a descriptor is a stream socket which listens, and makes it non-blocking.
    ///
    /// What is none gives what accept(2) would: EBADF, ENOTSOCK, EINVAL, EOPNOTSUPP.
    fileprivate static func checkListens(_ fd: CInt) throws(Errno) {
        guard try option(SO_TYPE, of: fd) == CInt(bitPattern: SOCK_STREAM.rawValue) else {
            throw Errno(code: EOPNOTSUPP)
        }
        guard try option(SO_ACCEPTCONN, of: fd) != 0 else { throw Errno(code: EINVAL) }
        let flags = clinux_flags(fd)
        guard flags >= 0, clinux_set_flags(fd, flags | O_NONBLOCK) == 0 else { throw Errno.last }
    }

    private static func option(_ name: CInt, of fd: CInt) throws(Errno) -> CInt {
        var value: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        guard unsafe getsockopt(fd, SOL_SOCKET, name, &value, &length) == 0 else { throw Errno.last }
        return value
    }
}
