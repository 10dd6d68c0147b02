import Synchronization
import CLinux
import Glibc
import SocketTransport

/// Two connected sockets; what the near one receives is kept.
final class Sockets {
    private var near: CInt
    let far: CInt
    private(set) var received: [UInt8] = []

    init(blocking: Bool = false) {
        var both: [CInt] = [-1, -1]
        let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | (blocking ? 0 : SOCK_NONBLOCK.rawValue)
        precondition(socketpair(AF_UNIX, CInt(bitPattern: kind), 0, &both) == 0, "no socketpair")
        near = both[0]
        far = both[1]
    }
    deinit {
        closeNear()
        close(far)
    }

    func closeNear() {
        if near >= 0 { close(near) }
        near = -1
    }
    func send(_ bytes: [UInt8]) throws -> Transfer { try Socket.send(far, bytes.span.bytes) }
    func receive(room count: Int = 16) throws -> Transfer {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
        defer { room.deallocate() }
        let answer = try Socket.receive(near, into: room)
        if case .moved(let moved) = answer { received = Array(room.prefix(moved)) }
        return answer
    }
}

/// A thread that is joined, so that no test leaves one behind.
final class Joined {
    private var thread = pthread_t()
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    init(_ body: @escaping @Sendable () -> Void) {
        let made = pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, Unmanaged.passRetained(Body(body)).toOpaque())
        precondition(made == 0, "no thread")
    }
    func join() { pthread_join(thread, nil) }
}

/// Counted by a signal handler, which may touch nothing but memory.
let interruptions = Atomic<Int>(0)

/// Waits for an event that is certain to come.
func waitReadable(_ fd: CInt) {
    var entry = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
    while poll(&entry, 1, 20_000) < 0 {}
}

func waitAndAccept(_ listener: CInt) throws -> Accepted? {
    waitReadable(listener)
    return try Socket.accept(listener)
}

func connected(toPort port: Int, ipv6: Bool = false) throws -> CInt {
    let fd = socket(ipv6 ? AF_INET6 : AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard fd >= 0 else { throw Errno.last }
    let result: CInt
    if ipv6 {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = UInt16(port).bigEndian
        address.sin6_addr = in6addr_loopback
        result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
            }
        }
    } else {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
    guard result == 0 else {
        let error = Errno.last
        Socket.close(fd)
        throw error
    }
    return fd
}

/// Whether this machine can listen on ::1.
let hasIPv6: Bool = {
    guard let fd = try? Socket.listen(host: "::1", port: 0, backlog: 0, reusePort: false) else { return false }
    Socket.close(fd)
    return true
}()

/// Lets a signal reach this thread meanwhile: the threads of a pool, which tests run on, shut signals out.
func hearing<Result>(_ signal: CInt, _ body: () throws -> Result) rethrows -> Result {
    var wanted = sigset_t()
    var before = sigset_t()
    sigemptyset(&wanted)
    sigaddset(&wanted, signal)
    pthread_sigmask(SIG_UNBLOCK, &wanted, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    return try body()
}
