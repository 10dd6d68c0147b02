internal import CLinux

/// What the resolver has said about a name in one family. Asking blocks, for seconds when its servers are silent.
package struct Resolution {
    package private(set) var addresses: [SocketAddress] = []
    /// The resolver's own code (EAI_...), 0 when it found something; and errno where the code is EAI_SYSTEM.
    package let code: CInt
    package let errno: CInt

    /// Asks for the addresses of a host.
    ///
    /// Without AI_ADDRCONFIG, on purpose: the loopback addresses do not count for it, so with a family given a host
    /// that has nothing else (a container without a network) would not find its own localhost. What it would spare, an
    /// attempt that the kernel refuses at once for want of a route, costs nothing here.
    package init(_ host: [CChar], port: UInt16, family: SocketAddress.Family) {
        unsafe self.init(host, port: port, family: family == .six ? AF_INET6 : AF_INET, flags: 0)
    }

    init(_ host: UnsafePointer<CChar>, port: UInt16, family: CInt, flags: CInt) {
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = family
        unsafe hints.ai_socktype = CInt(bitPattern: SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = flags
        var found: UnsafeMutablePointer<addrinfo>?
        code = unsafe getaddrinfo(host, nil, &hints, &found)
        errno = code == EAI_SYSTEM ? Errno.last.code : 0
        guard code == 0 else { return }
        defer { unsafe freeaddrinfo(found) }
        var next = unsafe found
        while let entry = unsafe next {
            if let address = unsafe SocketAddress(entry.pointee.ai_addr, entry.pointee.ai_addrlen) {
                addresses.append(address.at(port: port))
            }
            unsafe next = entry.pointee.ai_next
        }
    }
}
