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

    @Test func `has its turn: epoll puts whoever was told behind the others`() throws {
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
