internal import CLinux
internal import CTLSMem
internal import EventLoop
internal import OpenSSLHandles
internal import SocketTransport
internal import TLSEngine

/// A `tlsmem`: one connection, where engine, socket, loop and callbacks meet.
///
/// The byte flow is in Connection+Pump.swift, deadlines are in Connection+Time.swift, and what an end looks like is in
/// Connection+Ending.swift.
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
    private var bench: Unmanaged<Bench>?
    /// When bytes last came, or were last taken.
    var lastMoved: Int64 = 0
    var receiveCalls: UInt64 = 0
    var sendCalls: UInt64 = 0
    var ciphertextReceived: UInt64 = 0

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
    private var grip = Grip.held
    /// Its listener counts it.
    var isCounted = false
    /// `user` points to memory that is ours (`user_size`), and lives as long as we do.
    private var ownsUser = false
    var transport = Transport.working
    var ownsSocket = false
    var finIsSent = false

    convenience init?(_ context: Context, _ callbacks: tlsmem_callbacks, _ user: UnsafeMutableRawPointer?) {
        guard let engine = try? Engine(context.configuration) else { return nil }
        context.freeze()
        unsafe self.init(engine, CallbackTable.of(callbacks), user)
    }

    private init(_ engine: consuming Engine, _ table: CallbackTable, _ user: UnsafeMutableRawPointer?) {
        self.engine = engine
        self.table = table
        unsafe self.user = user
    }

    deinit {
        closeOwnSocket()
        if ownsUser { unsafe CLinux.free(user) }
    }

    override var asConnection: Connection? { self }

    var handle: OpaquePointer { unsafe Handle.of(self) }
    var limits: Limits { engine.limits }

    /// The loop that drives it.
    var loop: Loop? {
        get { heldLoop?.use { $0 } }
        set { heldLoop = newValue.map { Held($0) } }
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

    // MARK: A drive

    var isFreed: Bool {
        switch grip {
        case .held, .inUse: false
        case .freedInUse, .freed: true
        }
    }

    /// The program's reference goes: at once, or when the drive that is under way has ended. Whatever is on the stack
    /// finds the mark.
    func free() {
        let isInUse = grip == .inUse
        grip = isInUse ? .freedInUse : .freed
        loop?.remove(self)
        leaveGate()  // also on its way between two loops
        if !isInUse { unsafe Handle.takeBack(handle, Connection.self) }
    }

    /// Begins what calls back. False inside of it.
    private func enter() -> Bool {
        guard case .held = grip else { return false }
        grip = .inUse
        return true
    }

    /// Ends it. Whoever counts no reference does not touch the connection any more.
    private func leave() {
        guard case .freedInUse = grip else {
            grip = .held
            return
        }
        grip = .freed
        unsafe Handle.takeBack(handle, Connection.self)
    }

    /// Inside a drive, and so perhaps inside a callback.
    var isDriving: Bool { unsafe bench != nil }

    /// Lends what OpenSSL works with for the length of `work`. Within a drive it is lent already.
    func withBench(_ work: (Bench) -> Void) {
        if let bench = unsafe bench { return unsafe bench._withUnsafeGuaranteedRef(work) }
        guard let lent = unsafe takeBench() else { return }
        unsafe lent._withUnsafeGuaranteedRef {
            work($0)
            giveBack($0)
        }
    }

    /// Begins a drive. Nil without memory, and then the connection has ended.
    private func takeBench() -> Unmanaged<Bench>? {
        if let lent = unsafe Bench.lend() {
            if unsafe lent._withUnsafeGuaranteedRef({ engine.begin(incoming: $0.incoming, $0.pool) }) {
                unsafe bench = unsafe lent
                return unsafe lent
            }
            unsafe lent._withUnsafeGuaranteedRef { $0.takeBack(usedUp: false) }
        }
        end(Failure(.outOfMemory))
        return nil
    }

    /// Ends it.
    private func giveBack(_ bench: Bench) {
        unsafe self.bench = nil
        engine.end(bench.pool)
        if waiting != nil { giveBackWaiting(bench.pool) }
        bench.takeBack(usedUp: engine.awaitsCiphertext)
    }

    func giveBackWaiting(_ pool: BufferPool) {
        guard !hasWaiting, let empty = waiting.take() else { return }
        pool.giveBack(empty.counted())
    }

    /// Does `work`, everything that follows from it, and reports. From inside a drive only the work is done: the drive
    /// that is under way goes on with the rest.
    ///
    /// Returns the answer, asked for when everything is done, but before it leaves for another loop: then it is another
    /// thread's, and whoever has called this may not look at it any more.
    func drive(
        _ work: (Connection, Bench) -> Void = { _, _ in }, answer: (Connection) -> CInt = { $0.progress }
    ) -> CInt {
        if let bench = unsafe bench {
            unsafe bench._withUnsafeGuaranteedRef {
                $0.isDriven = true
                work(self, $0)
            }
            return answer(self)
        }
        let isOutermost = enter()
        if let lent = unsafe takeBench() {
            unsafe lent._withUnsafeGuaranteedRef {
                begin()
                work(self, $0)
                pumpAll($0)
                giveBack($0)
            }
        }
        return afterDrive(isOutermost, answer)
    }

    /// Does the work of connecting, and reports. Without a socket nothing follows from it, unless a callback has taken
    /// the connection out of the loop and driven it by itself.
    func driveConnecting(_ work: () -> Void) {
        guard !isDriving else { return work() }
        let isOutermost = enter()
        withBench { bench in
            work()
            guard socket >= 0 || bench.isDriven else { return }
            begin()
            pumpAll(bench)
        }
        _ = afterDrive(isOutermost) { $0.progress }
    }

    private func pumpAll(_ bench: Bench) {
        pump(bench)
        guard bench.receiveIsDue else { return }
        bench.receiveIsDue = false
        receive(bench)
        pump(bench)
    }

    /// Tells the loop what is waited for now, or reports the end, outside of everything else: the user may free us.
    private func afterDrive(_ isOutermost: Bool, _ answer: (Connection) -> CInt) -> CInt {
        timeRenegotiation()
        noteWaits()
        if let destination, !isFreed, !isOver, !isBeingAccepted {
            let answer = answer(self)
            if isOutermost { leave() }
            return move(to: destination) ?? answer
        }
        if !isOver, let error = heldLoop?.use({ $0.update(self) }) ?? nil { end(Failure(.system(errno: error))) }
        if drainIsDue { attend() }
        if case .ended = course, !isBeingAccepted { reportEnd() }
        let answer = answer(self)
        if isOutermost { leave() }
        return answer
    }

    private func reportEnd() {
        course = .reported
        loop?.remove(self)
        leaveGate()  // also on its way between two loops
        if !isFreed, let onClose = unsafe callbacks.on_close {
            var report = self.report
            unsafe onClose(handle, &report, user)
        }
        closeOwnSocket()
    }

    private func closeOwnSocket() {
        guard ownsSocket, socket >= 0 else { return }
        Socket.close(socket)
        socket = -1
        gate?.descriptorIsFree()
    }

    /// What a driving call returns.
    var progress: CInt {
        switch course {
        case .going, .closing, .lingering: TLSMEM_OK.code
        case .ended, .reported: endStatus.code
        }
    }

    var isOver: Bool {
        switch course {
        case .ended, .reported: true
        case .going, .closing, .lingering: false
        }
    }

    /// Why it has ended.
    var endStatus: tlsmem_status { failure?.status ?? TLSMEM_CLOSED }

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
