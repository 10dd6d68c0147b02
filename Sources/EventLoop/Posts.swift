internal import CLinux
internal import SocketTransport
internal import Synchronization

/// Something that the layers above have to do in a loop's thread: done there, or dropped when the loop ends before.
open class Job {
    public init() {}

    open func run() {}
    /// Instead of `run`, in the thread that ends the loop.
    open func dropped() {}
}

/// The only door into a loop from other threads: calls to be made in the loop's thread, the wish to stop, and the
/// eventfd that ends a wait. It may outlive its loop, in the hands of those who post.
///
/// `@unchecked Sendable`: `waiting` and `isClosed` are touched only under `mutex`; the rest is constant or atomic.
@safe package final class Posts: @unchecked Sendable {
    typealias Function = @convention(c) (UnsafeMutableRawPointer?) -> Void

    /// One call to be made.
    @safe enum Post {
        case call(Function, UnsafeMutableRawPointer?)
        case job(Job)

        func run() {
            switch self {
            case .call(let function, let argument): unsafe function(argument)
            case .job(let job): job.run()
            }
        }
    }

    /// Readable while there is something to look at.
    let wakeFd: CInt
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private var waiting: [Post] = []
    private var isClosed = false
    private let isSignalled = Atomic<Bool>(false)
    private let isStopRequested = Atomic<Bool>(false)

    convenience init() throws(Errno) {
        let wakeFd = eventfd(0, CInt(clamping: EFD_NONBLOCK | EFD_CLOEXEC))
        guard wakeFd >= 0 else { throw Errno.last }
        self.init(wakeFd)
    }

    private init(_ wakeFd: CInt) {
        self.wakeFd = wakeFd
        unsafe mutex = clinux_allocate(MemoryLayout<pthread_mutex_t>.size).assumingMemoryBound(to: pthread_mutex_t.self)
        _ = unsafe pthread_mutex_init(mutex, nil)
    }

    deinit {
        _ = unsafe pthread_mutex_destroy(mutex)
        unsafe free(mutex)
        Socket.close(wakeFd)
    }

    /// Whether something was signalled that the loop has not yet looked at.
    var hasSignal: Bool { isSignalled.load(ordering: .acquiring) }

    /// Whether a wait would be pointless.
    var isPending: Bool { hasSignal || isStopRequested.load(ordering: .acquiring) }

    var isEmpty: Bool {
        _ = unsafe pthread_mutex_lock(mutex)
        defer { _ = unsafe pthread_mutex_unlock(mutex) }
        return waiting.isEmpty
    }

    /// Has a job done in the loop's thread, in order. Any thread. False, and nothing done, when the loop has ended.
    package func post(_ job: Job) -> Bool { post(.job(job)) }

    func post(_ post: Post) -> Bool {
        _ = unsafe pthread_mutex_lock(mutex)
        let isOpen = !isClosed
        if isOpen { waiting.append(post) }
        _ = unsafe pthread_mutex_unlock(mutex)
        if isOpen { signal() }
        return isOpen
    }

    /// The loop ends: what waits is dropped, and nothing more is taken.
    func close() {
        _ = unsafe pthread_mutex_lock(mutex)
        isClosed = true
        _ = unsafe pthread_mutex_unlock(mutex)
        for case .job(let job) in take() { job.dropped() }
    }

    func requestStop() {
        isStopRequested.store(true, ordering: .releasing)
        signal()
    }

    /// Answers whether a stop was requested, and forgets it.
    func takeStop() -> Bool { isStopRequested.exchange(false, ordering: .acquiringAndReleasing) }

    /// Makes the eventfd readable; many signals before the loop looks cost one system call.
    ///
    /// Should the write fail, the mark stays, and the loop still looks in its next turn.
    func signal() {
        guard !isSignalled.exchange(true, ordering: .acquiringAndReleasing) else { return }
        var one: UInt64 = 1
        while unsafe write(wakeFd, &one, MemoryLayout<UInt64>.size) < 0, Errno.last.code == EINTR {}
    }

    /// Makes the eventfd quiet. To be followed by `take`.
    ///
    /// Read first, then the mark: whoever finds the mark set has posted before the `take` to come, and whoever finds
    /// it clear writes after the read. In the other order a write could be swallowed with the mark left standing.
    func acknowledge() {
        var count: UInt64 = 0
        while unsafe read(wakeFd, &count, MemoryLayout<UInt64>.size) < 0, Errno.last.code == EINTR {}
        _ = isSignalled.exchange(false, ordering: .acquiringAndReleasing)
    }

    /// Takes what was posted, in order.
    func take() -> [Post] {
        _ = unsafe pthread_mutex_lock(mutex)
        defer { _ = unsafe pthread_mutex_unlock(mutex) }
        let posts = waiting
        waiting = []
        return posts
    }
}
