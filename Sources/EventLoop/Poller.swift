internal import CLinux
internal import SocketTransport

/// The epoll descriptor and its batch of events. It knows tokens and interest, and no watchers. Level-triggered.
@safe struct Poller: ~Copyable {
    /// What epoll said to being asked to watch a descriptor.
    enum Admission { case watched, unwatchable }

    /// Events taken from the kernel by one wait.
    private static let batchEventsMax = 256

    let fd: CInt
    private let batch: UnsafeMutablePointer<epoll_event>
    /// The calls of epoll_ctl made so far.
    private(set) var controlCalls = 0

    init() throws(Errno) {
        fd = epoll_create1(CInt(clamping: EPOLL_CLOEXEC))
        guard fd >= 0 else { throw Errno.last }
        unsafe batch = .allocate(capacity: Poller.batchEventsMax)
    }

    deinit {
        unsafe batch.deallocate()
        Socket.close(fd)
    }

    /// Begins to watch the registry's own wake-up.
    mutating func watch(wakeFd: CInt) throws(Errno) {
        try control(EPOLL_CTL_ADD, wakeFd, .wake, .read)
    }

    /// Begins to watch. What epoll cannot watch (EPERM: a regular file, a directory) is an answer.
    mutating func add(_ token: Token, _ interest: Interest) throws(Errno) -> Admission {
        do {
            try control(EPOLL_CTL_ADD, token.fd, token, interest)
            return .watched
        } catch {
            guard error.code == EPERM else { throw error }
            return .unwatchable
        }
    }

    /// Changes what is watched for.
    mutating func modify(_ token: Token, _ interest: Interest) throws(Errno) {
        try control(EPOLL_CTL_MOD, token.fd, token, interest)
    }

    /// Ends watching. A descriptor that was closed before has left epoll by itself.
    mutating func remove(_ fd: CInt) throws(Errno) {
        do {
            try control(EPOLL_CTL_DEL, fd, Token(fd: fd, generation: 0), [])
        } catch {
            guard error.code == EBADF || error.code == ENOENT else { throw error }
        }
    }

    /// Waits, and answers how many events are in the batch. A signal ends the wait with none.
    func wait(_ timeout: Int32) throws(Errno) -> Int {
        let count = unsafe epoll_wait(fd, batch, CInt(clamping: Poller.batchEventsMax), timeout)
        if count >= 0 { return Int(count) }
        let error = Errno.last
        if error.code == EINTR { return 0 }
        throw error
    }

    /// One event of the batch.
    func event(_ index: Int) -> (token: Token, readiness: Readiness) {
        guard index >= 0, index < Poller.batchEventsMax else { return (.wake, []) }
        let events = unsafe batch[index].events
        var readiness: Readiness = []
        if events & EPOLLIN.rawValue != 0 { readiness.insert(.read) }
        if events & EPOLLOUT.rawValue != 0 { readiness.insert(.write) }
        if events & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 { readiness = [.read, .write] }
        return (Token(bits: unsafe batch[index].data.u64), readiness)
    }

    private mutating func control(
        _ operation: CInt, _ watched: CInt, _ token: Token, _ interest: Interest
    ) throws(Errno) {
        var events: UInt32 = 0
        if interest.contains(.read) { events |= EPOLLIN.rawValue }
        if interest.contains(.write) { events |= EPOLLOUT.rawValue }
        var event = unsafe epoll_event(events: events, data: epoll_data(u64: token.bits))
        controlCalls &+= 1
        guard unsafe epoll_ctl(fd, operation, watched, &event) == 0 else { throw Errno.last }
    }
}
