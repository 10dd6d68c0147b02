package import CLinux

/// A connection taken from a listening socket; the receiver owns its descriptor.
package struct Accepted {
    package let fd: CInt
    package let peer: sockaddr_storage
    package let peerLength: socklen_t
}

extension Socket {
    /// How often one call passes over clients that went away before they were accepted.
    private static let acceptAttemptsMax = 64

    /// Takes the next client, non-blocking and close-on-exec, or answers nil when none waits.
    package static func accept(_ fd: CInt) throws(Errno) -> Accepted? {
        for _ in 0..<acceptAttemptsMax {
            var peer = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let accepted = unsafe withUnsafeMutableBytes(of: &peer) { storage in
                unsafe accept4(fd, storage.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length, acceptFlags)
            }
            if accepted >= 0 {
                _ = enable(TCP_NODELAY, at: CInt(clamping: IPPROTO_TCP), on: accepted)  // not for AF_UNIX
                return Accepted(fd: accepted, peer: peer, peerLength: length)
            }
            let error = Errno.last
            if error.isWouldBlock { return nil }
            if !concernsOneClient(error) { throw error }
        }
        return nil
    }

    /// Listens on a name or an address; nil is every address, of IPv6 and IPv4 where the system has both.
    ///
    /// Port 0 is a free one. A name that does not resolve is EADDRNOTAVAIL. With `ipv6Only` an IPv6 address, and so
    /// every address, does not hear IPv4.
    package static func listen(
        host: UnsafePointer<CChar>?, port: UInt16, backlog: CInt, reusePort: Bool, ipv6Only: Bool = false
    ) throws(Errno) -> CInt {
        let request = Request(port: port, backlog: backlog, reusePort: reusePort, ipv6Only: ipv6Only)
        if let host = unsafe host {
            return try unsafe request.firstThatListens(host: host, family: AF_UNSPEC)
        }
        do {
            return try unsafe request.firstThatListens(host: nil, family: AF_INET6)
        } catch {
            // Only a system without IPv6 falls back: a port that is taken there must not be half taken here.
            guard !ipv6Only, error.code == EAFNOSUPPORT || error.code == EADDRNOTAVAIL else { throw error }
            return try unsafe request.firstThatListens(host: nil, family: AF_INET)
        }
    }

    /// Begins to listen on a socket that is bound; 0 is the system's longest queue.
    static func startListening(_ fd: CInt, _ backlog: CInt) -> Bool {
        CLinux.listen(fd, backlog > 0 ? backlog : SOMAXCONN) == 0
    }

    /// The port that a socket is bound to, 0 where there are none, or -1 when the kernel does not say.
    package static func localPort(_ fd: CInt) -> Int {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return unsafe withUnsafeMutableBytes(of: &address) { storage in
            guard let base = storage.baseAddress,
                unsafe getsockname(fd, base.assumingMemoryBound(to: sockaddr.self), &length) == 0
            else { return -1 }
            switch CInt(unsafe base.assumingMemoryBound(to: sockaddr.self).pointee.sa_family) {
            case AF_INET:
                return Int(UInt16(bigEndian: unsafe base.assumingMemoryBound(to: sockaddr_in.self).pointee.sin_port))
            case AF_INET6:
                return Int(UInt16(bigEndian: unsafe base.assumingMemoryBound(to: sockaddr_in6.self).pointee.sin6_port))
            default:
                return 0
            }
        }
    }

    /// accept(2): Linux hands over errors that wait on the new socket; they say nothing about the listening one.
    private static func concernsOneClient(_ error: Errno) -> Bool {
        switch error.code {
        case EINTR, ECONNABORTED, EPROTO, ENOPROTOOPT, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH, ENONET: true
        default: false
        }
    }

    static func enable(_ option: CInt, at level: CInt, on fd: CInt, _ value: CInt = 1) -> Bool {
        var value = value
        return unsafe setsockopt(fd, level, option, &value, socklen_t(MemoryLayout<CInt>.size)) == 0
    }

    private static var acceptFlags: CInt {
        CInt(bitPattern: SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    }
}

/// What is wanted of a listening socket, whatever its address.
private struct Request {
    let port: UInt16
    let backlog: CInt
    let reusePort: Bool
    let ipv6Only: Bool

    /// Tries the addresses of the host in the resolver's order.
    func firstThatListens(host: UnsafePointer<CChar>?, family: CInt) throws(Errno) -> CInt {
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = family
        unsafe hints.ai_socktype = CInt(bitPattern: SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        var addresses: UnsafeMutablePointer<addrinfo>?
        // The service is there because host and service must not both be missing; the port is put in below.
        guard unsafe getaddrinfo(host, "0", &hints, &addresses) == 0 else { throw Errno(code: EADDRNOTAVAIL) }
        defer { unsafe freeaddrinfo(addresses) }

        var failure = Errno(code: EADDRNOTAVAIL)
        var next = unsafe addresses
        while let address = unsafe next {
            do {
                return try unsafe listening(at: address.pointee)
            } catch {
                failure = error
            }
            unsafe next = address.pointee.ai_next
        }
        throw failure
    }

    private func listening(at address: addrinfo) throws(Errno) -> CInt {
        guard let name = unsafe address.ai_addr else { throw Errno(code: EADDRNOTAVAIL) }
        let kind = CInt(bitPattern: SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let fd = unsafe socket(address.ai_family, kind, address.ai_protocol)
        guard fd >= 0 else { throw Errno.last }

        var isReady = Socket.enable(SO_REUSEADDR, at: SOL_SOCKET, on: fd)
        if isReady && reusePort { isReady = Socket.enable(SO_REUSEPORT, at: SOL_SOCKET, on: fd) }
        if unsafe address.ai_family == AF_INET6 {
            unsafe UnsafeMutableRawPointer(name).assumingMemoryBound(to: sockaddr_in6.self).pointee.sin6_port =
                port.bigEndian
            // "::" shall hear IPv4 as asked, whatever the system's default; an address of one interface does not care.
            let level = CInt(clamping: IPPROTO_IPV6)
            if isReady { isReady = Socket.enable(IPV6_V6ONLY, at: level, on: fd, ipv6Only ? 1 : 0) }
        } else {
            unsafe UnsafeMutableRawPointer(name).assumingMemoryBound(to: sockaddr_in.self).pointee.sin_port =
                port.bigEndian
        }
        if isReady, unsafe bind(fd, name, address.ai_addrlen) == 0, Socket.startListening(fd, backlog) { return fd }
        let error = Errno.last
        Socket.close(fd)
        throw error
    }
}
