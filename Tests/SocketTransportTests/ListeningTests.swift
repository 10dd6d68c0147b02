import CLinux
import Glibc
import SocketTransport
import Testing

@Suite struct `A listening socket` {
    @Test func `answers nil while no client waits`() throws {
        let listener = try Socket.listen(host: "127.0.0.1", port: 0, backlog: 0, reusePort: false)
        defer { Socket.close(listener) }
        #expect(try Socket.accept(listener) == nil)
    }

    @Test func `gives clients that are non-blocking, close-on-exec and undelayed, and their address`() throws {
        let listener = try Socket.listen(host: "127.0.0.1", port: 0, backlog: 0, reusePort: false)
        defer { Socket.close(listener) }
        let client = try connected(toPort: Socket.localPort(listener))
        defer { Socket.close(client) }
        let accepted = try #require(try waitAndAccept(listener))
        defer { Socket.close(accepted.fd) }
        #expect(fcntl(accepted.fd, F_GETFL) & O_NONBLOCK != 0)
        #expect(fcntl(accepted.fd, F_GETFD) & FD_CLOEXEC != 0)
        var isOn: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        #expect(getsockopt(accepted.fd, CInt(IPPROTO_TCP), TCP_NODELAY, &isOn, &length) == 0)
        #expect(isOn != 0)
        #expect(accepted.peer.ss_family == sa_family_t(AF_INET))
        #expect(accepted.peerLength == socklen_t(MemoryLayout<sockaddr_in>.size))
        let port = withUnsafeBytes(of: accepted.peer) { $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self) }
        #expect(Int(UInt16(bigEndian: port)) == Socket.localPort(client))
    }

    @Test func `without a host hears IPv4`() throws {
        let listener = try Socket.listen(host: nil, port: 0, backlog: 0, reusePort: false)
        defer { Socket.close(listener) }
        let port = Socket.localPort(listener)
        #expect(port > 0)
        let client = try connected(toPort: port)
        defer { Socket.close(client) }
        let accepted = try #require(try waitAndAccept(listener))
        Socket.close(accepted.fd)
    }

    @Test(.enabled(if: hasIPv6)) func `without a host hears IPv6`() throws {
        let listener = try Socket.listen(host: nil, port: 0, backlog: 0, reusePort: false)
        defer { Socket.close(listener) }
        let client = try connected(toPort: Socket.localPort(listener), ipv6: true)
        defer { Socket.close(client) }
        let accepted = try #require(try waitAndAccept(listener))
        defer { Socket.close(accepted.fd) }
        #expect(accepted.peer.ss_family == sa_family_t(AF_INET6))
    }

    @Test(arguments: ["127.0.0.1", "localhost", nil]) func `says that a port is taken`(host: String?) throws {
        func listen(_ port: Int, reusePort: Bool) throws -> CInt {
            guard let host else {
                return try Socket.listen(host: nil, port: UInt16(port), backlog: 0, reusePort: reusePort)
            }
            return try Socket.listen(host: host, port: UInt16(port), backlog: 0, reusePort: reusePort)
        }
        let first = try listen(0, reusePort: true)
        defer { Socket.close(first) }
        let port = Socket.localPort(first)
        let second = try listen(port, reusePort: true)
        #expect(Socket.localPort(second) == port)
        Socket.close(second)
        if host != "localhost" {  // which may have a second address that is free
            #expect(throws: Errno(code: EADDRINUSE)) { try listen(port, reusePort: false) }
        }
    }

    @Test(arguments: ["", "no such host", "127.0.0.1 ", "::1%nowhere", "192.0.2.1"])
    func `says that a host is none of ours`(host: String) {
        #expect(throws: Errno(code: EADDRNOTAVAIL)) {
            try Socket.listen(host: host, port: 0, backlog: 0, reusePort: false)
        }
    }

    @Test func `leaves no descriptor behind when it fails`() throws {
        let first = try Socket.listen(host: "127.0.0.1", port: 0, backlog: 0, reusePort: false)
        defer { Socket.close(first) }
        let port = UInt16(Socket.localPort(first))
        for _ in 0..<2_000 {
            #expect(throws: Errno(code: EADDRINUSE)) {
                try Socket.listen(host: "127.0.0.1", port: port, backlog: 0, reusePort: false)
            }
        }
        let after = dup(first)
        #expect(after < 1_000)
        close(after)
    }
}
