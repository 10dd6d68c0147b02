package import CLinux

/// The address of a Unix socket: a path, or "@name" for one without a file (abstract, see unix(7)).
package struct UnixAddress {
    /// It is a name and no file.
    package let isAbstract: Bool
    /// Nul-terminated.
    let path: [CChar]
    private let length: socklen_t
    private let address: sockaddr_un

    /// Nil for what is empty or too long.
    package init?(_ path: UnsafePointer<CChar>) {
        let count = unsafe strlen(path)
        let isAbstract = unsafe path[0] == CChar(bitPattern: UInt8(ascii: "@"))
        var address = sockaddr_un()
        let room = MemoryLayout.size(ofValue: address.sun_path)
        let family = MemoryLayout<sockaddr_un>.size - room
        guard count > (isAbstract ? 1 : 0), count <= (isAbstract ? room : room - 1) else { return nil }
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { target in
            unsafe target.copyMemory(from: UnsafeRawBufferPointer(start: path, count: count))
            if isAbstract { unsafe target[0] = 0 }
        }
        self.isAbstract = isAbstract
        self.path = unsafe Array(UnsafeBufferPointer(start: path, count: count + 1))
        self.address = address
        length = socklen_t(family + count + (isAbstract ? 0 : 1))
    }

    /// Lends it in the form that bind and connect want.
    package func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        unsafe withUnsafePointer(to: address) { start in
            unsafe start.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, length) }
        }
    }
}

/// The file of a Unix socket, known by its inode: whoever has replaced it meanwhile keeps theirs.
struct SocketFile {
    private let path: [CChar]
    private let device: dev_t
    private let inode: ino_t

    /// Nil where there is none, or something else than a socket.
    init?(_ address: UnixAddress) {
        var status = stat()
        guard !address.isAbstract, unsafe lstat(address.path, &status) == 0, clinux_is_socket(status.st_mode) != 0
        else { return nil }
        path = address.path
        device = status.st_dev
        inode = status.st_ino
    }

    /// Removes it, if it is still the same one.
    func remove() {
        var status = stat()
        guard unsafe lstat(path, &status) == 0, status.st_dev == device, status.st_ino == inode else { return }
        _ = unsafe unlink(path)
    }
}

extension Socket {
    /// Listens on a Unix socket. A dead one that is in the way is replaced; a live one, and any other file, is
    /// EADDRINUSE.
    static func listen(at address: UnixAddress, backlog: CInt) throws(Errno) -> (fd: CInt, file: SocketFile?) {
        let fd = try newUnixSocket()
        do {
            try bind(fd, replacingAt: address)
        } catch {
            close(fd)
            throw error
        }
        let file = SocketFile(address)
        if startListening(fd, backlog) { return (fd, file) }
        let error = Errno.last
        file?.remove()
        close(fd)
        throw error
    }

    private static func bind(_ fd: CInt, replacingAt address: UnixAddress) throws(Errno) {
        if unsafe address.withPointer({ unsafe CLinux.bind(fd, $0, $1) == 0 }) { return }
        let error = Errno.last
        guard error.code == EADDRINUSE, let file = SocketFile(address), isDead(address) else { throw error }
        file.remove()
        guard unsafe address.withPointer({ unsafe CLinux.bind(fd, $0, $1) == 0 }) else { throw Errno.last }
    }

    /// Nobody listens there any more: the kernel refuses to connect.
    private static func isDead(_ address: UnixAddress) -> Bool {
        guard let fd = try? newUnixSocket() else { return false }
        defer { close(fd) }
        return unsafe address.withPointer { unsafe connect(fd, $0, $1) != 0 && Errno.last.code == ECONNREFUSED }
    }

    private static func newUnixSocket() throws(Errno) -> CInt {
        let kind = CInt(bitPattern: SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let fd = socket(AF_UNIX, kind, 0)
        guard fd >= 0 else { throw Errno.last }
        return fd
    }
}
