internal import CLinux
internal import CTLSMem
internal import EventLoop
internal import SocketTransport

/// Whoever lives in a `tlsmem_loop`: a connection, or something that the loop owns.
class Member: Watcher {
    var asConnection: Connection? { nil }
    var asPlainWatch: PlainWatch? { nil }
    var asListener: Listener? { nil }
}

/// A `tlsmem_loop`: the registry, and what was made in it.
final class Loop {
    /// How far it has come.
    enum Course {
        case going
        /// tlsmem_loop_drain: no newcomers, and it stops with the last connection.
        case draining
        /// tlsmem_loop_free: nothing comes in any more.
        case ending
    }

    let registry: Registry
    /// How established connections are watched.
    private let manner: Manner
    /// Listeners, timers and watches.
    private(set) var owned = Belongings()
    var course = Course.going
    var graceDeadline: GraceDeadline?
    /// Whoever still comes is closed.
    var graceIsOver = false
    private(set) var connections = 0
    private var handshaking = 0
    private var added: UInt64 = 0
    private var established: UInt64 = 0

    init(_ registry: Registry, isEdgeTriggered: Bool) {
        self.registry = registry
        manner = isEdgeTriggered ? .edge : .level
    }

    /// In a child of fork a loop of the parent's is as one that is being freed.
    var isEnding: Bool { if case .ending = course { true } else { !registry.isOurs } }
    /// Newcomers are welcome.
    var isOpen: Bool { if case .going = course { registry.isOurs } else { false } }

    var handle: OpaquePointer { unsafe Handle.of(self) }

    // MARK: What it owns

    func adopt(_ member: Owned) { owned.add(member) }

    /// Ends it at once, also from its own callback.
    func release(_ member: Owned) {
        registry.remove(member)
        guard owned.contains(member) else { return }
        Handle.forget(member)
        member.ended()
        owned.remove(member)
    }

    // MARK: Connections

    func add(_ connection: Connection, _ fd: CInt) -> CInt {
        guard !connection.hasLoop, !connection.isOver, isOpen else { return TLSMEM_ESTATE.code }
        let isNew = connection.socket < 0
        guard isNew ? fd >= 0 : (fd == -1 || fd == connection.socket) else {
            return (isNew ? TLSMEM_EINVAL : TLSMEM_ESTATE).code
        }
        if isNew {
            let status = connection.setSocket(fd)
            guard status == TLSMEM_OK.code else { return status }
        }
        let status = attempt { () throws(Errno) in try enter(connection) }
        if status != TLSMEM_OK.code, isNew { connection.socket = -1 }
        return status
    }

    /// Has a connection with a socket watched. Those in handshake stand behind the others.
    func enter(_ connection: Connection) throws(Errno) {
        try watch(connection)
        count(connection)
        registry.attend(connection)
    }

    func watch(_ connection: Connection) throws(Errno) {
        let isNewcomer = !connection.wasEstablished
        try registry.add(
            connection, fd: connection.socket, interest: .read, manner: isNewcomer ? .patient : manner)
        if isNewcomer { handshaking &+= 1 }
    }

    /// It is in the loop from now on.
    func count(_ connection: Connection) {
        connection.loop = self
        connection.enterGate()
        connections &+= 1
        added &+= 1
    }

    /// Out of the loop, and out of the count of its listener.
    func remove(_ connection: Connection) {
        connection.connector?.finish()
        leave(connection)
        connection.leaveGate()
        stopIfDrained()
    }

    /// Out of the loop, perhaps on its way to another; to be followed by `stopIfDrained`.
    func leave(_ connection: Connection) {
        if connection.manner == .patient { handshakeIsOver(connection) }
        registry.remove(connection)
        connection.loop = nil
        connection.destination = nil
        connections &-= 1
    }

    /// It is no newcomer any more, because it is done with that or because it leaves.
    private func handshakeIsOver(_ connection: Connection) {
        handshaking &-= 1
        if connection.wasEstablished { established &+= 1 }
    }

