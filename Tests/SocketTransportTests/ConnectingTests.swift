import CLinux
import Glibc
import SocketTransport
import Testing

private func string(_ text: [CChar]) -> String {
    String(decoding: text.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

@Suite struct `An address` {
    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1:443"), ("127.1", "127.0.0.1:443"), ("::1", "[::1]:443"),
        ("2001:DB8::0:1", "[2001:db8::1]:443"), ("::ffff:192.0.2.1", "[::ffff:192.0.2.1]:443"),
    ])
    func `is read from numbers, and written as people write it`(host: String, text: String) throws {
        let address = try #require(SocketAddress(numericHost: host, port: 443))
        #expect(string(address.text) == text)
        #expect(address.family == (text.first == "[" ? .six : .four))
    }

    @Test func `with a scope is for a certificate without it`() throws {
        let address = try #require(SocketAddress(numericHost: "fe80::1%lo", port: 1))
        #expect(string(address.text) == "[fe80::1%lo]:1")
        #expect(string(address.hostText) == "fe80::1")
    }

    @Test(arguments: ["localhost", "", "[::1]", "1.2.3.4.5", "a.b"])
    func `is not made of a name`(host: String) {
        #expect(SocketAddress(numericHost: host, port: 443) == nil)
    }

    @Test func `is a path, or an abstract name, as long as there is room`() throws {
        let longest = "/" + String(repeating: "x", count: 106)
        #expect(string(try #require(SocketAddress(path: longest)).text) == "unix:" + longest)
        #expect(SocketAddress(path: longest + "x") == nil)
        let longestName = "@" + String(repeating: "x", count: 107)
        #expect(string(try #require(SocketAddress(path: longestName)).text) == "unix:" + longestName)
        #expect(SocketAddress(path: longestName + "x") == nil)
        #expect(SocketAddress(path: "") == nil && SocketAddress(path: "@") == nil)
    }

    @Test func `is equal to itself and to no other`() throws {
        let one = try #require(SocketAddress(numericHost: "127.0.0.1", port: 1))
        #expect(one == SocketAddress(numericHost: "127.0.0.1", port: 1))
        #expect(one != SocketAddress(numericHost: "127.0.0.1", port: 2))
        #expect(one != SocketAddress(numericHost: "127.0.0.2", port: 1))
        #expect(one != SocketAddress(path: "@x"))
    }
}

@Suite struct `A connect` {
    private func address(_ host: String, _ port: Int) throws -> SocketAddress {
        try #require(SocketAddress(numericHost: host, port: UInt16(port)))
    }

    /// Waits for the end of it.
    private func outcome(_ connecting: Connecting) -> Errno? {
        var entry = pollfd(fd: connecting.fd, events: Int16(POLLOUT), revents: 0)
        return poll(&entry, 1, 20_000) == 1 ? Socket.connectFailure(connecting.fd) : Errno(code: ETIMEDOUT)
    }

    @Test func `gives a socket that is non-blocking, close-on-exec and undelayed`() throws {
        let listener = try Socket.listen(host: "127.0.0.1", port: 0, backlog: 0, reusePort: false)
        defer { Socket.close(listener) }
        let connecting = try Socket.connect(to: address("127.0.0.1", Socket.localPort(listener)), from: nil)
        defer { Socket.close(connecting.fd) }
        #expect(outcome(connecting) == nil)
        #expect(fcntl(connecting.fd, F_GETFL) & O_NONBLOCK != 0 && fcntl(connecting.fd, F_GETFD) & FD_CLOEXEC != 0)
        var isOn: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        #expect(getsockopt(connecting.fd, CInt(IPPROTO_TCP), TCP_NODELAY, &isOn, &length) == 0 && isOn != 0)
    }

    @Test func `comes from the address that was asked for`() throws {
        let listener = try Socket.listen(host: "127.0.0.1", port: 0, backlog: 0, reusePort: false)
        defer { Socket.close(listener) }
        let connecting = try Socket.connect(
            to: address("127.0.0.1", Socket.localPort(listener)), from: address("127.0.0.9", 0))
        defer { Socket.close(connecting.fd) }
        #expect(outcome(connecting) == nil)
        var mine = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &mine) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(connecting.fd, $0, &length) }
        }
        #expect(UInt32(bigEndian: mine.sin_addr.s_addr) == 0x7F00_0009)
    }

    @Test func `says that it was refused`() throws {
        let listener = try Socket.listen(host: "127.0.0.1", port: 0, backlog: 0, reusePort: false)
        let port = Socket.localPort(listener)
        Socket.close(listener)
        let connecting = try Socket.connect(to: address("127.0.0.1", port), from: nil)
        defer { Socket.close(connecting.fd) }
        #expect(outcome(connecting) == Errno(code: ECONNREFUSED))
    }

    @Test func `to its own port is refused, though TCP would connect it with itself`() throws {
        let probe = try Socket.listen(host: "127.0.0.1", port: 0, backlog: 0, reusePort: false)
        let port = Socket.localPort(probe)
        Socket.close(probe)
        let place = try address("127.0.0.1", port)
        let connecting = try Socket.connect(to: place, from: place)
        defer { Socket.close(connecting.fd) }
        #expect(outcome(connecting) == Errno(code: ECONNREFUSED))
    }

    @Test func `may fail at once`() throws {
        #expect(throws: Errno(code: ENOENT)) {
            _ = try Socket.connect(to: #require(SocketAddress(path: "/nonexistent/tlsmem")), from: nil)
        }
        #expect(throws: Errno(code: EADDRNOTAVAIL)) {
            _ = try Socket.connect(to: address("127.0.0.1", 1), from: address("192.0.2.1", 0))
        }
    }
}
