internal import CLinux

/// The file of a Unix socket, known by its inode: whoever has replaced it meanwhile keeps theirs.
struct SocketFile {
    private let path: [CChar]
    private let device: dev_t
    private let inode: ino_t

    /// Nil where there is none, or something else than a socket.
    init?(_ address: SocketAddress) {
        var status = stat()
        guard let path = address.file, unsafe lstat(path, &status) == 0, clinux_is_socket(status.st_mode) != 0
        else { return nil }
        self.path = path
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
    static func listen(at address: SocketAddress, backlog: CInt) throws(Errno) -> (fd: CInt, file: SocketFile?) {
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

    private static func bind(_ fd: CInt, replacingAt address: SocketAddress) throws(Errno) {
        if unsafe address.withSockaddr({ unsafe CLinux.bind(fd, $0, $1) == 0 }) { return }
        let error = Errno.last
        guard error.code == EADDRINUSE, let file = SocketFile(address), isDead(address) else { throw error }
        file.remove()
        guard unsafe address.withSockaddr({ unsafe CLinux.bind(fd, $0, $1) == 0 }) else { throw Errno.last }
    }

    /// Nobody listens there any more: the kernel refuses to connect.
    private static func isDead(_ address: SocketAddress) -> Bool {
        guard let fd = try? newUnixSocket() else { return false }
        defer { close(fd) }
        return unsafe address.withSockaddr { unsafe CLinux.connect(fd, $0, $1) != 0 && Errno.last.code == ECONNREFUSED }
    }

    private static func newUnixSocket() throws(Errno) -> CInt {
        let kind = CInt(bitPattern: SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let fd = socket(AF_UNIX, kind, 0)
        guard fd >= 0 else { throw Errno.last }
        return fd
    }
}
