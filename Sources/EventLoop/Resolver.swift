internal import CLinux
package import SocketTransport
internal import Synchronization

/// A question about one name and one family, put to the resolver in another thread. `run` is called with the answer in
/// the loop's thread; `dropped`, or nothing, when the loop has ended before.
open class LookUp: Job {
    private let posts: Posts
    private let host: [CChar]
    private let port: UInt16
    package final let family: SocketAddress.Family
    /// Written before the post, and read in `run`.
    package private(set) final var answer: Resolution?
    private let isWanted = Atomic<Bool>(true)

    package init(_ posts: Posts, _ host: [CChar], port: UInt16, family: SocketAddress.Family) {
        self.posts = posts
        self.host = host
        self.port = port
        self.family = family
    }

    /// Nobody waits for the answer any more. A resolver that is at it cannot be stopped; its answer goes nowhere.
    package final func cancel() { isWanted.store(false, ordering: .releasing) }

    fileprivate final var isCancelled: Bool { !isWanted.load(ordering: .acquiring) }

    /// Blocks.
    fileprivate final func work() {
        let answer = Resolution(host, port: port, family: family)
        guard !isCancelled else { return }
        self.answer = answer
        _ = posts.post(self)
    }
}

/// The threads that ask the resolver, which blocks: as many as there are questions, up to a limit for the process; more
/// questions wait their turn. A thread ends when there is nothing left to ask. No signal is handled in them.
package enum Resolver {
    /// As many as eight names at once: a few whose servers are silent do not hold up the others.
    package static let threadsMax = 16

    /// Puts questions. Fails, and takes none, when there is no thread to be had.
    package static func ask(_ questions: [LookUp]) throws(Errno) {
        guard let desk = Desk.ofProcess else { throw Errno(code: ENOMEM) }
        try desk.ask(questions)
    }
}

/// The queue of questions, and how many threads serve it.
///
/// `@unchecked Sendable`: everything is touched only under `mutex`.
@safe private final class Desk: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private var questions: [LookUp?] = []
    private var asked = 0
    private var threads = 0

    private init() {
        unsafe mutex = clinux_allocate(MemoryLayout<pthread_mutex_t>.size).assumingMemoryBound(to: pthread_mutex_t.self)
        _ = unsafe pthread_mutex_init(mutex, nil)
    }

    /// Made when first needed, and never freed: its threads may outlive everything.
    static var ofProcess: Desk? {
        _ = unsafe pthread_once(&deskOnce) {
            unsafe desk = Desk()
            _ = pthread_atfork(
                { unsafe desk?.lock() }, { unsafe desk?.unlock() }, { unsafe desk?.beginAnewInChild() })
        }
        return unsafe desk
    }

    private func lock() { _ = unsafe pthread_mutex_lock(mutex) }
    private func unlock() { _ = unsafe pthread_mutex_unlock(mutex) }

    /// A child of fork has the queue and not the threads. No other thread is at the queue while it is made: what that one
    /// has begun, and the mutex with it, would stay as it is for ever.
    private func beginAnewInChild() {
        (questions, asked, threads) = ([], 0, 0)
        unlock()
    }

    func ask(_ more: [LookUp]) throws(Errno) {
        lock()
        defer { unlock() }
        let before = questions.count
        for question in more { questions.append(question) }
        for _ in more where threads < Resolver.threadsMax {
            let code = startThread()
            if code == 0 {
                threads &+= 1
            } else if threads == 0 {
                questions.removeLast(questions.count &- before)
                throw Errno(code: code)
            }
        }
    }

    /// The next question that somebody still wants to be asked; nil ends the calling thread.
    private func next() -> LookUp? {
        lock()
        defer { unlock() }
        while asked < questions.count {
            let question = questions[asked]
            questions[asked] = nil
            asked &+= 1
            if asked > questions.count / 2 {  // under steady load it never runs empty
                questions.removeFirst(asked)
                asked = 0
            }
            if let question, !question.isCancelled { return question }
        }
        (questions, asked) = ([], 0)
        threads &-= 1
        return nil
    }

    private func startThread() -> CInt {
        var attributes = pthread_attr_t()
        var code = unsafe pthread_attr_init(&attributes)
        guard code == 0 else { return code }
        defer { _ = unsafe pthread_attr_destroy(&attributes) }
        _ = unsafe pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
        // A thread is born with the mask of the one that makes it: no moment in which a signal could go there.
        var (all, before) = (sigset_t(), sigset_t())
        _ = unsafe sigfillset(&all)
        _ = unsafe pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { _ = unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
        var thread = pthread_t()
        code = unsafe pthread_create(&thread, &attributes, { _ in unsafe Desk.serve() }, nil)
        return code
    }

    private static func serve() -> UnsafeMutableRawPointer? {
        while let question = ofProcess?.next() { question.work() }
        return nil
    }
}

private nonisolated(unsafe) var desk: Desk?
private nonisolated(unsafe) var deskOnce: pthread_once_t = 0
