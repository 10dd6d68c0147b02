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

    @Test func `that is cancelled or moved keeps nobody alive among others`() throws {
        let registry = try Registry()
        let others = (0..<9).map { _ in Probe() }
        for (index, other) in others.enumerated() { registry.setDeadline(other, Int64(index)) }
        var probe: Probe? = Probe()
        weak let witness = probe
        for at: Int64 in [5, 3, 8, 1] { registry.setDeadline(try #require(probe), at) }
        registry.setDeadline(try #require(probe), nil)
        probe = nil
        #expect(witness == nil)
        #expect(try registry.runOnce(timeout: 0) == others.count)
    }

    @Test func `never passes for the one that had its slot before`() throws {
        let registry = try Registry()
        let now = MonotonicClock.milliseconds()
        let (first, second, third) = (Probe(), Probe(), Probe())
        registry.setDeadline(first, now - 10)
        registry.setDeadline(first, nil)
        registry.setDeadline(second, now + 100_000)  // later than the entry that it finds
        #expect(registry.timeout > 90_000)
        #expect(try registry.runOnce(timeout: 0) == 0)
        registry.setDeadline(second, nil)
        registry.setDeadline(third, now - 20)  // sooner than that
        #expect(try registry.runOnce(timeout: 0) == 1)
        #expect([first, second, third].map(\.deadlineCalls) == [0, 0, 1])
        #expect(registry.isEmpty && registry.timeout == -1)
    }

    @Test func `moved later, or cancelled, wakes nobody at the earlier moment`() throws {
        let registry = try Registry()
        let now = MonotonicClock.milliseconds()
        let probes = (0..<5).map { _ in Probe() }
        for (index, probe) in probes.enumerated() { registry.setDeadline(probe, now + 1000 * Int64(index + 1)) }
        registry.setDeadline(probes[0], now + 900_000)
        registry.setDeadline(probes[1], nil)
        #expect((2_001...3_000).contains(registry.timeout))
        registry.setDeadline(probes[2], nil)
        registry.setDeadline(probes[3], now + 800_000)
        registry.setDeadline(probes[4], now + 700_000)
        #expect((600_001...700_000).contains(registry.timeout))
        registry.setDeadline(probes[3], now + 50_000)  // sooner again, and later than it once was
        #expect((40_001...50_000).contains(registry.timeout))
    }

    @Test(arguments: [0, UInt32.max - 20_000])
    func `fires in order while watchers come and go, also when the numbers run out`(lastOrder: UInt32) throws {
        let registry = try Registry()
        registry.deadlines.lastOrder = lastOrder
        var random = SplitMix(state: 7)
        let past = MonotonicClock.milliseconds() - 1_000_000
        var fired: [Int] = []
        var present: [(probe: Probe, at: Int64, order: Int, name: Int)] = []
        weak var lastGone: Probe?
        for step in 0..<60_000 {
            let mostWanted = step < 20_000 ? 2_000 : step < 40_000 ? 20 : 500
            if present.count < mostWanted, Int.random(in: 0..<3, using: &random) > 0 || present.isEmpty {
                let probe = Probe()
                probe.onDeadline = { _ in fired.append(step) }
                present.append((probe, past + Int64.random(in: 0..<500, using: &random), step, step))
                registry.setDeadline(probe, present[present.count - 1].at)
                continue
            }
            let index = Int.random(in: present.indices, using: &random)
            if present.count > mostWanted || Int.random(in: 0..<3, using: &random) == 0 {
                registry.setDeadline(present[index].probe, nil)
                lastGone = present[index].probe
                present.remove(at: index)
                #expect(lastGone == nil)
            } else {
                let at = past + Int64.random(in: 0..<500, using: &random)
                if at != present[index].at { (present[index].at, present[index].order) = (at, step) }
                registry.setDeadline(present[index].probe, at)
            }
        }
        #expect(registry.deadlinesSet == present.count && present.count > 100)
        #expect(lastOrder == 0 || registry.deadlines.lastOrder < lastOrder)
        let expected = present.sorted { ($0.at, $0.order) < ($1.at, $1.order) }.map(\.name)
        #expect(try registry.runOnce(timeout: -1) == expected.count)
        #expect(fired == expected)
        #expect(registry.isEmpty)
    }

    @Test func `keeps the order of equal ones when the numbers of the settings run out`() throws {
        let registry = try Registry()
        registry.deadlines.lastOrder = .max - 60
        var fired: [Int] = []
        let probes = (0..<100).map { index in
            let probe = Probe()
            probe.onDeadline = { _ in fired.append(index) }
            return probe
        }
        for (index, probe) in probes.enumerated() {
            registry.setDeadline(probe, 1)
            if index % 10 == 0 { registry.setDeadline(probe, 2) }
        }
        #expect(registry.deadlines.lastOrder < 200)
        #expect(try registry.runOnce(timeout: 0) == probes.count)
        #expect(fired == probes.indices.filter { $0 % 10 != 0 } + probes.indices.filter { $0 % 10 == 0 })
    }

    @Test func `gives its memory back when many have been cancelled, moved or passed`() throws {
        let registry = try Registry()
        let future = MonotonicClock.milliseconds() + 1_000_000
        let probes = (0..<20_000).map { _ in Probe() }
        for probe in probes { registry.setDeadline(probe, future) }
        for sooner in 1...20 { for probe in probes { registry.setDeadline(probe, future - Int64(sooner)) } }
        #expect(registry.deadlines.capacity < 8 * probes.count)
        for probe in probes.dropFirst(10) { registry.setDeadline(probe, nil) }
        #expect(registry.deadlines.capacity < 2_000)
        for probe in probes { registry.setDeadline(probe, 0) }
        #expect(registry.deadlines.capacity > probes.count)
        #expect(try registry.runOnce(timeout: 0) == probes.count)
        #expect(registry.deadlines.capacity < 2_000)
    }
}
