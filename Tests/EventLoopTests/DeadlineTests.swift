import SocketTransport
import Testing

@testable import EventLoop

@Suite struct `A deadline` {
    @Test func `fires in order among ten thousand that were set, moved and cancelled`() throws {
        let registry = try Registry()
        var random = SplitMix(state: 2)
        let past = MonotonicClock.milliseconds() - 1_000_000
        var fired: [Int] = []
        var expected: [(at: Int64, order: Int, index: Int)?] = []
        var order = 0
        let probes = (0..<10_000).map { index in
            let probe = Probe()
            probe.onDeadline = { _ in fired.append(index) }
            return probe
        }
        func set(_ index: Int) {
            let at = past + Int64.random(in: 0..<50_000, using: &random)
            if registry.deadline(of: probes[index]) != at { order += 1 } else { return }
            registry.setDeadline(probes[index], at)
            expected[index] = (at, order, index)
        }
        for index in probes.indices {
            expected.append(nil)
            set(index)
        }
        for _ in 0..<10_000 { set(Int.random(in: probes.indices, using: &random)) }
        for _ in 0..<3_000 {
            let index = Int.random(in: probes.indices, using: &random)
            registry.setDeadline(probes[index], nil)
            expected[index] = nil
        }
        #expect(!registry.isEmpty)
        let inOrder = expected.compactMap { $0 }.sorted { ($0.at, $0.order) < ($1.at, $1.order) }.map(\.index)
        #expect(try registry.runOnce(timeout: -1) == inOrder.count)
        #expect(fired == inOrder)
        #expect(registry.isEmpty)
    }

    @Test func `that is set anew while deadlines pass waits for a later turn`() throws {
        let registry = try Registry()
        let (greedy, patient) = (Probe(), Probe())
        greedy.onDeadline = { _ in registry.setDeadline(greedy, 0) }
        registry.setDeadline(greedy, 0)
        registry.setDeadline(patient, 1)
        #expect(try registry.runOnce(timeout: 0) == 2)
        #expect(greedy.deadlineCalls == 1)
        #expect(patient.deadlineCalls == 1)
        #expect(try registry.runOnce(timeout: -1) == 1)
        #expect(greedy.deadlineCalls == 2)
    }

    @Test func `may cancel the one that is due with it`() throws {
        let registry = try Registry()
        let probes = [Probe(), Probe()]
        for (me, probe) in probes.enumerated() {
            probe.onDeadline = { _ in registry.setDeadline(probes[1 - me], nil) }
            registry.setDeadline(probe, 0)
        }
        #expect(try registry.runOnce(timeout: 0) == 1)
        #expect(probes[0].deadlineCalls == 1)
        #expect(registry.isEmpty)
    }

    @Test func `keeps its watcher alive, and no longer than itself`() throws {
        let registry = try Registry()
        var probe: Probe? = Probe()
        weak let witness = probe
        registry.setDeadline(try #require(probe), 0)
        probe = nil
        #expect(witness != nil)
        _ = try registry.runOnce(timeout: 0)
        #expect(witness == nil)
    }

    @Test func `tells how long there is to wait`() throws {
        let registry = try Registry()
        let probe = Probe()
        #expect(registry.timeout == -1)
        registry.setDeadline(probe, MonotonicClock.milliseconds() + 100_000)
        #expect((1...100_000).contains(registry.timeout))
        registry.setDeadline(probe, .max)
        #expect(registry.timeout == .max)
        registry.setDeadline(probe, .min)
        #expect(registry.timeout == 0)
        registry.setDeadline(probe, nil)
        #expect(registry.timeout == -1)
        #expect(registry.deadline(of: probe) == nil)
    }
}
