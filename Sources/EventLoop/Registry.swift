internal import CLinux
package import SocketTransport

/// The watchers of one loop: who waits for which descriptor, until when, and who is to be looked at after the turn.
///
/// It belongs to one thread at a time; only `stop`, `wake` and `post` may be called from others. It holds its
/// watchers; their descriptors it neither owns nor closes.
@safe package final class Registry {
    /// One descriptor number. Every use of any number has a generation of its own, so that an event which was collected
    /// for the last user never reaches the next one.
    @safe struct Slot {
        enum Watching { case paused, polled, alwaysReady }

        /// Counted once, by whoever fills the slot.
        var held: Unmanaged<Watcher>?
        var generation: UInt32 = 0
        var watching = Watching.paused

        var watcher: Watcher? { unsafe held?.takeUnretainedValue() }
    }

    /// So many of the patient are driven in one turn, so that a burst of newcomers does not keep the others waiting.
    package static let patientEventsUsual = 2
    /// Events taken by one wait.
    static let batchEventsMax = 256
    /// So many slots cost too little to give their memory back.
    private static let slotsKept = 1024

    var poller: Poller
    var patient: PatientQueue
    package let posts: Posts
    private var slots: [Slot] = []
    private var lastGeneration: UInt32 = 0
    private var watched = 0
    /// Whose event is being delivered, and, once it has left meanwhile, what keeps it until that is done.
    var called: Unmanaged<Watcher>?
    var departed: Watcher?
    /// What epoll cannot watch; a handful at most.
    private(set) var alwaysReady: [Token] = []
    /// Edge-triggered watchers that have not used up what was reported, and whom no event will remind.
    var unfinished: [Token] = []
    var deadlines = Deadlines()
    var attention = AttentionList()
    package internal(set) var isRunning = false
    /// How many wait for a post from other threads: for their sake a run goes on although nothing else is left.
    package var holds = 0
    /// While deadlines pass: the moment up to which they do.
    var passingDeadlines: Int64?
    /// What the program calls the loop by: for whoever watches its turns.
    package var handle: OpaquePointer?
    /// There may be nothing here that it waits for: other threads have it do things.
    package var runsEmpty = false
    package internal(set) var turns: UInt64 = 0
    package internal(set) var eventsHandled: UInt64 = 0

    /// Makes the epoll descriptor and the eventfd.
    package convenience init(patientEvents: Int = Registry.patientEventsUsual) throws(Errno) {
        var poller = try Poller(batchEventsMax: Self.batchEventsMax)
        let posts = try Posts()
        try poller.watch(own: posts.wakeFd, .wake)
        self.init(poller, PatientQueue(turnMax: patientEvents), posts)
    }

    /// An object that cannot be finished would leak in Embedded Swift: what may fail comes before.
    private init(_ poller: consuming Poller, _ patient: PatientQueue, _ posts: Posts) {
        self.poller = poller
        self.patient = patient
        self.posts = posts
    }

    /// Whoever outlives the registry can be added to another one.
    deinit { forEachWatcher { remove($0) } }

    /// Watches a descriptor, which must be in no watcher's hands here; the watcher must have none.
    ///
    /// What epoll cannot watch, as a regular file, counts as always ready.
    package func add(
        _ watcher: Watcher, fd: CInt, interest: Interest, manner: Manner = .level
    ) throws(Errno) {
        guard fd >= 0 else { throw Errno(code: EBADF) }
        guard watcher.fd < 0, self.watcher(forFd: fd) == nil, fd != posts.wakeFd else { throw Errno(code: EEXIST) }
        let place = Int(fd)
        let generation = lastGeneration &+ 1
        let watching = try admit(Token(fd: fd, generation: generation), interest, manner)
        if place >= slots.count {  // only now is it certain that the number is a real one
            slots.append(contentsOf: repeatElement(Slot(), count: place &+ 1 &- slots.count))
        }
        lastGeneration = generation
        unsafe slots[place] = Slot(held: .passRetained(watcher), generation: generation, watching: watching)
        watched &+= 1
        watcher.fd = fd
        watcher.interest = interest
        watcher.manner = manner
        signalIfReadyOutsideTurn()
    }

    /// Watches the descriptor of one who was patient in another manner.
    package func setManner(_ watcher: Watcher, _ manner: Manner) throws(Errno) {
        guard let place = place(of: watcher) else { throw Errno(code: ENOENT) }
        guard watcher.manner == .patient, manner != .patient, slots[place].watching != .alwaysReady else { return }
        let token = Token(fd: watcher.fd, generation: slots[place].generation)
        switch (slots[place].watching, manner) {
        case (.polled, .edge):
            try poller.modifyToEdges(token)
        case (.paused, .edge):
            slots[place].watching = try admit(token, watcher.interest, manner)
        default:
            break  // to epoll a patient one is as any other
        }
        watcher.manner = manner
        watcher.latched = []  // epoll reports anew what is ready now
        watcher.isUnfinished = false
    }

    /// Changes what a watcher's descriptor is watched for; costs no system call when nothing changes.
    ///
    /// Nothing to wait for takes the descriptor out of epoll, which otherwise would report a hang-up for ever.
    package func setInterest(_ watcher: Watcher, _ interest: Interest) throws(Errno) {
        if watcher.interest == interest, watcher.fd >= 0 { return }
        guard let place = place(of: watcher) else { throw Errno(code: ENOENT) }
        let token = Token(fd: watcher.fd, generation: slots[place].generation)
        switch slots[place].watching {
        case .alwaysReady:
            break
        case .paused:
            slots[place].watching = try admit(token, interest, watcher.manner)
        case .polled where watcher.manner == .edge:
            break
        case .polled where interest.isEmpty:
            try poller.remove(watcher.fd)
            slots[place].watching = .paused
        case .polled:
            try poller.modify(token, interest)
        }
        watcher.interest = interest
        listIfUnfinished(watcher, token)
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
        case .polled: try? poller.remove(watcher.fd)
        case .alwaysReady: alwaysReady = alwaysReady.filter { $0.fd != fd }
        }
        letGo(slots[place])
        slots[place] = Slot()
        watched &-= 1
        if place == slots.count &- 1 { forgetUnused() }
        watcher.fd = -1
        watcher.interest = []
        watcher.manner = .level
        watcher.latched = []
        watcher.isUnfinished = false
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
    /// With `lazily` a deadline that moves later is not moved: the watcher is asked when the earlier one passes
    /// (`postponed`), so that what moves with every byte costs nothing with every byte.
    package func setDeadline(_ watcher: Watcher, _ milliseconds: Int64?, lazily: Bool = false) {
        guard var milliseconds else { return deadlines.cancel(watcher) }
        if let passing = passingDeadlines, milliseconds <= passing { milliseconds = passing &+ 1 }
        guard let present = deadlines.deadline(of: watcher) else { return deadlines.set(watcher, milliseconds) }
        if lazily ? milliseconds < present : milliseconds != present { deadlines.set(watcher, milliseconds) }
    }

    /// The deadline of a watcher, in the clock's milliseconds.
    package func deadline(of watcher: Watcher) -> Int64? { deadlines.deadline(of: watcher) }

    /// Has turnEnded() called once at the end of this turn, or, when none is running, at the start of the next.
    package func attend(_ watcher: Watcher) {
        attention.add(watcher)
        if !isRunning { posts.signal() }
    }

    /// Made in this process, and no copy of the parent's.
    package var isOurs: Bool { poller.birthplace.isHere }

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

    /// The calls of epoll_ctl and of epoll_wait made so far.
    package var controlCalls: UInt64 { poller.controlCalls }
    package var waitCalls: UInt64 { poller.waitCalls }
    package var deadlinesSet: Int { deadlines.count }
    var slotCount: Int { slots.count }

    /// The watcher that a token was made for, if it is still here.
    func held(_ token: Token) -> Unmanaged<Watcher>? {
        let place = Int(token.fd)
        guard place >= 0, place < slots.count, slots[place].generation == token.generation else { return nil }
        return unsafe slots[place].held
    }

    /// Whether something that epoll cannot watch is waited for.
    var hasAlwaysReady: Bool {
        alwaysReady.contains { token in
            guard let watcher = watcher(forFd: token.fd) else { return false }
            return !watcher.interest.isEmpty
        }
    }

    /// Cuts off the slots behind the last that is used, and gives back memory that many descriptors needed once.
    private func forgetUnused() {
        while let last = slots.last, unsafe last.held == nil { slots.removeLast() }
        if slots.capacity > Self.slotsKept, slots.capacity / 4 > slots.count { trimSlots() }
    }

    /// Gives back memory that more watchers needed once.
    package func trim() {
        trimSlots()
        attention.trim()
        patient.trim()
    }

    /// Not by `Array(slots)`, which would share the memory.
    private func trimSlots() { slots = slots.map { $0 } }

    private func place(of watcher: Watcher) -> Int? {
        self.watcher(forFd: watcher.fd) === watcher ? Int(watcher.fd) : nil
    }

    /// Has epoll say nothing of one who waits for something. False where it says nothing anyway.
    func silence(_ watcher: Watcher, _ token: Token) -> Bool {
        guard let place = place(of: watcher), slots[place].watching == .polled else { return false }
        return (try? poller.silence(token)) != nil
    }

    /// Has it speak again. A descriptor that was closed meanwhile stays silent. False where it has to be tried once more.
    func hear(_ watcher: Watcher, _ token: Token) -> Bool {
        guard let place = place(of: watcher), slots[place].watching == .polled, watcher.manner != .edge else {
            return true
        }
        do {
            try poller.modify(token, watcher.interest)
            return true
        } catch {
            return error.code != ENOMEM
        }
    }

    private func admit(_ token: Token, _ interest: Interest, _ manner: Manner) throws(Errno) -> Slot.Watching {
        let admission: Poller.Admission
        switch manner {
        case .edge:
            admission = try poller.addEdges(token)
        case .level, .patient:
            guard !interest.isEmpty else {
                guard clinux_is_open(token.fd) != 0 else { throw Errno.last }
                return .paused
            }
            admission = try poller.add(token, interest)
        }
        switch admission {
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
