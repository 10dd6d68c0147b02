internal import CLinux
internal import CTLSMem
internal import EventLoop
internal import SocketTransport

/// Whoever lives in a `tlsmem_loop`: a connection, or something that the loop owns.
class Member: Watcher {
    var asConnection: Connection? { nil }
    var asPlainWatch: PlainWatch? { nil }
}

/// A `tlsmem_loop`: the registry, and what was made in it.
final class Loop {
    let registry: Registry
    /// Listeners, timers and watches; each knows its place.
    private var owned: [Owned] = []
    /// tlsmem_loop_free has begun: nothing new comes in.
    private(set) var isEnding = false

    init(_ registry: Registry) {
        self.registry = registry
    }

    var handle: OpaquePointer { unsafe Handle.of(self) }

    // MARK: What it owns

    /// Something that the program made in the loop, and that ends with the loop at the latest. `release` breaks the
    /// cycle of references.
    class Owned: Member {
        let owner: Loop
        fileprivate var place = -1

        init(_ owner: Loop) {
            self.owner = owner
            super.init()
        }

        /// Nothing new is to come into the loop by it, also if the loop goes on.
        func letNothingIn() {}
        /// Gives back what the loop does not know of.
        func ended() {}
    }

    func adopt(_ member: Owned) {
        member.place = owned.count
        owned.append(member)
    }

    /// Ends it at once, also from its own callback.
    func release(_ member: Owned) {
        registry.remove(member)
        guard member.place >= 0, member.place < owned.count else { return }
        member.ended()
        let last = owned.removeLast()
        if last !== member {
            owned[member.place] = last
            last.place = member.place
        }
        member.place = -1
    }

    // MARK: Connections

    func add(_ connection: Connection, _ fd: CInt) -> CInt {
        guard connection.loop == nil, !connection.isOver, !isEnding else { return TLSMEM_ESTATE.code }
        let isNew = connection.socket < 0
        guard isNew ? fd >= 0 : (fd == -1 || fd == connection.socket) else {
            return (isNew ? TLSMEM_EINVAL : TLSMEM_ESTATE).code
        }
        if isNew {
            let status = connection.setSocket(fd)
            guard status == TLSMEM_OK.code else { return status }
        }
        let status = attempt { () throws(Errno) in
            try registry.add(connection, fd: connection.socket, interest: .read)
        }
        guard status == TLSMEM_OK.code else {
            if isNew { connection.socket = -1 }
            return status
        }
        connection.loop = self
        registry.attend(connection)
        return status
    }

    /// Out of the loop, and out of the count of its listener.
    func remove(_ connection: Connection) {
        registry.remove(connection)
        connection.loop = nil
        connection.leaveGate()
    }

    /// Brings interest and deadline up to date; returns an errno when epoll refuses.
    func update(_ connection: Connection) -> CInt? {
        var interest: Interest = []
        if connection.wantsInput { interest.insert(.read) }
        if connection.wantsOutput { interest.insert(.write) }
        do {
            try registry.setInterest(connection, interest)
        } catch {
            return error.code
        }
        let deadline = connection.deadline
        registry.setDeadline(connection, deadline < 0 ? nil : deadline)
        return nil
    }

    // MARK: Turns

    func run() -> CInt {
        var hasRun = false
        let status = attempt { () throws(Errno) in hasRun = try registry.run() }
        return status == TLSMEM_OK.code && !hasRun ? TLSMEM_ESTATE.code : status
    }

    func runOnce(_ timeout: CInt) -> CInt {
        var handled: Int?
        let status = attempt { () throws(Errno) in handled = try registry.runOnce(timeout: timeout) }
        guard status == TLSMEM_OK.code else { return status }
        return handled.map { CInt(clamping: $0) } ?? TLSMEM_ESTATE.code
    }

    /// Ends everything in it; connections get their report.
    func end() {
        isEnding = true
        registry.closePosts()
        while let last = owned.last { release(last) }
        registry.forEachWatcher { watcher in
            // Only members are ever added.
            guard let connection = unsafe unsafeDowncast(watcher, to: Member.self).asConnection else { return }
            _ = connection.abort()
        }
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
    private func attempt(_ work: () throws(Errno) -> Void) -> CInt {
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
