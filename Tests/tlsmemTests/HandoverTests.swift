import CTLSMem
import Glibc
import Synchronization
import TestSupport
import Testing

/// Clients that one loop accepts and others serve, in threads of their own: under the thread sanitizer above all.
@Suite struct `A handed over client` {
    private static let loops = 3
    private static let rounds = 40

    /// How often each serving loop was asked, and how many clients are there.
    private final class Counts: Sendable {
        let accepted = Mutex<[Int: Int]>([:])
        let ended = Atomic<Int>(0)
    }

    /// A loop that runs in a thread.
    private final class Running {
        private var thread = pthread_t()

        init(_ loop: OpaquePointer?) {
            let made = pthread_create(
                &thread, nil,
                { loop in
                    _ = tlsmem_loop_run(OpaquePointer(loop))
                    return nil
                }, UnsafeMutableRawPointer(loop))
            precondition(made == 0, "no thread")
        }
        func join() { pthread_join(thread, nil) }
    }

    private static func count(_ user: UnsafeMutableRawPointer?) -> Counts {
        Unmanaged<Counts>.fromOpaque(user!).takeUnretainedValue()
    }

    /// The memory of a connection says who counts.
    private static nonisolated(unsafe) let callbacks = {
        let callbacks = UnsafeMutablePointer<tlsmem_callbacks>.allocate(capacity: 1)
        callbacks.initialize(to: tlsmem_callbacks())
        callbacks.pointee.size = MemoryLayout<tlsmem_callbacks>.size
        callbacks.pointee.on_close = { c, _, user in
            let counts = user!.load(as: UnsafeMutableRawPointer?.self)
            tlsmem_free(c)
            `A handed over client`.count(counts).ended.add(1, ordering: .relaxed)
        }
        return callbacks
    }()

    private static func options(_ counts: Counts, most: CInt) -> tlsmem_listen_options {
        var options = tlsmem_listen_options()
        options.size = MemoryLayout<tlsmem_listen_options>.size
        options.fd = -1
        options.connections_max = most
        options.user_size = 64
        options.user = Unmanaged.passUnretained(counts).toOpaque()
        options.on_accept = { _, accepted, user in
            let counts = `A handed over client`.count(user)
            let loop = Int(bitPattern: accepted!.pointee.loop)
            counts.accepted.withLock { $0[loop, default: 0] += 1 }
            accepted!.pointee.user.storeBytes(of: user, as: UnsafeMutableRawPointer?.self)
            accepted!.pointee.callbacks = UnsafePointer(`A handed over client`.callbacks)
            return 0
        }
        return options
    }

    /// Says something that is no TLS, and waits until it is told so.
    private static func knock(_ port: CInt) -> Bool {
        let fd = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(fd) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let isConnected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var bytes = [UInt8](repeating: 0, count: 64)
        return isConnected && send(fd, "junkjunk", 8, CInt(MSG_NOSIGNAL)) == 8
            && (recv(fd, &bytes, 64, 0) >= 0 || errno == ECONNRESET)
    }

    @Test(arguments: [0, 1, 2]) func `is served in the loop whose turn it is`(most: Int) throws {
        let (contexts, counts) = (Contexts(), Counts())
        let acceptor = tlsmem_loop_new()
        var listener: OpaquePointer?
        var options = Self.options(counts, most: CInt(most))
        #expect(tlsmem_loop_listen(acceptor, contexts.server, &options, &listener) == status(TLSMEM_OK))
        let serving = (0..<Self.loops).map { _ in tlsmem_loop_new() }
        for loop in serving { #expect(tlsmem_listener_add_loop(listener, loop) == status(TLSMEM_OK)) }
        let port = tlsmem_listener_port(listener)
        let threads = (serving + [acceptor]).map { Running($0) }
        for _ in 0..<Self.rounds * Self.loops { #expect(Self.knock(port)) }
        #expect(tlsmem_loop_post(acceptor, { tlsmem_listener_free(OpaquePointer($0)) }, .init(listener)) == 0)
        threads.forEach { $0.join() }  // they end by themselves, when nobody can come any more
        for loop in serving {
            #expect(counts.accepted.withLock { $0[Int(bitPattern: loop)] } == Self.rounds)
            tlsmem_loop_free(loop)
        }
        tlsmem_loop_free(acceptor)
        #expect(counts.ended.load(ordering: .relaxed) == Self.rounds * Self.loops)
    }
}
