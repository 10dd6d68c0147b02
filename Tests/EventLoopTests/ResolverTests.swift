import CLinux
import Glibc
import SocketTransport
import Synchronization
import Testing

@testable import EventLoop

/// A question that says what it was answered.
private final class Asked: LookUp, @unchecked Sendable {
    let answered: @Sendable (Resolution?) -> Void

    init(
        _ posts: Posts, _ host: String, _ family: SocketAddress.Family,
        _ answered: @escaping @Sendable (Resolution?) -> Void
    ) {
        self.answered = answered
        super.init(posts, Array(host.utf8CString), port: 443, family: family)
    }
    override func run() { answered(answer) }
}

@Suite struct `The resolver` {
    @Test func `answers in the loop's thread`() throws {
        let registry = try Registry()
        let me = pthread_self()
        let texts = Mutex<[String]>([])
        let question = Asked(registry.posts, "127.0.0.1", .four) { answer in
            #expect(pthread_equal(me, pthread_self()) != 0)
            texts.withLock { $0 = (answer?.addresses ?? []).map { text($0) } }
        }
        try Resolver.ask([question])
        try turn(registry) { texts.withLock { !$0.isEmpty } }
        #expect(texts.withLock { $0 } == ["127.0.0.1:443"])
    }

    @Test func `says why it has nothing`() throws {
        let registry = try Registry()
        let code = Mutex<CInt>(0)
        let question = Asked(registry.posts, "127.0.0.1", .six) { answer in
            code.withLock { $0 = answer?.code ?? 0 }
            #expect(answer?.addresses.isEmpty == true)
        }
        try Resolver.ask([question])
        try turn(registry) { code.withLock { $0 != 0 } }
        #expect(code.withLock { $0 } != 0)
    }

    @Test func `answers every question, however many there are`() throws {
        let registry = try Registry()
        let answers = Atomic<Int>(0)
        let questions = (0..<500).map { _ in
            Asked(registry.posts, "127.0.0.1", .four) { _ in answers.add(1, ordering: .relaxed) }
        }
        try Resolver.ask(questions)
        try turn(registry) { answers.load(ordering: .relaxed) == 500 }
        let answered = answers.load(ordering: .relaxed)
        #expect(answered == 500)
    }

    @Test func `keeps an answer that nobody wants any more to itself`() throws {
        let registry = try Registry()
        let cancelled = Asked(registry.posts, "127.0.0.1", .four) { _ in Issue.record("it was answered") }
        let last = Atomic<Bool>(false)
        let wanted = Asked(registry.posts, "127.0.0.1", .four) { _ in last.store(true, ordering: .relaxed) }
        cancelled.cancel()
        try Resolver.ask([cancelled, wanted])
        try turn(registry) { last.load(ordering: .relaxed) }
        let isAnswered = last.load(ordering: .relaxed)
        #expect(isAnswered)
    }

    @Test func `may answer a loop that is gone`() throws {
        var registry: Registry? = try Registry()
        let posts = try #require(registry?.posts)
        let question = Asked(posts, "127.0.0.1", .four) { _ in Issue.record("it was answered") }
        registry?.closePosts()
        registry = nil
        try Resolver.ask([question])
    }
}

/// Turns until the condition holds, at most for a while: a turn may be one that was woken for what is done already.
private func turn(_ registry: Registry, until isOver: () -> Bool) throws {
    let end = MonotonicClock.milliseconds() + 20_000
    while !isOver(), MonotonicClock.milliseconds() < end { _ = try registry.runOnce(timeout: 1000) }
}

/// What people read of an address.
private func text(_ address: SocketAddress) -> String {
    String(decoding: address.text.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
