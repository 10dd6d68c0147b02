import CLinux
import Glibc
import SocketTransport
import Testing

@Suite struct `A place to listen at` {
    /// A folder of its own for each test.
    private final class Folder {
        let path: String
        init() throws {
            var template = Array("/tmp/tlsmem-XXXXXX".utf8CString)
            let made = try #require(mkdtemp(&template))
            path = String(cString: made)
        }
        deinit { #expect(rmdir(path) == 0, "something is left in \(path)") }
        var socket: String { path + "/socket" }
        func has(_ path: String) -> Bool { access(path, F_OK) == 0 }
    }

    private func listen(_ path: String) throws -> ListeningSocket {
        try ListeningSocket(.unix(#require(SocketAddress(path: path))), backlog: 0)
    }

    private func connected(_ path: String) throws -> CInt {
        let fd = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let address = try #require(SocketAddress(path: path))
        guard address.withSockaddr({ connect(fd, $0, $1) }) == 0 else {
            let error = Errno.last
            Socket.close(fd)
            throw error
        }
        return fd
    }

    @Test func `is a path, which is gone afterwards`() throws {
        let folder = try Folder()
        let listener = try listen(folder.socket)
        #expect(folder.has(folder.socket))
        #expect(listener.port == 0)
        let client = try connected(folder.socket)
        let accepted = try #require(try waitAndAccept(listener.fd))
        #expect(accepted.peer.ss_family == sa_family_t(AF_UNIX))
        Socket.close(accepted.fd)
        Socket.close(client)
        listener.end()
        #expect(!folder.has(folder.socket))
    }

    @Test func `is a name without a file`() throws {
        let name = "@tlsmem-swift-\(getpid())"
        let listener = try listen(name)
        #expect(throws: Errno(code: EADDRINUSE)) { try listen(name) }
        Socket.close(try connected(name))
        listener.end()
        #expect(throws: Errno(code: ECONNREFUSED)) { try connected(name) }
    }

    @Test func `is taken from the dead, and from nobody else`() throws {
        let folder = try Folder()
        let address = try #require(SocketAddress(path: folder.socket))
        let dead = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        #expect(address.withSockaddr { bind(dead, $0, $1) } == 0)
        Socket.close(dead)
        let first = try listen(folder.socket)
        #expect(throws: Errno(code: EADDRINUSE)) { try listen(folder.socket) }
        Socket.close(try connected(folder.socket))
        first.end()

        let file = open(folder.socket, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
        #expect(throws: Errno(code: EADDRINUSE)) { try listen(folder.socket) }
        #expect(folder.has(folder.socket))
        close(file)
        unlink(folder.socket)
    }

    @Test func `is left alone when it is another's by now`() throws {
        let folder = try Folder()
        let first = try listen(folder.socket)
        unlink(folder.socket)
        let second = try listen(folder.socket)
        first.end()
        #expect(folder.has(folder.socket))
        second.end()
        #expect(!folder.has(folder.socket))
    }

    @Test(arguments: [("", false), ("@", false), ("@x", true), ("x", true)])
    func `has a name of some length`(name: String, isGood: Bool) {
        #expect((SocketAddress(path: name) != nil) == isGood)
    }

    @Test(arguments: [106, 107, 108, 109, 4096])
    func `has a name of limited length`(length: Int) {
        let name = String(repeating: "x", count: length - 1)
        #expect((SocketAddress(path: "x" + name) != nil) == (length <= 107))
        #expect((SocketAddress(path: "@" + name) != nil) == (length <= 108))
    }

    @Test(.enabled(if: hasIPv6)) func `may be IPv6 only`() throws {
        let listener = try ListeningSocket(.host(nil, port: 0, reusePort: false, ipv6Only: true), backlog: 0)
        defer { listener.end() }
        #expect(throws: Errno(code: ECONNREFUSED)) { try SocketTransportTests.connected(toPort: Int(listener.port)) }
        Socket.close(try SocketTransportTests.connected(toPort: Int(listener.port), ipv6: true))
    }

    @Test func `may be a socket of somebody else's, who keeps it`() throws {
        let theirs = try ListeningSocket(.host(nil, port: 0, reusePort: false, ipv6Only: false), backlog: 0)
        #expect(fcntl(theirs.fd, F_SETFL, 0) == 0)
        let ours = try ListeningSocket(.descriptor(theirs.fd), backlog: 0)
        #expect(ours.port == theirs.port)
        #expect(fcntl(theirs.fd, F_GETFL) & O_NONBLOCK != 0)
        ours.end()
        #expect(fcntl(theirs.fd, F_GETFD) != -1)
        theirs.end()
        #expect(throws: Errno(code: EBADF)) { try ListeningSocket(.descriptor(-1), backlog: 0) }
    }

    @Test func `is inherited from nobody here`() {
        #expect(Socket.inherited(0) == nil)
        #expect(Socket.inherited(-1) == nil)
        #expect(Socket.inherited(.max) == nil)
    }
}
