import CLinux
import Glibc
import SocketTransport
import Synchronization

@testable import EventLoop

/// A watcher that does what the test says.
final class Probe: Watcher {
    var onReady: ((Readiness) -> Void)?
    var onDeadline: ((Int64) -> Void)?
    var onTurnEnded: (() -> Void)?
    private(set) var readyCalls = 0
    private(set) var deadlineCalls = 0
    private(set) var turnCalls = 0

    override func ready(_ readiness: Readiness) {
        readyCalls += 1
        onReady?(readiness)
    }
    override func deadlinePassed(now: Int64) {
        deadlineCalls += 1
        onDeadline?(now)
    }
    override func turnEnded() {
        turnCalls += 1
        onTurnEnded?()
    }
}

/// Two connected sockets, non-blocking, closed with the pair.
final class SocketPair {
    let near: CInt
    private(set) var far: CInt

    init() {
        var both: [CInt] = [-1, -1]
        let kind = CInt(bitPattern: SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        precondition(socketpair(AF_UNIX, kind, 0, &both) == 0, "no socketpair")
        near = both[0]
        far = both[1]
    }
    deinit {
        close(near)
        if far >= 0 { close(far) }
    }

    /// Makes the near end readable.
    func feed() {
        var byte: UInt8 = 1
        precondition(write(far, &byte, 1) == 1, "no room in the pair")
    }
    func hangUp() {
        close(far)
        far = -1
    }
}

/// What the header lets other threads do.
struct OtherThreads: @unchecked Sendable {
    let registry: Registry

    func wake() { registry.wake() }
    func stop() { registry.stop() }
    func post(_ box: Box) {
        registry.post(
            { Unmanaged<Box>.fromOpaque($0!).takeRetainedValue().run() },
            Unmanaged.passRetained(box).toOpaque())
    }
}

/// A call to be posted.
final class Box: @unchecked Sendable {
    let run: () -> Void
    init(_ run: @escaping () -> Void) { self.run = run }
}

/// A thread that is joined, so that no test leaves one behind.
final class Joined {
    private var thread = pthread_t()

    init(_ body: @escaping @Sendable () -> Void) {
        let box = Unmanaged.passRetained(Box(body)).toOpaque()
        let made = pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, box)
        precondition(made == 0, "no thread")
    }
    func join() { pthread_join(thread, nil) }
}

/// Whether an fd is readable at this moment, as a loop around the registry would find.
func isReadable(_ fd: CInt) -> Bool {
    var entry = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, 0) == 1
}

/// A small generator with a seed, so that every run is the same.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

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
