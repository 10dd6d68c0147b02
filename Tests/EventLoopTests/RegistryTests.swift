import CLinux
import Glibc
import SocketTransport
import Testing

@testable import EventLoop

@Suite struct `A registry` {
    @Test func `makes no epoll_ctl for an interest that stays the same`() throws {
        let registry = try Registry()
        let pair = SocketPair()
        let probe = Probe()
        try registry.add(probe, fd: pair.near, interest: .read)
        let calls = registry.controlCalls
        for _ in 0..<100 { try registry.setInterest(probe, .read) }
        #expect(registry.controlCalls == calls)
        try registry.setInterest(probe, [.read, .write])
        #expect(registry.controlCalls == calls + 1)
    }

    @Test func `does not spin on a peer that hung up while nothing is waited for`() throws {
        let registry = try Registry()
        let pair = SocketPair()
        let probe = Probe()
        try registry.add(probe, fd: pair.near, interest: .read)
        try registry.setInterest(probe, [])
        pair.hangUp()
        #expect(!isReadable(registry.fd))
        #expect(try registry.runOnce(timeout: 0) == 0)
        #expect(probe.readyCalls == 0)
        #expect(!registry.isEmpty)

        try registry.setInterest(probe, .read)
        #expect(try registry.runOnce(timeout: 0) == 1)
        #expect(probe.readyCalls == 1)
    }

    @Test(arguments: [Interest.read, .write, [.read, .write]])
    func `reports a hang-up as what is waited for`(interest: Interest) throws {
        let registry = try Registry()
        let pair = SocketPair()
        let probe = Probe()
        var seen: Readiness = []
        probe.onReady = { seen = $0 }
        pair.hangUp()
        try registry.add(probe, fd: pair.near, interest: interest)
        _ = try registry.runOnce(timeout: 0)
        #expect(seen.rawValue == interest.rawValue)
    }

    @Test func `counts a regular file as always ready`() throws {
        let registry = try Registry()
        let probe = Probe()
        let file = try #require(tmpfile())
        defer { fclose(file) }
        var seen: Readiness = []
        probe.onReady = { seen = $0 }
        try registry.add(probe, fd: fileno(file), interest: .read)
        #expect(registry.timeout == 0)
        for turn in 1...3 {
            #expect(isReadable(registry.fd))
            #expect(try registry.runOnce(timeout: -1) == 1)
            #expect(probe.readyCalls == turn)
        }
        #expect(seen == .read)

        try registry.setInterest(probe, [])
        #expect(try registry.runOnce(timeout: 0) == 0)
        #expect(registry.timeout == -1)
        #expect(!isReadable(registry.fd))

        try registry.setInterest(probe, .write)
        #expect(isReadable(registry.fd))
        probe.onReady = { _ in registry.remove(probe) }
        #expect(try registry.run())
        #expect(probe.readyCalls == 4)
        #expect(!registry.hasAlwaysReady)
    }

    @Test func `runs until nothing is left`() throws {
        let registry = try Registry()
        #expect(try registry.run())
        let pair = SocketPair()
        let (watching, timed, attended) = (Probe(), Probe(), Probe())
        watching.onReady = { _ in
            registry.remove(watching)
            registry.setDeadline(timed, 0)
        }
        timed.onDeadline = { _ in registry.attend(attended) }
        pair.feed()
        try registry.add(watching, fd: pair.near, interest: .read)
        #expect(try registry.run())
        #expect(watching.readyCalls == 1)
        #expect(timed.deadlineCalls == 1)
        #expect(attended.turnCalls == 1)
        #expect(registry.isEmpty)
    }

    @Test func `stopped before it runs makes one turn`() throws {
        let registry = try Registry()
        let pair = SocketPair()
        let probe = Probe()
        pair.feed()
        try registry.add(probe, fd: pair.near, interest: .read)
        registry.stop()
        #expect(try registry.run())
        #expect(probe.readyCalls == 1)
        #expect(try registry.runOnce(timeout: 0) == 1)  // and the stop is used up
    }

