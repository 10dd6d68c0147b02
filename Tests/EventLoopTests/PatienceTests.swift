import CLinux
import Glibc
import Testing

@testable import EventLoop

@Suite struct `A patient watcher` {
    /// Watchers on sockets that are all readable, and stay so.
    private final class Crowd {
        var pairs: [SocketPair] = []
        var probes: [Probe] = []

        init(_ registry: Registry, _ count: Int, _ manner: Manner, _ onReady: @escaping () -> Void) throws {
            for _ in 0..<count {
                let pair = SocketPair()
                let probe = Probe()
                probe.onReady = { _ in onReady() }
                try registry.add(probe, fd: pair.near, interest: .read, manner: manner)
                pair.feed()
                pairs.append(pair)
                probes.append(probe)
            }
        }
    }

    @Test func `comes after all the others, and only a few of them in a turn`() throws {
        let registry = try Registry(patientEvents: 2)
        var order = ""
        let newcomers = try Crowd(registry, 300, .patient) { order += "n" }
        let residents = try Crowd(registry, 5, .level) { order += "r" }
        for _ in 0..<3 {
            order = ""
            #expect(try registry.runOnce(timeout: 0) == 7)
            #expect(order == "rrrrrnn")
        }
        #expect(newcomers.probes.count == 300 && residents.probes.count == 5)
    }

    @Test func `that has to wait leaves room for the others, who are told of in the same turn`() throws {
        let registry = try Registry(patientEvents: 2)
        let newcomers = try Crowd(registry, 1000, .patient) {}
        let residents = try Crowd(registry, 3, .level) {}
        for turn in 1...4 {
            _ = try registry.runOnce(timeout: 0)
            #expect(residents.probes.allSatisfy { $0.readyCalls >= turn })
        }
        #expect(newcomers.probes.count { $0.readyCalls == 1 } == 8)
    }

    @Test func `that has to wait for long is silent in epoll until its turn comes`() throws {
        let registry = try Registry(patientEvents: 2)
        let newcomers = try Crowd(registry, 40, .patient) {}
        #expect(registry.controlCalls == 1 + 40)  // the eventfd, and those who came
        _ = try registry.runOnce(timeout: 0)
        #expect(registry.controlCalls == 1 + 40 + 8)
        #expect(isReadable(registry.fd))  // for a loop around this one
        #expect(registry.timeout == 0)
        for _ in 0..<19 { _ = try registry.runOnce(timeout: 0) }
        #expect(newcomers.probes.allSatisfy { $0.readyCalls == 1 })
    }

    @Test func `whose descriptor was closed while it waited for long has its turn, and keeps no loop awake`() throws {
        let registry = try Registry(patientEvents: 2)
        let newcomers = try Crowd(registry, 40, .patient) {}
        let (last, fd) = (Probe(), eventfd(1, 0))
        try registry.add(last, fd: fd, interest: .read, manner: .patient)
        _ = try registry.runOnce(timeout: 0)
        close(fd)
        for probe in newcomers.probes { registry.remove(probe) }
        for _ in 0..<40 { _ = try registry.runOnce(timeout: 0) }
        #expect(last.readyCalls == 1)
        #expect(!isReadable(registry.fd) && registry.timeout == -1)
    }

    @Test func `that has to wait leaves room for the others also where many have their turn at once`() throws {
        let registry = try Registry(patientEvents: 50)
        let newcomers = try Crowd(registry, 800, .patient) {}
        let pair = SocketPair()
        let resident = Probe()
        try registry.add(resident, fd: pair.near, interest: .read)
        _ = try registry.runOnce(timeout: 0)
        pair.feed()
        for turn in 1...5 {
            _ = try registry.runOnce(timeout: 0)
            #expect(resident.readyCalls == turn)
        }
        #expect(newcomers.probes.count { $0.readyCalls == 1 } == 300)
    }

    @Test func `takes no turn of others once it has left`() throws {
        let registry = try Registry(patientEvents: 2)
        let newcomers = try Crowd(registry, 60, .patient) {}
        _ = try registry.runOnce(timeout: 0)
        for probe in newcomers.probes[2..<58] { registry.remove(probe) }
        #expect(try registry.runOnce(timeout: 0) == 2)
        #expect(newcomers.probes[58...].allSatisfy { $0.readyCalls == 1 })
    }

