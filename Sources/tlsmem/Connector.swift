internal import CLinux
internal import CTLSMem
internal import EventLoop
internal import SocketTransport

/// What `tlsmem_loop_connect` has begun: look-ups and attempts, until one has connected or nothing is left to try.
///
/// It does what its race says (RFC 8305) and tells its connection, all of it in the loop's turns. The connection holds
/// it while it is at work, and it the connection; `finish` ends both.
final class Connector: Loop.Owned {
    let connection: Connection
    let plan: ConnectPlan
    /// When it must have connected; -1 for never.
    let deadline: Int64
    let began = MonotonicClock.milliseconds()
    private var race: Race
    private var questions: [Question] = []
    private var attempts: [Attempt] = []
    private var failures: [Unconnected.Attempt] = []
    /// Why a family has no address: the more telling one of two.
    private var refusal: Resolution?

    fileprivate init(_ owner: Loop, _ connection: Connection, _ plan: ConnectPlan) {
        self.connection = connection
        self.plan = plan
        race = plan.race
        deadline = plan.connectMilliseconds == 0 ? -1 : MonotonicClock.moment(in: Int64(plan.connectMilliseconds))
        super.init(owner)
    }

    /// Puts its questions to the resolver. Nothing else happens before the loop's next turn.
    fileprivate func begin() throws(Errno) {
        if case .name(let host, let port) = plan.target {
            questions = plan.families.map { Question(self, host, port, $0) }
            do {
                try Resolver.ask(questions.map { $0 as LookUp })
            } catch {
                forgetQuestions()
                throw error
            }
        }
        owner.registry.holds &+= 1
        owner.registry.attend(self)
    }

    /// Ends it, wherever it stands: nobody hears of it any more.
    func finish() {
        guard connection.connector === self else { return }
        connection.connector = nil
        forgetQuestions()
        for attempt in attempts { Socket.close(attempt.leave(owner.registry)) }
        attempts = []
        owner.registry.holds &-= 1
        owner.release(self)
    }

    /// The loop is being freed.
    override func loopEnds() {
        _ = connection.abort()
        finish()
    }

    override func graceEnds() {
        if connection.connector === self { _ = connection.close() }
    }

    private func forgetQuestions() {
        for question in questions { question.forget() }
        questions = []
    }

    // MARK: Events

    override func turnEnded() { go {} }
    override func deadlinePassed(now: Int64) { go {} }

    fileprivate func answered(_ question: Question, _ answer: Resolution) {
        go {
            questions = questions.filter { $0 !== question }
            if answer.code != 0, refusal == nil || refusal?.code == EAI_NONAME { refusal = answer }
            race.resolved(question.family, answer.addresses, now: MonotonicClock.milliseconds())
        }
    }

    fileprivate func isReady(_ attempt: Attempt) {
        go {
            attempts = attempts.filter { $0 !== attempt }
            let fd = attempt.leave(owner.registry)
            if let failure = Socket.connectFailure(fd) {
                Socket.close(fd)
                failed(attempt.address, failure)
            } else {
                connected(attempt.address, fd)
            }
        }
    }

    // MARK: The race

    /// Sees to an event, and does what is to be done then, within a drive of the connection: whatever callbacks do to
    /// it is reported after them.
    private func go(_ event: () -> Void) {
        connection.driveConnecting {
            guard isAtWork else { return }
            event()
            while isAtWork {
                switch race.next(now: MonotonicClock.milliseconds()) {
                case .attempt(let address): attempt(address)
                case .wait(let moment): return owner.registry.setDeadline(self, moment)
                case .lost: return connection.end(Failure(.unconnected(outcome)))
                }
            }
        }
    }

    private var isAtWork: Bool { connection.connector === self && !connection.isOver }

    private func attempt(_ address: SocketAddress) {
        let begun: Connecting
        do {
            begun = try Socket.connect(to: address, from: plan.source)
        } catch {
            return failed(address, error)
        }
        if begun.isConnected { return connected(address, begun.fd) }
        let attempt = Attempt(self, address)
        do {
            try owner.registry.add(attempt, fd: begun.fd, interest: .write)
            attempts.append(attempt)
        } catch {
            Socket.close(begun.fd)
            failed(address, error)
        }
    }

    private func failed(_ address: SocketAddress, _ error: Errno) {
        failures.append(Unconnected.Attempt(address: address, errno: error.code))
        race.attemptFailed(now: MonotonicClock.milliseconds())
        tell(address, error.code)
    }

    /// The first that connects is taken; the other attempts end here, and nobody hears of them.
    private func connected(_ address: SocketAddress, _ fd: CInt) {
        finish()
        if let error = owner.join(connection, fd) { connection.end(Failure(.system(errno: error))) }
        tell(address, 0)
    }

    private func tell(_ address: SocketAddress, _ errno: CInt) {
        guard let onAttempt = unsafe plan.onAttempt else { return }
        unsafe address.withSockaddr {
            unsafe onAttempt(connection.handle, $0, $1, errno, connection.user)
        }
    }

    /// A name is being looked up, or an address was tried.
    var hasBegun: Bool { !(questions.isEmpty && attempts.isEmpty && failures.isEmpty) }

    /// How far it has come, for the sentence about its failure.
    var outcome: Unconnected {
        let unanswered = attempts.map { Unconnected.Attempt(address: $0.address, errno: nil) }
        guard case .name(let host, _) = plan.target else {
            return Unconnected(failures + unanswered, host: nil, refusal: nil)
        }
        return Unconnected(failures + unanswered, host: host, refusal: refusal)
    }
}

/// A look-up on behalf of a connector, until that one has lost its interest in it.
private final class Question: LookUp {
    /// Touched in the loop's thread only.
    private var asker: Connector?

    init(_ asker: Connector, _ host: [CChar], _ port: UInt16, _ family: SocketAddress.Family) {
        self.asker = asker
        super.init(asker.owner.registry.posts, host, port: port, family: family)
    }

    func forget() {
        cancel()
        asker = nil
    }

    override func run() {
        guard let asker, let answer else { return }
        self.asker = nil
        asker.answered(self, answer)
    }
}

/// One socket that connects.
private final class Attempt: Member {
    let address: SocketAddress
    private var connector: Connector?

    init(_ connector: Connector, _ address: SocketAddress) {
        self.connector = connector
        self.address = address
        super.init()
    }

    override func ready(_ readiness: Readiness) { connector?.isReady(self) }

    /// Leaves the loop, and its connector; returns the fd, which is the caller's now.
    func leave(_ registry: Registry) -> CInt {
        let socket = fd
        registry.remove(self)
        connector = nil
        return socket
    }
}

extension Loop {
    func connect(_ connection: Connection, _ plan: ConnectPlan) -> CInt {
        guard !connection.hasLoop, connection.mayConnect, isOpen else { return TLSMEM_ESTATE.code }
        guard connection.takeName(plan.serverName) else { return TLSMEM_EINVAL.code }
        let connector = Connector(self, connection, plan)
        let status = attempt { () throws(Errno) in try connector.begin() }
        guard status == TLSMEM_OK.code else { return status }
        adopt(connector)
        count(connection)
        connection.startConnecting(connector)
        registry.setDeadline(connection, connector.deadline < 0 ? nil : connector.deadline)
        return status
    }

    /// What was connecting has its socket now. Returns an errno when epoll refuses.
    fileprivate func join(_ connection: Connection, _ fd: CInt) -> CInt? {
        connection.connected(fd)
        do {
            try watch(connection)
            return nil
        } catch {
            return error.code
        }
    }
}
