internal import CLinux
internal import CTLSMem
internal import EventLoop
internal import OpenSSLHandles
internal import SocketTransport
internal import TLSEngine

/// A `tlsmem`: one connection, where engine, socket, loop and callbacks meet.
///
/// A drive is in Connection+Driving.swift, the byte flow in Connection+Pump.swift, deadlines are in Connection+Time.swift, and
/// what an end looks like is in Connection+Ending.swift.
@safe final class Connection: Member {
    /// Who still has it. A drive calls back, and whoever is called may free it: then the end of the drive lets it go.
    enum Grip { case held, inUse, freedInUse, freed }

    /// How far a connection has come on its way to its report.
    enum Course {
        case going
        /// `tlsmem_close` was called: both directions are to end.
        case closing
        /// It failed and the alert is on its way; what the peer still sends is dropped (`lingeringBytes`), because closing
        /// with unread input makes the kernel send a reset, which would destroy the alert (curl#7095).
        case lingering
        /// It has ended, and on_close is due.
        case ended
        /// on_close has fired.
        case reported
    }

    /// What the socket has told us.
    enum Transport {
        case working
        /// A short send: it is full until it says writable.
        case full
        /// It takes no more; reading goes on (node#149).
        case broken
    }

    /// What comes in.
    enum Input {
        case open
        /// FIN.
        case ended
        /// A reset, or another error of recv.
        case failed
    }

    var engine: Engine
    private var table: CallbackTable
    var user: UnsafeMutableRawPointer? {
        willSet {
            guard ownsUser, unsafe newValue != user else { return }
            ownsUser = false
            note { unsafe $0.userMemory = user }
        }
    }
    /// What most idle connections do not have.
    var particulars: Particulars?
    private(set) var heldLoop: Held<Loop>?
    /// Where its listener counts it, and has to hear when its descriptor is free again.
    var gate: Gate?
    /// Plaintext that nobody has read yet; exists only while there is some.
    var waiting: Held<PlaintextQueue>?
    /// Lent for the drive that is under way, by the thread, which keeps it.
    var bench: Unmanaged<Bench>?
    /// When bytes last came, or were last taken; where that is not noted (`times`), since when it waits for what it does.
    var lastMoved: Int64 = 0
    var receiveCalls: UInt64 = 0
    var sendCalls: UInt64 = 0
    var ciphertextReceived: UInt64 = 0 { didSet { countMebibytes(.received, oldValue, ciphertextReceived) } }

    // The small ones stand together, so that they share words.
    /// The socket, or -1 in the buffers face.
    var socket: CInt = -1
    var course = Course.going
    var input = Input.open
    var isPaused = false
    /// incoming_max was reached, and incoming_low was not since.
    var incomingIsFull = false
    /// A write took less than it was given, or it was congested: on_drain is owed.
    var owesDrain = false
    /// The peer's close_notify came and on_eof is owed.
    var owesEOF = false
    var grip = Grip.held
    /// Its listener counts it.
    var isCounted = false
    /// `user` points to memory that is ours (`user_size`), and lives as long as we do.
    private var ownsUser = false
    var transport = Transport.working
    var ownsSocket = false
    var finIsSent = false

    convenience init?(_ context: Context, _ callbacks: tlsmem_callbacks, _ user: UnsafeMutableRawPointer?) {
        guard context.freeze(), let engine = try? Engine(context),
            !engine.collects || context.listeners.collect(from: engine)
        else { return nil }
        unsafe self.init(engine, CallbackTable.of(callbacks), user)
        context.enter()
        metrics.count(.made)
    }

    private init(_ engine: consuming Engine, _ table: CallbackTable, _ user: UnsafeMutableRawPointer?) {
        self.engine = engine
        self.table = table
        unsafe self.user = user
    }

    deinit {
        context.leave()
        countRest()
        closeOwnSocket()
        if ownsUser { unsafe CLinux.free(user) }
    }

    override var asConnection: Connection? { self }

    var handle: OpaquePointer { unsafe Handle.of(self) }
    var limits: Limits { engine.limits }

    /// Its context, also after it changed.
    var context: Context { unsafe unsafeDowncast(engine.configuration, to: Context.self) }

    /// The loop that drives it.
    var loop: Loop? {
        get { heldLoop?.use { $0 } }
        set {
            heldLoop = newValue.map { Held($0) }
            decision?.serve(newValue)
        }
    }

    var hasLoop: Bool { heldLoop != nil }

    var callbacks: tlsmem_callbacks {
        get { table.callbacks }
        set { table = CallbackTable.of(newValue) }
    }

    /// Gets zeroed memory for the program, and shows it as `user`. Returns false without memory.
    func reserve(_ count: Int) -> Bool {
        guard count > 0 else { return true }
        unsafe user = calloc(1, count)
        ownsUser = unsafe user != nil
        return ownsUser
    }

    /// Its listener counts it, from when it was accepted, and again when it comes back into a loop.
    func enterGate() {
        guard let gate, !isCounted else { return }
        isCounted = true
        gate.enter()
    }

    /// Its listener counts it no more.
    func leaveGate() {
        guard isCounted else { return }
        isCounted = false
        gate?.leave()
    }
    func closeOwnSocket() {
        guard ownsSocket, socket >= 0 else { return }
        Socket.close(socket)
        socket = -1
        gate?.descriptorIsFree()
    }

    // MARK: In a loop

    override func ready(_ readiness: Readiness) { _ = exchange(readiness) }

    /// Receives and sends what the socket is ready for.
    func exchange(_ readiness: Readiness) -> CInt {
        guard !isDriving else {
            if readiness.contains(.read) { withBench { $0.receiveIsDue = true } }
            return progress
        }
        return drive { connection, bench in
            if readiness.contains(.write) { connection.socketIsWritable() }
            if readiness.contains(.read) { connection.receive(bench) }
        }
    }

    override func postponed(now: Int64) -> Int64? {
        let deadline = self.deadline
        return deadline > now ? deadline : nil
    }

    override func deadlinePassed(now: Int64) {
        _ = tick(now)
    }

    override func turnEnded() {
        _ = drive()
    }
}
