internal import CLinux
internal import CTLSMem
internal import EventLoop
internal import OpenSSLHandles

/// What the program has said to a question.
struct Reply {
    var status: CInt
    var context: Context?
    var alpn: [UInt8]?
    var bytes: SecretBytes?
    var identity: [UInt8] = []
    var accepts = false
}

/// A question that is open: who waits for the answer, and the answer, once it is there.
///
/// An answer may come from any thread, and after the connection is gone, so it finds its question by a token, in one table.
/// Everything that changes here is touched under the table's lock.
@safe final class Decision {
    let token: UInt64
    /// When it was asked, by the clock of the connection.
    let since: Int64
    /// The program has said that its answer comes later.
    var isPutOff = false
    private let place: Int
    /// Nil when nobody waits any more. It clears this before it goes, in the thread that it belongs to.
    private unowned(unsafe) var connection: Connection?
    private var reply: Reply?
    /// The door of the loop that is to go on with it.
    private var posts: Posts?

    private init(_ token: UInt64, _ place: Int, _ connection: Connection) {
        (self.token, self.place, since) = (token, place, connection.currentMilliseconds)
        unsafe self.connection = connection
    }

    // MARK: By whoever waits

    /// A question of a connection that no loop serves yet.
    static func open(_ connection: Connection) -> Decision {
        _ = unsafe pthread_once(&forkOnce) {
            _ = pthread_atfork({ Decision.lock() }, { Decision.unlock() }, { Decision.unlock() })
        }
        lock()
        defer { unlock() }
        let place = unsafe free.popLast() ?? places.count
        unsafe serial &+= 1
        let decision = unsafe Decision(serial << 24 | UInt64(truncatingIfNeeded: place), place, connection)
        if unsafe place < places.count { unsafe places[place] = decision } else { unsafe places.append(decision) }
        return decision
    }

    /// Nobody waits any more: an answer that still comes is refused.
    func close() {
        Self.lock()
        let dropped = (reply, posts)  // let go behind the lock
        if unsafe connection != nil {
            unsafe connection = nil
            (reply, posts) = (nil, nil)
            unsafe Self.places[place] = nil
            unsafe Self.free.append(place)
        }
        Self.unlock()
        _ = dropped
    }

    /// Which loop has to hear of the answer, which may be there already.
    func serve(_ loop: Loop?) {
        Self.lock()
        posts = loop?.registry.posts
        let isLate = reply != nil
        Self.unlock()
        if isLate, let loop { _ = loop.registry.posts.post(Wake(self, loop.registry.posts)) }
    }

    var isAnswered: Bool {
        Self.lock()
        defer { Self.unlock() }
        return reply != nil
    }

    func take() -> Reply? {
        Self.lock()
        defer { Self.unlock() }
        return reply
    }

    // MARK: By any thread

    /// Gives the answer to whoever waits for it. False when nobody does, or it has one.
    static func answer(_ token: UInt64, of handle: OpaquePointer, _ reply: Reply) -> Bool {
        lock()
        let place = Int(truncatingIfNeeded: token & 0xff_ffff)
        guard let decision = unsafe place < places.count ? places[place] : nil, decision.token == token,
            let connection = unsafe decision.connection, unsafe Handle.of(connection) == handle, decision.reply == nil
        else {
            unlock()
            return false
        }
        decision.reply = reply
        let posts = decision.posts
        unlock()
        if let posts { _ = posts.post(Wake(decision, posts)) }
        return true
    }

    /// The connection that waits, if it is still served by the loop that comes to see to it.
    fileprivate func connection(servedBy posts: Posts) -> Connection? {
        Self.lock()
        defer { Self.unlock() }
        return unsafe self.posts === posts ? connection : nil
    }

    // MARK: The table

    private nonisolated(unsafe) static var mutex = unsafe pthread_mutex_t()
    private nonisolated(unsafe) static var places: [Decision?] = []
    private nonisolated(unsafe) static var free: [Int] = []
    private nonisolated(unsafe) static var serial: UInt64 = 0

    /// A child of fork has the table, and must not find it locked by a thread that only its parent has.
    private nonisolated(unsafe) static var forkOnce: pthread_once_t = 0

    private static func lock() { _ = unsafe pthread_mutex_lock(&mutex) }
    private static func unlock() { _ = unsafe pthread_mutex_unlock(&mutex) }
}

/// The answer is there, in the thread of the loop.
private final class Wake: Job {
    private let decision: Decision
    private let posts: Posts

    init(_ decision: Decision, _ posts: Posts) {
        (self.decision, self.posts) = (decision, posts)
        super.init()
    }

    override func run() {
        if let connection = decision.connection(servedBy: posts) { _ = connection.drive() }
    }
}
