package import CLinux

/// Where a socket is or is to go: an IPv6, an IPv4 or a Unix address, as the kernel takes it.
package struct SocketAddress: Equatable {
    package enum Family { case six, four, unix }

    private var storage = sockaddr_storage()
    private var length: socklen_t = 0

    /// What a C function has found; nil for what is no address of these families.
    init?(_ address: UnsafePointer<sockaddr>?, _ length: socklen_t) {
        guard let address = unsafe address, Int(length) <= MemoryLayout<sockaddr_storage>.size else { return nil }
        switch CInt(unsafe address.pointee.sa_family) {
        case AF_INET6: guard Int(length) >= MemoryLayout<sockaddr_in6>.size else { return nil }
        case AF_INET: guard Int(length) >= MemoryLayout<sockaddr_in>.size else { return nil }
        default: return nil
        }
        let bytes = unsafe UnsafeRawBufferPointer(start: address, count: Int(length))
        unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.copyMemory(from: bytes) }
        self.length = length
    }

    /// The same host at another port, which in IPv6 and IPv4 alike is what comes behind the family.
    func at(port: UInt16) -> SocketAddress {
        var other = self
        unsafe withUnsafeMutableBytes(of: &other.storage) {
            unsafe $0.storeBytes(of: port.bigEndian, toByteOffset: MemoryLayout<sa_family_t>.size, as: UInt16.self)
        }
        return other
    }

    /// An address that is written as one, IPv6 with a scope or without; nil for a name. Asks nobody.
    package init?(numericHost host: UnsafePointer<CChar>, port: UInt16) {
        let found = unsafe Resolution(host, port: port, family: AF_UNSPEC, flags: AI_NUMERICHOST)
        guard let address = found.addresses.first else { return nil }
        self = address
    }

    /// A Unix socket's; "@name" is an abstract one. Nil for an empty path, or one that is too long.
    package init?(path: UnsafePointer<CChar>) {
        let count = unsafe strlen(path)
        let isAbstract = unsafe path.pointee == CChar(UInt8(ascii: "@"))
        let pathStart = MemoryLayout<sa_family_t>.size
        // A path in the file system needs its final NUL; an abstract name is all that the length covers.
        let size = pathStart &+ count &+ (isAbstract ? 0 : 1)
        guard count > (isAbstract ? 1 : 0), size <= MemoryLayout<sockaddr_un>.size else { return nil }
        storage.ss_family = sa_family_t(AF_UNIX)
        let bytes = unsafe UnsafeRawBufferPointer(start: path, count: count)
        unsafe withUnsafeMutableBytes(of: &storage) {
            unsafe UnsafeMutableRawBufferPointer(rebasing: $0[pathStart...]).copyMemory(from: bytes)
            if isAbstract { unsafe $0[pathStart] = 0 }
        }
        length = socklen_t(clamping: size)
    }

    /// The file of a Unix socket, with its final NUL; nil for what has none.
    var file: [CChar]? {
        guard family == .unix, let first = path.first, first != CChar(UInt8(ascii: "@")) else { return nil }
        return path + [0]
    }

    package var family: Family {
        switch CInt(storage.ss_family) {
        case AF_INET6: .six
        case AF_INET: .four
        default: .unix
        }
    }

    package func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>?, socklen_t) -> Result) -> Result {
        unsafe withUnsafeBytes(of: storage) {
            unsafe body($0.baseAddress?.assumingMemoryBound(to: sockaddr.self), length)
        }
    }

    package static func == (one: SocketAddress, other: SocketAddress) -> Bool {
        guard one.length == other.length else { return false }
        return unsafe one.withSockaddr { mine, length in
            unsafe other.withSockaddr { its, _ in
                guard let mine = unsafe mine, let its = unsafe its else { return false }
                return unsafe memcmp(mine, its, Int(length)) == 0
            }
        }
    }
}

/// What people read, with a final NUL.
extension SocketAddress {
    /// "[::1]:443", "127.0.0.1:443", "unix:/path", "unix:@name".
    package var text: [CChar] {
        switch family {
        case .six: characters("[") + parts.host + characters("]:") + parts.port + [0]
        case .four: parts.host + characters(":") + parts.port + [0]
        case .unix: characters("unix:") + path + [0]
        }
    }

    /// The address alone, without port and scope: what a certificate is for.
    package var hostText: [CChar] {
        parts.host.prefix { $0 != CChar(UInt8(ascii: "%")) } + [0]
    }

    private var parts: (host: [CChar], port: [CChar]) {
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        var port = [CChar](repeating: 0, count: Int(NI_MAXSERV))
        let code = unsafe withSockaddr { address, length in
            unsafe getnameinfo(
                address, length, &host, socklen_t(clamping: host.count), &port, socklen_t(clamping: port.count),
                NI_NUMERICHOST | NI_NUMERICSERV)
        }
        return code == 0 ? (Array(host.prefix { $0 != 0 }), Array(port.prefix { $0 != 0 })) : ([], [])
    }

    private var path: [CChar] {
        unsafe withUnsafeBytes(of: storage) {
            var path = unsafe $0[MemoryLayout<sa_family_t>.size..<Int(length)].map { CChar(bitPattern: $0) }
            if path.first == 0 { path[0] = CChar(UInt8(ascii: "@")) } else { path.removeLast() }
            return path
        }
    }
}

private func characters(_ text: StaticString) -> [CChar] {
    guard text.hasPointerRepresentation else { return [] }
    return unsafe UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount).map {
        CChar(bitPattern: $0)
    }
}
