internal import EventLoop
internal import SocketTransport
internal import Synchronization

/// The loops that serve the clients of a listener, in turn. It belongs to the thread of the listener.
struct Rota {
    private var desks: [Desk] = []
    private var next = 0

    /// A loop is in it once, however often it is added.
    mutating func add(_ loop: Loop, _ gate: Gate) -> Bool {
        clear()
        guard !desks.contains(where: { $0.owner === loop }) else { return true }
        let desk = Desk(loop, gate)
        guard desk.open() else { return false }
        desks.append(desk)
        return true
    }

    var hasRoom: Bool { desks.contains { $0.hasRoom } }

    /// The desk whose turn it is; those that are full are passed over, unless all of them are.
    mutating func take() -> Desk? {
        clear()
        for _ in desks.indices {
            next = next < desks.count ? next : 0
            let desk = desks[next]
            next += 1
            if desk.hasRoom { return desk }
        }
        return desks.first
    }

    /// The loops that have ended are let go.
    mutating func clear() { desks.removeAll { !$0.isOpen } }

    mutating func end() {
        for desk in desks { desk.end() }
        desks = []
    }
}

/// Where a loop takes clients from a listener of another loop. As a member of the loop that serves, it keeps that one
/// running while there is nothing else in it.
///
/// `waiting` and the mark are for both threads; whatever is a member's belongs to the serving one.
final class Desk: Loop.Owned {
    /// Clients on their way to one loop, so that one which hangs takes no more than these with it.
    private static let waitingMax = 64

    private let gate: Gate
    private let waiting = Atomic<Int>(0)
    private let mark = Atomic<Bool>(true)

    init(_ owner: Loop, _ gate: Gate) {
        self.gate = gate
        super.init(owner)
    }

    // MARK: By the listener

    var isOpen: Bool { mark.load(ordering: .acquiring) }

    var hasRoom: Bool { isOpen && waiting.load(ordering: .sequentiallyConsistent) < Self.waitingMax }

    /// Returns false when the loop takes nothing more.
    func open() -> Bool { owner.registry.posts.post(Opening(self)) }

    /// Sends a client to the loop. Returns false when it takes nothing more.
    func send(_ client: Accepted, of listener: Listener) -> Bool {
        _ = waiting.wrappingAdd(1, ordering: .sequentiallyConsistent)
        if owner.registry.posts.post(Handover(client, listener, self)) { return true }
        mark.store(false, ordering: .releasing)
        return false
    }

    /// No more clients come; those on their way come first.
    func end() { _ = owner.registry.posts.post(Closing(self)) }

    // MARK: By the serving loop

    fileprivate func arrived() {
        _ = waiting.wrappingSubtract(1, ordering: .sequentiallyConsistent)
        gate.roomWasMade()
    }

    fileprivate func opened() {
        owner.adopt(self)
        owner.registry.holds &+= 1
    }

    override func letNothingIn() { owner.release(self) }

    /// The loop ends, or the listener has.
    override func ended() {
        owner.registry.holds &-= 1
        shut()
    }

    fileprivate func shut() {
        mark.store(false, ordering: .releasing)
        gate.loopHasLeft()
    }
}

/// A client on its way to the loop that serves it. The job owns the descriptor.
private final class Handover: Job {
    private let client: Accepted
    private let listener: Listener
    private let desk: Desk

    init(_ client: Accepted, _ listener: Listener, _ desk: Desk) {
        self.client = client
        self.listener = listener
        self.desk = desk
        super.init()
    }

    override func run() {
        desk.arrived()
        if desk.isOpen { listener.serve(client, in: desk.owner) } else { sendBack() }
    }

    override func dropped() {
        desk.arrived()
        sendBack()
    }

    /// This loop takes no more: another one may.
    private func sendBack() {
        if !listener.gate.post(Return(client, listener)) { listener.turnAway(client) }
    }
}

/// A client on its way back to the loop of the listener. The job owns the descriptor.
private final class Return: Job {
    private let client: Accepted
    private let listener: Listener

    init(_ client: Accepted, _ listener: Listener) {
        self.client = client
        self.listener = listener
        super.init()
    }

    override func run() { listener.pass(client) }
    override func dropped() { listener.turnAway(client) }
}

private final class Opening: Job {
    private let desk: Desk

    init(_ desk: Desk) {
        self.desk = desk
        super.init()
    }

    override func run() {
        if desk.owner.isOpen { desk.opened() } else { desk.shut() }
    }
    override func dropped() { desk.shut() }
}

private final class Closing: Job {
    private let desk: Desk

    init(_ desk: Desk) {
        self.desk = desk
        super.init()
    }

    override func run() { desk.owner.release(desk) }
}
