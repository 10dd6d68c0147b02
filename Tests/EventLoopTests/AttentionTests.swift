import CLinux
import SocketTransport
import Testing

@testable import EventLoop

@Suite struct `The end of a turn` {
    @Test func `comes once for a watcher that asked often, after everything else`() throws {
        let registry = try Registry()
        let pair = SocketPair()
        pair.feed()
        let probe = Probe()
        var happened: [String] = []
        probe.onReady = { _ in
            happened.append("ready")
            for _ in 0..<3 { registry.attend(probe) }
        }
        probe.onDeadline = { _ in happened.append("deadline") }
        probe.onTurnEnded = { happened.append("turn ended") }
        try registry.add(probe, fd: pair.near, interest: .read)
        registry.setDeadline(probe, 0)
        OtherThreads(registry: registry).post(Box { happened.append("post") })
        #expect(try registry.runOnce(timeout: 0) == 4)
        #expect(happened == ["ready", "post", "deadline", "turn ended"])
    }

    @Test func `that was asked for outside a turn comes before the next wait`() throws {
        let registry = try Registry()
        let probe = Probe()
        #expect(!isReadable(registry.fd))
        registry.attend(probe)
        #expect(isReadable(registry.fd))
        #expect(registry.timeout == 0)
        #expect(!registry.isEmpty)
        #expect(try registry.runOnce(timeout: -1) == 1)
        #expect(probe.turnCalls == 1)
        #expect(!isReadable(registry.fd))
        #expect(registry.timeout == -1)
        #expect(registry.isEmpty)
    }

    @Test func `passes over those who left, and releases them at once`() throws {
        let registry = try Registry()
        var leaver: Probe? = Probe()
        weak let witness = leaver
        let (first, last) = (Probe(), Probe())
        first.onTurnEnded = {
            if let gone = leaver { registry.remove(gone) }
            leaver = nil
            #expect(witness == nil)
        }
        registry.attend(first)
        registry.attend(try #require(leaver))
        registry.attend(last)
        #expect(try registry.runOnce(timeout: 0) == 2)
        #expect(last.turnCalls == 1)
    }

    @Test func `lets a watcher ask again without end, and the loop goes on`() throws {
        let registry = try Registry()
        let greedy = Probe()
        greedy.onTurnEnded = { registry.attend(greedy) }
        registry.attend(greedy)
        let pair = SocketPair()
        let other = Probe()
        pair.feed()
        try registry.add(other, fd: pair.near, interest: .read)
        for turn in 1...3 {
            _ = try registry.runOnce(timeout: -1)
            #expect(other.readyCalls == turn)
            #expect(isReadable(registry.fd))
        }
        greedy.onTurnEnded = nil
        _ = try registry.runOnce(timeout: -1)
        registry.remove(other)
        #expect(registry.isEmpty)
    }

    @Test func `reaches a watcher that another one asked for at the end of the turn`() throws {
        let registry = try Registry()
        let (first, second) = (Probe(), Probe())
        first.onTurnEnded = { registry.attend(second) }
        registry.attend(first)
        #expect(try registry.runOnce(timeout: 0) == 2)
        #expect(second.turnCalls == 1)
    }

    @Test func `comes in the order of asking while others leave and come back`() throws {
        let registry = try Registry()
        var random = SplitMix(state: 9)
        let probes = (0..<50).map { _ in Probe() }
        var calls: [Int] = []
        for (index, probe) in probes.enumerated() { probe.onTurnEnded = { calls.append(index) } }
        for _ in 0..<50 {
            var expected: [Int] = []
            calls = []
            for _ in 0..<200 {
                let index = Int.random(in: probes.indices, using: &random)
                if Bool.random(using: &random) {
                    registry.attend(probes[index])
                    if !expected.contains(index) { expected.append(index) }
                } else {
                    registry.remove(probes[index])
                    expected.removeAll { $0 == index }
                }
            }
            _ = try registry.runOnce(timeout: 0)
            #expect(calls == expected)
        }
    }
}
