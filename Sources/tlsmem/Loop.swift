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

    init() throws(Errno) {
        registry = try Registry()
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
        guard connection.loop == nil, !connection.isOver else { return TLSMEM_ESTATE.code }
        let isNew = connection.socket < 0
        guard isNew ? fd >= 0 : (fd == -1 || fd == connection.socket) else {
            return (isNew ? TLSMEM_EINVAL : TLSMEM_ESTATE).code
        }
        do {
            try registry.add(connection, fd: isNew ? fd : connection.socket, interest: .read)
        } catch {
            clinux_set_errno(error.code)
            return TLSMEM_ESYSTEM.code
        }
        if isNew { _ = connection.setSocket(fd) }
        connection.loop = self
        registry.attend(connection)
        return TLSMEM_OK.code
    }

    func remove(_ connection: Connection) {
        registry.remove(connection)
        connection.loop = nil
    }

    func attend(_ connection: Connection) {
        registry.attend(connection)
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
        do {
            return (try registry.run() ? TLSMEM_OK : TLSMEM_ESTATE).code
        } catch {
            clinux_set_errno(error.code)
            return TLSMEM_ESYSTEM.code
        }
    }

    func runOnce(_ timeout: CInt) -> CInt {
        do {
            guard let handled = try registry.runOnce(timeout: timeout) else { return TLSMEM_ESTATE.code }
            return CInt(clamping: handled)
        } catch {
            clinux_set_errno(error.code)
            return TLSMEM_ESYSTEM.code
        }
    }

    /// Ends everything in it; connections get their report.
    func end() {
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
        guard present == nil || known != nil else { return TLSMEM_ESTATE.code }
        do {
            if let known {
                known.call = call
                try registry.setInterest(known, interest)
            } else {
                let watch = PlainWatch(self, call)
                try registry.add(watch, fd: fd, interest: interest)
                adopt(watch)
            }
            return TLSMEM_OK.code
        } catch {
            clinux_set_errno(error.code)
            return TLSMEM_ESYSTEM.code
        }
    }

    func endWatch(_ fd: CInt) -> CInt {
        guard let present = member(fd) else { return TLSMEM_OK.code }
        guard let known = present.asPlainWatch else { return TLSMEM_ESTATE.code }
        release(known)
        return TLSMEM_OK.code
    }

    /// Whoever has an fd in this loop; only members are ever added.
    private func member(_ fd: CInt) -> Member? {
        registry.watcher(forFd: fd).map { unsafe unsafeDowncast($0, to: Member.self) }
    }
}
