internal import CLinux
internal import CTLSMem
internal import EventLoop
internal import SocketTransport
internal import Synchronization

/// A `tlsmem_listener`: accepts clients, as many and as fast as they can be had.
///
/// What becomes of a client is in Listener+Serving.swift, and how other loops get theirs in Handover.swift. There
/// other threads come in: they use what is constant, the gate, and `isFreed`.
@safe final class Listener: Loop.Owned {
    private static let clientsPerTurn = 16
    /// How long accepting pauses when the system has no descriptors or memory left, in milliseconds.
    private static let pauseMilliseconds: Int64 = 1000

    /// Why it does not ask for clients although there is room.
    private enum Rest { case none, shortage, failure }

    let context: Context
    let options: tlsmem_listen_options
    let gate: Gate
    /// The port that is listened on; 0 where there is none.
    let port: CInt
    private let socket: ListeningSocket
    private let freed = Atomic<Bool>(false)
    private var isListening = true
    private var rest = Rest.none
    /// Those who serve, from the first one on that was added.
    private var rota: Rota?

    private init(_ owner: Loop, _ context: Context, _ options: tlsmem_listen_options, _ socket: ListeningSocket) {
        self.context = context
        unsafe self.options = options
        self.socket = socket
        port = socket.port
        gate = unsafe Gate(most: options.connections_max)
        super.init(owner)
    }

    /// Listens, and puts the listener into the loop.
    static func listen(
        _ owner: Loop, _ context: Context, _ options: tlsmem_listen_options, _ place: ListeningSocket.Place
    ) throws(Errno) -> Listener {
        let socket = try unsafe ListeningSocket(place, backlog: options.backlog)
        let listener = unsafe Listener(owner, context, options, socket)
        do {
            try owner.registry.add(listener, fd: socket.fd, interest: .read, manner: .patient)
        } catch {
            socket.end()
            throw error
        }
        listener.gate.lead(to: listener)
        owner.adopt(listener)
        return listener
    }

    /// Clients are heard no more; those that were accepted go on, also on their way to the loops that serve them.
    func stopListening() {
        guard isListening else { return }
        isListening = false
        gate.lead(to: nil)
        owner.registry.remove(self)
        socket.end()
        rota?.end()
    }

    override var asListener: Listener? { self }

    override func letNothingIn() { stopListening() }

    override func ended() {
        freed.store(true, ordering: .releasing)
        stopListening()
    }

    /// The program has freed it: on_accept is called no more. Any thread.
    var isFreed: Bool { freed.load(ordering: .acquiring) }

    // MARK: Accepting

    override func ready(_ readiness: Readiness) {
        let most = Int(unsafe options.accepts_per_turn)
        for _ in 0..<(most > 0 ? most : Self.clientsPerTurn) {
            guard isListening, mayAccept else { break }
            let before = gate.descriptorsFreed
            do {
                guard let client = try Socket.accept(socket.fd) else { break }
                take(client)
            } catch {
                failed(error.code, since: before)
                break
            }
        }
        ask()
    }

    private func take(_ client: Accepted) {
        guard isWelcome(client) else { return Socket.close(client.fd) }
        gate.enter()
        if rota == nil { serve(client, in: owner) } else { pass(client) }
    }

    /// To the loop whose turn it is.
    func pass(_ client: Accepted) {
        while let desk = rota?.take() {
            if desk.send(client, of: self) { return }
        }
        turnAway(client)
    }

    /// Has a loop serve. Returns false when one of the two takes nothing new.
    func addLoop(_ loop: Loop) -> Bool {
        guard isListening, !owner.isEnding else { return false }
        var changed = rota ?? Rota()
        guard changed.add(loop, gate) else { return false }
        rota = changed
        ask()
        return true
    }

    // MARK: Pausing

    private var mayAccept: Bool {
        guard case .none = rest else { return false }
        if hasRoom { return true }
        gate.waitForRoom()
        return hasRoom  // made a moment before, by one who did not see us wait
    }

    private var hasRoom: Bool { gate.hasRoom && rota?.hasRoom ?? true }

    /// Asks for clients, or for none while none may come.
    private func ask() {
        guard isListening else { return }
        do {
            try owner.registry.setInterest(self, mayAccept ? .read : [])
        } catch {
            pause()
        }
    }

    private func pause() {
        owner.registry.setDeadline(self, MonotonicClock.milliseconds() &+ Self.pauseMilliseconds)
    }

    /// There is room again, or a descriptor.
    func lookAgain(_ news: Gate.News) {
        rota?.clear()
        if case .descriptor = news, case .shortage = rest {
            rest = .none
            owner.registry.setDeadline(self, nil)
        }
        ask()
    }

    /// What accept refuses it may refuse again at once, for want of descriptors above all: level-triggered readiness
    /// would spin, so the listener waits a little, or until a connection of its own gives back what it has.
    ///
    /// `before` is how many descriptors had been given back when it was tried.
    func failed(_ errno: CInt, since before: Int) {
        let isShortage = isShortage(errno)
        if isListening, !isShortage || gate.waitForDescriptor(since: before) {
            rest = isShortage ? .shortage : .failure
            pause()
            ask()
        }
        unsafe options.on_error?(Handle.of(self), errno, options.user)
    }

    private func isShortage(_ errno: CInt) -> Bool {
        switch errno {
        case EMFILE, ENFILE, ENOBUFS, ENOMEM: true
        default: false
        }
    }

    override func deadlinePassed(now: Int64) {
        rest = .none
        ask()
    }

    // MARK: Said

    /// Whether it accepts clients, and why not.
    func explain(_ room: UnsafeMutableRawBufferPointer) {
        var text = unsafe Sentence(room)
        if port > 0 {
            text.append(Int(port), behind: "Listener on port ")
        } else {
            text.say("Listener on a Unix socket")
        }
        text.append(gate.count, behind: ", clients that are in: ")
        text.say(". ")
        guard isListening else { return text.say("It listens no more.") }
        switch rest {
        case .none where !gate.hasRoom:
            text.append(
                Int(unsafe options.connections_max), behind: "It waits for one of them to go: connections_max is ")
            text.say(".")
        case .none where !hasRoom: text.say("It waits for a loop that serves it: there is none, or all are behind.")
        case .none: text.say("It accepts.")
        case .shortage:
            text.say("It pauses: the process has no descriptor, or no memory, for another one; on_error has the errno.")
        case .failure: text.say("It pauses for a second, because accepting failed; on_error has the errno.")
        }
    }
}