    @Test func `refuses to run inside its own turn`() throws {
        let registry = try Registry()
        let pair = SocketPair()
        let probe = Probe()
        pair.feed()
        probe.onReady = { _ in
            #expect(registry.isRunning)
            #expect(throws: Never.self) {
                let turn = try registry.runOnce(timeout: 0)
                #expect(turn == nil)
                let ran = try registry.run()
                #expect(!ran)
                registry.remove(probe)
                let ranEmpty = try registry.run()
                #expect(!ranEmpty)
            }
        }
        try registry.add(probe, fd: pair.near, interest: .read)
        #expect(try registry.run())
        #expect(probe.readyCalls == 1)
        #expect(!registry.isRunning)
    }

    @Test func `accepts one watcher for a descriptor and one descriptor for a watcher`() throws {
        let registry = try Registry()
        let pairs = [SocketPair(), SocketPair()]
        let (first, second) = (Probe(), Probe())
        try registry.add(first, fd: pairs[0].near, interest: [])
        #expect(throws: Errno(code: EEXIST)) { try registry.add(second, fd: pairs[0].near, interest: .read) }
        #expect(throws: Errno(code: EEXIST)) { try registry.add(first, fd: pairs[1].near, interest: .read) }
        #expect(registry.watcher(forFd: pairs[0].near) === first)
        #expect(registry.watcher(forFd: pairs[1].near) == nil)
    }

    @Test(arguments: [CInt.min, -1, 1_000_000_007, .max], [Interest.read, []])
    func `refuses a number that is no descriptor`(fd: CInt, interest: Interest) throws {
        let registry = try Registry()
        let probe = Probe()
        #expect(throws: Errno(code: EBADF)) { try registry.add(probe, fd: fd, interest: interest) }
        #expect(throws: Errno(code: ENOENT)) { try registry.setInterest(probe, .read) }
        registry.remove(probe)
        #expect(registry.isEmpty)
    }

    @Test func `takes out a watcher whose descriptor is closed, twice, and one it never had`() throws {
        let registry = try Registry()
        let pair = SocketPair()
        let (probe, stranger) = (Probe(), Probe())
        let number = dup(pair.near)
        try registry.add(probe, fd: number, interest: .read)
        close(number)
        registry.remove(probe)
        registry.remove(probe)
        registry.remove(stranger)
        #expect(registry.isEmpty)
        try registry.add(probe, fd: pair.near, interest: .read)
        #expect(registry.watcher(forFd: pair.near) === probe)
    }

    @Test func `lets go of its watchers at its end, and they may join another`() throws {
        let pairs = [SocketPair(), SocketPair()]
        let survivor = Probe()
        weak var witness: Probe?
        do {
            let registry = try Registry()
            let probe = Probe()
            witness = probe
            try registry.add(probe, fd: pairs[0].near, interest: .read)
            try registry.add(survivor, fd: pairs[1].near, interest: .read)
            registry.setDeadline(survivor, 0)
            registry.attend(survivor)
        }
        #expect(witness == nil)
        #expect(survivor.fd == -1)
        let next = try Registry()
        pairs[1].feed()
        try next.add(survivor, fd: pairs[1].near, interest: .read)
        #expect(try next.runOnce(timeout: 0) == 1)
        #expect(survivor.deadlineCalls == 0)
        #expect(survivor.turnCalls == 0)
    }

    @Test func `shows each watcher once, and none that left meanwhile`() throws {
        let registry = try Registry()
        let pairs = [SocketPair(), SocketPair()]
        let probes = (0..<4).map { _ in Probe() }
        for probe in probes { registry.setDeadline(probe, .max) }
        for (pair, probe) in zip(pairs, probes) {
            try registry.add(probe, fd: pair.near, interest: .read)
            registry.attend(probe)
        }
        let lonely = Probe()
        registry.attend(lonely)
        var seen: [ObjectIdentifier] = []
        registry.forEachWatcher { seen.append(ObjectIdentifier($0)) }
        #expect(seen.count == 5)
        #expect(Set(seen) == Set((probes + [lonely]).map { ObjectIdentifier($0) }))

        var visits = 0
        registry.forEachWatcher { _ in
            visits += 1
            for probe in probes + [lonely] { registry.remove(probe) }
        }
        #expect(visits == 1)
        #expect(registry.isEmpty)
    }

    @Test func `gives back what many needed, and forgets nobody`() throws {
        let registry = try Registry()
        let pairs = (0..<200).map { _ in SocketPair() }
        let probes = pairs.map { _ in Probe() }
        for (probe, pair) in zip(probes, pairs) { try registry.add(probe, fd: pair.near, interest: .read) }
        for probe in probes { registry.attend(probe) }
        for probe in probes.dropFirst() { registry.remove(probe) }
        registry.trim()
        pairs[0].feed()
        #expect(try registry.runOnce(timeout: 0) == 2)
        #expect(probes.map(\.readyCalls) == [1] + Array(repeating: 0, count: 199))
        #expect(probes.map(\.turnCalls) == [1] + Array(repeating: 0, count: 199))
    }
}
