internal import CLinux
package import SocketTransport

/// The watchers of one loop: who waits for which descriptor, until when, and who is to be looked at after the turn.
///
/// It belongs to one thread at a time; only `stop`, `wake` and `post` may be called from others. It holds its
/// watchers; their descriptors it neither owns nor closes.
package final class Registry {
    /// One descriptor number. The generation changes with every use of the number, so that an event which was
    /// collected for the last user never reaches the next one.
    private struct Slot {
        enum Watching { case paused, polled, alwaysReady }

        var watcher: Watcher?
        var generation: UInt32 = 0
        var watching = Watching.paused
    }

    var poller: Poller
    package let posts: Posts
    private var slots: [Slot] = []
    private var watched = 0
    /// What epoll cannot watch; a handful at most.
    private(set) var alwaysReady: [Token] = []
    var deadlines = DeadlineHeap()
    var attention = AttentionList()
    package internal(set) var isRunning = false
    /// How many wait for posts from other loops: for their sake a run goes on although nothing else is left.
    package var holds = 0
    /// While deadlines pass: the moment up to which they do.
    var passingDeadlines: Int64?

    /// Makes the epoll descriptor and the eventfd.
    package convenience init() throws(Errno) {
        var poller = try Poller()
        let posts = try Posts()
        try poller.watch(wakeFd: posts.wakeFd)
        self.init(poller, posts)
    }

    /// An object that cannot be finished would leak in Embedded Swift: what may fail comes before.
    private init(_ poller: consuming Poller, _ posts: Posts) {
        self.poller = poller
        self.posts = posts
    }

    /// Whoever outlives the registry can be added to another one.
    deinit { forEachWatcher { remove($0) } }

    /// Watches a descriptor, which must be in no watcher's hands here; the watcher must have none.
    ///
    /// What epoll cannot watch, as a regular file, counts as always ready.
    package func add(_ watcher: Watcher, fd: CInt, interest: Interest) throws(Errno) {
        guard fd >= 0 else { throw Errno(code: EBADF) }
        guard watcher.fd < 0, self.watcher(forFd: fd) == nil, fd != posts.wakeFd else { throw Errno(code: EEXIST) }
        let place = Int(fd)
        let generation = place < slots.count ? slots[place].generation &+ 1 : 1
        let watching = try admit(Token(fd: fd, generation: generation), interest)
        if place >= slots.count {  // only now is it certain that the number is a real one
            slots.append(contentsOf: repeatElement(Slot(), count: place &+ 1 &- slots.count))
        }
        slots[place] = Slot(watcher: watcher, generation: generation, watching: watching)
        watched &+= 1
        watcher.fd = fd
        watcher.interest = interest
        signalIfReadyOutsideTurn()
    }

    /// Changes what a watcher's descriptor is watched for; costs no system call when nothing changes.
    ///
    /// Nothing to wait for takes the descriptor out of epoll, which otherwise would report a hang-up for ever.
    package func setInterest(_ watcher: Watcher, _ interest: Interest) throws(Errno) {
        guard let place = place(of: watcher) else { throw Errno(code: ENOENT) }
        guard watcher.interest != interest else { return }
        switch slots[place].watching {
        case .alwaysReady:
            break
        case .paused:
            slots[place].watching = try admit(Token(fd: watcher.fd, generation: slots[place].generation), interest)
        case .polled where interest.isEmpty:
            try poller.remove(watcher.fd)
            slots[place].watching = .paused
        case .polled:
            try poller.modify(Token(fd: watcher.fd, generation: slots[place].generation), interest)
        }
        watcher.interest = interest
        signalIfReadyOutsideTurn()
    }

    /// Takes a watcher out, with its deadline and its place after the turn: at once, also for events that are already
    /// collected. The descriptor may be closed already, and the watcher may not be here at all.
    package func remove(_ watcher: Watcher) {
        deadlines.cancel(watcher)
        attention.remove(watcher)
        guard let place = place(of: watcher) else { return }
        let fd = watcher.fd
        switch slots[place].watching {
        case .paused: break
        case .polled: try? poller.remove(fd)
        case .alwaysReady: alwaysReady.removeAll { $0.fd == fd }
        }
        slots[place].watching = .paused
        slots[place].generation &+= 1
        slots[place].watcher = nil
        watched &-= 1
        watcher.fd = -1
        watcher.interest = []
    }

    /// The watcher of a descriptor.
    package func watcher(forFd fd: CInt) -> Watcher? {
        let place = Int(fd)
        guard place >= 0, place < slots.count else { return nil }
        return slots[place].watcher
    }

    /// Sets, moves or cancels the deadline of a watcher, which need have no descriptor.
    ///
    /// What is set while deadlines pass passes in a later turn, even if it is over: no watcher can hold up the others.
    package func setDeadline(_ watcher: Watcher, _ milliseconds: Int64?) {
        guard var milliseconds else { return deadlines.cancel(watcher) }
        if let passing = passingDeadlines, milliseconds <= passing { milliseconds = passing &+ 1 }
        if deadlines.deadline(of: watcher) != milliseconds { deadlines.set(watcher, milliseconds) }
    }

    /// The deadline of a watcher, in the clock's milliseconds.
    package func deadline(of watcher: Watcher) -> Int64? { deadlines.deadline(of: watcher) }

    /// Has turnEnded() called once at the end of this turn, or, when none is running, at the start of the next.
    package func attend(_ watcher: Watcher) {
        attention.add(watcher)
        if !isRunning { posts.signal() }
    }

    /// Whether there is nothing to wait for: no descriptor, no deadline, nobody to look at, no post that is to come.
    package var isEmpty: Bool { watched == 0 && deadlines.isEmpty && attention.isEmpty && holds == 0 }

    /// Visits every watcher that is here now, each once; those who leave meanwhile are passed over.
    package func forEachWatcher(_ body: (Watcher) -> Void) {
        var everyone: [Watcher] = []
        for slot in slots {
            if let watcher = slot.watcher { everyone.append(watcher) }
        }
        deadlines.forEach { if $0.fd < 0 { everyone.append($0) } }
        attention.forEach { if $0.fd < 0 && !deadlines.contains($0) { everyone.append($0) } }
        for watcher in everyone where contains(watcher) { body(watcher) }
    }

    /// Whether a watcher is here, for whatever it waits.
    package func contains(_ watcher: Watcher) -> Bool {
        place(of: watcher) != nil || deadlines.contains(watcher) || attention.contains(watcher)
    }

    /// The calls of epoll_ctl made so far.
    package var controlCalls: Int { poller.controlCalls }

    /// Hands an event to the watcher it was meant for, if that one is still here and still waits for it.
    func deliver(_ token: Token, _ readiness: Readiness) -> Bool {
        let place = Int(token.fd)
        guard place >= 0, place < slots.count, slots[place].generation == token.generation,
            let watcher = slots[place].watcher
        else { return false }
        let wanted = readiness.limited(to: watcher.interest)
        guard !wanted.isEmpty else { return false }
        watcher.ready(wanted)
        return true
    }

    /// Whether something that epoll cannot watch is waited for.
    var hasAlwaysReady: Bool {
        alwaysReady.contains { token in
            guard let watcher = watcher(forFd: token.fd) else { return false }
            return !watcher.interest.isEmpty
        }
    }

    private func place(of watcher: Watcher) -> Int? {
        self.watcher(forFd: watcher.fd) === watcher ? Int(watcher.fd) : nil
    }

    private func admit(_ token: Token, _ interest: Interest) throws(Errno) -> Slot.Watching {
        guard !interest.isEmpty else {
            guard clinux_is_open(token.fd) != 0 else { throw Errno.last }
            return .paused
        }
        switch try poller.add(token, interest) {
        case .watched:
            return .polled
        case .unwatchable:
            alwaysReady.append(token)
            return .alwaysReady
        }
    }

    /// A loop around this one sees only the descriptor: it must be readable for what epoll cannot see.
    private func signalIfReadyOutsideTurn() {
        if !isRunning && hasAlwaysReady { posts.signal() }
    }
}
