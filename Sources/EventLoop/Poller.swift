internal import CLinux
internal import SocketTransport

/// An epoll descriptor and its batch of events. It knows tokens and interest, and no watchers.
@safe struct Poller: ~Copyable {
    /// What epoll said to being asked to watch a descriptor.
    enum Admission { case watched, unwatchable }

    /// Edge-triggered, everything is watched for: what is not wanted now is remembered, and costs no system call later.
    private static let everyEdge = EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLET.rawValue

    let fd: CInt
    /// Events taken from the kernel by one wait.
    private let batchEventsMax: Int
    private let batch: UnsafeMutablePointer<epoll_event>
    /// The calls of epoll_ctl and of epoll_wait made so far.
    private(set) var controlCalls: UInt64 = 0
    private(set) var waitCalls: UInt64 = 0

    init(batchEventsMax: Int) throws(Errno) {
        fd = epoll_create1(CInt(clamping: EPOLL_CLOEXEC))
        guard fd >= 0 else { throw Errno.last }
        self.batchEventsMax = batchEventsMax
        unsafe batch = clinux_allocate(batchEventsMax &* MemoryLayout<epoll_event>.stride)
            .assumingMemoryBound(to: epoll_event.self)
    }

    deinit {
        unsafe free(batch)
        Socket.close(fd)
    }

    /// Begins to watch a descriptor of the registry's own, under a token that no watcher has.
    mutating func watch(own fd: CInt, _ token: Token) throws(Errno) {
        try control(EPOLL_CTL_ADD, fd, token, Self.events(.read))
    }

    /// Begins to watch. What epoll cannot watch (EPERM: a regular file, a directory) is an answer.
    mutating func add(_ token: Token, _ interest: Interest) throws(Errno) -> Admission {
        try add(token, Self.events(interest))
    }

    /// Begins to watch for every edge.
    mutating func addEdges(_ token: Token) throws(Errno) -> Admission {
        try add(token, Self.everyEdge)
    }

    private mutating func add(_ token: Token, _ events: UInt32) throws(Errno) -> Admission {
        do {
            try control(EPOLL_CTL_ADD, token.fd, token, events)
            return .watched
        } catch {
            guard error.code == EPERM else { throw error }
            return .unwatchable
        }
    }

    /// Changes what is watched for.
    mutating func modify(_ token: Token, _ interest: Interest) throws(Errno) {
        try control(EPOLL_CTL_MOD, token.fd, token, Self.events(interest))
    }

    /// Watches for every edge from now on; what is ready already is reported anew.
    mutating func modifyToEdges(_ token: Token) throws(Errno) {
        try control(EPOLL_CTL_MOD, token.fd, token, Self.everyEdge)
    }

    /// Reports at most a hang-up from now on, once, until it is modified again: that needs no memory, as adding would.
    mutating func silence(_ token: Token) throws(Errno) {
        try control(EPOLL_CTL_MOD, token.fd, token, EPOLLONESHOT.rawValue)
    }

    /// Ends watching. A descriptor that was closed before has left epoll by itself.
    mutating func remove(_ fd: CInt) throws(Errno) {
        do {
            try control(EPOLL_CTL_DEL, fd, Token(fd: fd, generation: 0), 0)
        } catch {
            guard error.code == EBADF || error.code == ENOENT else { throw error }
        }
    }

    /// Waits, and answers how many events are in the batch. A signal ends the wait with none.
    mutating func wait(_ timeout: Int32) throws(Errno) -> Int {
        waitCalls &+= 1
        let count = unsafe epoll_wait(fd, batch, CInt(clamping: batchEventsMax), timeout)
        if count >= 0 { return Int(count) }
        let error = Errno.last
        if error.code == EINTR { return 0 }
        throw error
    }

    /// One event of the batch.
    func event(_ index: Int) -> (token: Token, readiness: Readiness) {
        guard index >= 0, index < batchEventsMax else { return (.wake, []) }
        let events = unsafe batch[index].events
        var readiness: Readiness = []
        if events & EPOLLIN.rawValue != 0 { readiness.insert(.read) }
        if events & EPOLLOUT.rawValue != 0 { readiness.insert(.write) }
        if events & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 { readiness = [.read, .write] }
        return (Token(bits: unsafe batch[index].data.u64), readiness)
    }

    private static func events(_ interest: Interest) -> UInt32 {
        var events: UInt32 = 0
        if interest.contains(.read) { events |= EPOLLIN.rawValue }
        if interest.contains(.write) { events |= EPOLLOUT.rawValue }
        return events
    }

    private mutating func control(
        _ operation: CInt, _ watched: CInt, _ token: Token, _ events: UInt32
    ) throws(Errno) {
        var event = unsafe epoll_event(events: events, data: epoll_data(u64: token.bits))
        controlCalls &+= 1
        guard unsafe epoll_ctl(fd, operation, watched, &event) == 0 else { throw Errno.last }
    }
}
