internal import CLinux
internal import EventLoop
internal import SocketTransport
internal import Synchronization

/// How many clients of a listener are in, and how the listener hears that there is room for more: what it shares with
/// the threads that serve them.
///
/// Who waits says so first and looks again after, and who gives something back looks after that whether somebody
/// waits, so that nothing is missed.
///
/// Connections hold it, and may outlive listener and loop, of which it keeps nothing once listening has ended.
///
/// `@unchecked Sendable`: `listener` is touched in the thread of the listener's loop only, `posts` under `lock`; the
/// rest is constant or atomic.
@safe final class Gate: @unchecked Sendable {
    /// What was given back.
    enum News { case room, descriptor }

    private(set) var listener: Listener?
    private let lock = Lock()
    /// The way to the listener.
    private var posts: Posts?
    private let most: Int
    private let inside = Atomic<Int>(0)
    private let freed = Atomic<Int>(0)
    private let waitsForRoom = Atomic<Bool>(false)
    private let waitsForDescriptor = Atomic<Bool>(false)

    /// `most` may be in at once; 0 for no limit.
    init(most: CInt) {
        self.most = Int(most)
    }

    // MARK: By the listener

    /// Who is to hear what happens; nil when it stops listening.
    func lead(to listener: Listener?) {
        self.listener = listener
        guard lock.lock() else { return }
        posts = listener?.owner.registry.posts
        lock.unlock()
    }

    /// Clients that are in.
    var count: Int { inside.load(ordering: .relaxed) }

    var hasRoom: Bool { most == 0 || inside.load(ordering: .sequentiallyConsistent) < most }

    /// How many descriptors were given back so far.
    var descriptorsFreed: Int { freed.load(ordering: .sequentiallyConsistent) }

    func enter() { _ = inside.wrappingAdd(1, ordering: .sequentiallyConsistent) }

    func waitForRoom() { waitsForRoom.store(true, ordering: .sequentiallyConsistent) }

    /// Answers whether there is anything to wait for: none was given back since there were so many.
    func waitForDescriptor(since before: Int) -> Bool {
        waitsForDescriptor.store(true, ordering: .sequentiallyConsistent)
        return descriptorsFreed == before
    }

    // MARK: By any thread

    func leave() {
        _ = inside.wrappingSubtract(1, ordering: .sequentiallyConsistent)
        roomWasMade()
    }

    func roomWasMade() { tell(.room, waitsForRoom) }

    func descriptorIsFree() {
        _ = freed.wrappingAdd(1, ordering: .sequentiallyConsistent)
        tell(.descriptor, waitsForDescriptor)
    }

    /// A client could not be made a connection of.
    func failed(_ errno: CInt) {
        let before = descriptorsFreed
        _ = post(Word(self) { $0.failed(errno, since: before) })
    }

    /// A loop that served serves no more.
    func loopHasLeft() { _ = post(Word(self) { $0.lookAgain(.room) }) }

    /// Has something done in the listener's thread. Returns false, and nothing is done, when it listens no more.
    func post(_ job: Job) -> Bool {
        guard lock.lock() else { return false }
        let posts = self.posts
        lock.unlock()
        return posts?.post(job) ?? false
    }

    private func tell(_ news: News, _ someoneWaits: borrowing Atomic<Bool>) {
        guard someoneWaits.load(ordering: .sequentiallyConsistent),
            someoneWaits.exchange(false, ordering: .sequentiallyConsistent)
        else { return }
        _ = post(Word(self) { $0.lookAgain(news) })
    }
}

/// What a listener is told from other threads, if it still listens when that comes.
private final class Word: Job {
    private let gate: Gate
    private let what: (Listener) -> Void

    init(_ gate: Gate, _ what: @escaping (Listener) -> Void) {
        self.gate = gate
        self.what = what
        super.init()
    }

    override func run() {
        if let listener = gate.listener { what(listener) }
    }
}
