import CLinux
import Glibc
import SocketTransport
import Synchronization
import Testing

@testable import EventLoop

@Suite struct `Another thread` {
    /// A loop that is not woken ends here after a while, and the test with it, red.
    private func guarded() throws -> (Registry, Probe) {
        let registry = try Registry()
        let tooLate = Probe()
        tooLate.onDeadline = { [unowned registry] _ in registry.stop() }
        registry.setDeadline(tooLate, MonotonicClock.milliseconds() + 20_000)
        return (registry, tooLate)
    }

    @Test func `wakes a loop that waits`() throws {
        let (registry, tooLate) = try guarded()
        let others = OtherThreads(registry: registry)
        let thread = Joined { others.wake() }
        #expect(try registry.runOnce(timeout: -1) == 0)
        thread.join()
        #expect(tooLate.deadlineCalls == 0)
    }

    @Test func `stops a loop that runs`() throws {
        let (registry, tooLate) = try guarded()
        let pair = SocketPair()
        let probe = Probe()
        let others = OtherThreads(registry: registry)
        try registry.add(probe, fd: pair.near, interest: .read)
        let thread = Joined { others.stop() }
        #expect(try registry.run())
        thread.join()
        #expect(tooLate.deadlineCalls == 0)
        #expect(!registry.isEmpty)
    }

    @Test func `has its posts called in its order, whatever a second one posts`() throws {
        let (registry, tooLate) = try guarded()
        let others = OtherThreads(registry: registry)
        let each = 5_000
        let seen = Mutex<[[Int]]>([[], []])
        let threads = (0..<2).map { thread in
            Joined {
                for number in 0..<each {
                    others.post(Box { seen.withLock { $0[thread].append(number) } })
                }
            }
        }
        var handled = 0
        while handled < 2 * each, tooLate.deadlineCalls == 0 {
            handled += try registry.runOnce(timeout: -1) ?? 0
        }
        threads.forEach { $0.join() }
        #expect(seen.withLock { $0 } == [Array(0..<each), Array(0..<each)])
    }

    @Test func `finds no wake-up lost among many`() throws {
        let (registry, tooLate) = try guarded()
        let others = OtherThreads(registry: registry)
        let rounds = 20_000
        let seen = SharedCount()
        let thread = Joined {
            for round in 0..<rounds {
                others.post(Box { seen.count.add(1, ordering: .releasing) })
                // Half of the posts find the loop about to sleep again.
                while round % 2 == 0, seen.isOpen, seen.count.load(ordering: .acquiring) <= round { sched_yield() }
            }
        }
        while seen.count.load(ordering: .acquiring) < rounds, tooLate.deadlineCalls == 0 {
            _ = try registry.runOnce(timeout: -1)
        }
        seen.close()
        thread.join()
        #expect(seen.count.load(ordering: .acquiring) == rounds)
        #expect(tooLate.deadlineCalls == 0)
    }

    @Test func `ends a wait by a signal, which is no failure`() throws {
        let (registry, tooLate) = try guarded()
        signal(SIGUSR1) { _ in }
        let waiter = pthread_self()
        let done = SharedCount()
        let thread = Joined {
            while done.isOpen {
                pthread_kill(waiter, SIGUSR1)
                sched_yield()
            }
        }
        let handled = try hearing(SIGUSR1) { try registry.runOnce(timeout: -1) }
        #expect(handled == 0)
        done.close()
        thread.join()
        #expect(tooLate.deadlineCalls == 0)
    }
}

/// A number and an end that threads share.
final class SharedCount: Sendable {
    let count = Atomic<Int>(0)
    private let isClosed = Atomic<Bool>(false)
    var isOpen: Bool { !isClosed.load(ordering: .acquiring) }
    func close() { isClosed.store(true, ordering: .releasing) }
}
