import Glibc
import Testing

@testable import EventLoop

@Suite struct `A debug build` {
    /// Release builds do not look: what all tests never come upon in a debug build is not there.
    @Test func `aborts when the library reads what somebody else is changing`() async throws {
        let result = try await #require(
            processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]
        ) {
            let registry = try Registry()
            let watcher = Watcher()
            func change(_ deadlines: inout Deadlines) {
                registry.setDeadline(watcher, 1)
                deadlines.cancel(watcher)
            }
            change(&registry.deadlines)
        }
        let said = String(decoding: result.standardErrorContent, as: UTF8.self)
        #expect(said.contains("Simultaneous accesses"), "\(said)")
    }
}