    @Test func `whose turn comes after it has left, changed or stopped waiting holds nobody up`() throws {
        let registry = try Registry(patientEvents: 1)
        let newcomers = try Crowd(registry, 24, .patient) {}
        _ = try registry.runOnce(timeout: 0)
        // Some wait in epoll, and some out of it.
        let (soon, late) = (Array(newcomers.probes[1...4]), Array(newcomers.probes[18...21]))
        for four in [soon, late] {
            registry.remove(four[0])
            try registry.setManner(four[1], .edge)
            try registry.setManner(four[2], .level)
            try registry.setInterest(four[3], [])
        }
        for _ in 0..<24 { _ = try registry.runOnce(timeout: 0) }
        for four in [soon, late] {
            #expect(four.map { $0.readyCalls > 0 } == [false, true, true, false])
            try registry.setInterest(four[3], .read)
        }
        for _ in 0..<24 { _ = try registry.runOnce(timeout: 0) }
        #expect(soon[3].readyCalls > 0 && late[3].readyCalls > 0)
        #expect(newcomers.probes[23].readyCalls > 0)
    }

    @Test func `has its turn: whoever has had one stands behind the others`() throws {
        let registry = try Registry(patientEvents: 4)
        let newcomers = try Crowd(registry, 20, .patient) {}
        for _ in 0..<5 { _ = try registry.runOnce(timeout: 0) }
        #expect(newcomers.probes.allSatisfy { $0.readyCalls == 1 })
    }

    @Test func `wakes a loop that waits, and a loop around it`() throws {
        let registry = try Registry()
        let newcomers = try Crowd(registry, 1, .patient) {}
        #expect(isReadable(registry.fd))
        #expect(try registry.runOnce(timeout: -1) == 1)
        #expect(newcomers.probes[0].readyCalls == 1)
    }

    @Test(arguments: [Manner.level, .edge])
    func `becomes one of the others, and nothing that waits is lost`(manner: Manner) throws {
        let registry = try Registry()
        let newcomers = try Crowd(registry, 1, .patient) {}
        let probe = newcomers.probes[0]
        probe.onReady = { _ in try? registry.setManner(probe, manner) }
        for turn in 1...3 {
            _ = try registry.runOnce(timeout: 0)
            #expect(probe.readyCalls == turn)
        }
        #expect(probe.manner == manner)
        registry.remove(probe)
        #expect(try registry.runOnce(timeout: 0) == 0)
        #expect(!isReadable(registry.fd))
    }

    @Test func `that waits for nothing is out of epoll, and comes back`() throws {
        let registry = try Registry()
        let newcomers = try Crowd(registry, 1, .patient) {}
        try registry.setInterest(newcomers.probes[0], [])
        newcomers.pairs[0].hangUp()
        #expect(!isReadable(registry.fd))
        #expect(try registry.runOnce(timeout: 0) == 0)
        try registry.setInterest(newcomers.probes[0], .read)
        #expect(try registry.runOnce(timeout: 0) == 1)
    }

    @Test func `that waits for nothing becomes edge-triggered, and hears of what came meanwhile`() throws {
        let registry = try Registry()
        let newcomers = try Crowd(registry, 1, .patient) {}
        let probe = newcomers.probes[0]
        try registry.setInterest(probe, [])
        try registry.setManner(probe, .edge)
        newcomers.pairs[0].feed()
        _ = try registry.runOnce(timeout: 0)
        #expect(probe.readyCalls == 0)
        let calls = registry.controlCalls
        try registry.setInterest(probe, .read)
        #expect(registry.controlCalls == calls, "it is in epoll all the time")
        _ = try registry.runOnce(timeout: 0)
        #expect(probe.readyCalls == 1)
    }

    @Test func `whose turn comes after it became edge-triggered is not delivered twice in a turn`() throws {
        let registry = try Registry(patientEvents: 1)
        let newcomers = try Crowd(registry, 3, .patient) {}
        let probe = newcomers.probes[2]
        _ = try registry.runOnce(timeout: 0)
        try registry.setManner(probe, .edge)
        for _ in 0..<2 { _ = try registry.runOnce(timeout: 0) }
        newcomers.pairs[2].feed()
        _ = try registry.runOnce(timeout: 0)
        let before = probe.readyCalls
        _ = try registry.runOnce(timeout: 0)
        #expect(probe.readyCalls == before + 1)
    }

    @Test func `gives back the memory of a long queue`() throws {
        var queue = PatientQueue(turnMax: 2)
        for number: UInt32 in 0..<10000 { queue.add(Token(fd: 0, generation: number), .read, isSilent: true) }
        while queue.takeFirst() != nil { queue.compact() }
        queue.compact()
        #expect(queue.count == 0 && !queue.hasSilent && queue.capacity < 10000)
    }

    @Test func `leaves no memory of ten thousand behind`() throws {
        let registry = try Registry()
        let pair = SocketPair()
        let high = fcntl(pair.near, F_DUPFD_CLOEXEC, 1023)
        try #require(high >= 1023)
        let probe = Probe()
        try registry.add(probe, fd: high, interest: .read)
        #expect(registry.slotCount > 1023)
        registry.remove(probe)
        close(high)
        #expect(registry.slotCount == 0)
    }
}