    /// Brings interest and deadline up to date; returns an errno when epoll refuses.
    func update(_ connection: Connection) -> CInt? {
        var interest: Interest = []
        if connection.wantsInput { interest.insert(.read) }
        if connection.wantsOutput { interest.insert(.write) }
        do {
            if connection.manner == .patient, connection.wasEstablished {
                try registry.setManner(connection, manner)
                handshakeIsOver(connection)
            }
            if connection.connector == nil { try registry.setInterest(connection, interest) }
        } catch {
            return error.code
        }
        updateDeadline(connection)
        return nil
    }

    func updateDeadline(_ connection: Connection) {
        let deadline = connection.deadline
        registry.setDeadline(connection, deadline < 0 ? nil : deadline, lazily: true)
    }

    // MARK: Turns

    func run() -> CInt {
        Handle.enter(self)
        defer { Handle.leave(self) }
        stopIfDrained()  // a turn by tlsmem_loop_run_once may have seen to the last one
        var hasRun = false
        let status = attempt { () throws(Errno) in hasRun = try registry.run() }
        return status == TLSMEM_OK.code && !hasRun ? TLSMEM_ESTATE.code : status
    }

    func runOnce(_ timeout: CInt) -> CInt {
        Handle.enter(self)
        defer { Handle.leave(self) }
        var handled: Int?
        let status = attempt { () throws(Errno) in handled = try registry.runOnce(timeout: timeout) }
        guard status == TLSMEM_OK.code else { return status }
        return handled.map { CInt(clamping: $0) } ?? TLSMEM_ESTATE.code
    }

    /// Ends everything in it; connections get their report, and first: what the program made beside one is still there
    /// for its on_close to free.
    func end() {
        course = .ending
        registry.closePosts()
        forEachConnection { _ = $0.abort() }
        while let last = owned.last {
            last.loopEnds()
            release(last)
        }
        graceDeadline = nil
    }

    func forEachConnection(_ body: (Connection) -> Void) {
        registry.forEachWatcher { watcher in
            // Only members are ever added.
            guard let connection = unsafe unsafeDowncast(watcher, to: Member.self).asConnection else { return }
            body(connection)
        }
    }

    func fill(_ stats: inout tlsmem_loop_stats_info) {
        stats.turns = registry.turns
        stats.events = registry.eventsHandled
        stats.epoll_waits = registry.waitCalls
        stats.epoll_ctls = registry.controlCalls
        stats.added = added
        stats.established = established
        stats.connections = UInt64(clamping: connections)
        stats.handshaking = UInt64(clamping: handshaking)
        stats.deadlines = UInt64(clamping: registry.deadlinesSet)
    }

    // MARK: Plain descriptors

    func watch(_ fd: CInt, _ interest: Interest, _ call: PlainWatch.Call) -> CInt {
        let present = member(fd)
        let known = present?.asPlainWatch
        guard present == nil || known != nil, !isEnding else { return TLSMEM_ESTATE.code }
        if let known {
            known.call = call
            let isChange = known.interest != interest
            if isChange, attempt({ () throws(Errno) in try registry.setInterest(known, interest) }) == TLSMEM_OK.code {
                return TLSMEM_OK.code
            }
            release(known)  // the fd may have been closed meanwhile, and its number be another file's
        }
        let watch = PlainWatch(self, call)
        return attempt { () throws(Errno) in
            try registry.add(watch, fd: fd, interest: interest)
            adopt(watch)
        }
    }

    func endWatch(_ fd: CInt) -> CInt {
        guard let present = member(fd) else { return TLSMEM_OK.code }
        guard let known = present.asPlainWatch else { return TLSMEM_ESTATE.code }
        release(known)
        return TLSMEM_OK.code
    }

    /// The system's errors as C sees them.
    func attempt(_ work: () throws(Errno) -> Void) -> CInt {
        do {
            try work()
            return TLSMEM_OK.code
        } catch {
            clinux_set_errno(error.code)
            return TLSMEM_ESYSTEM.code
        }
    }

    /// Whoever has an fd in this loop; only members are ever added.
    private func member(_ fd: CInt) -> Member? {
        registry.watcher(forFd: fd).map { unsafe unsafeDowncast($0, to: Member.self) }
    }
}
