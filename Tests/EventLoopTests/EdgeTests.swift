import CLinux
import Glibc
import Testing

@testable import EventLoop

@Suite struct `An edge-triggered watcher` {
    /// Takes what is there, as a careful owner does: until the kernel says "not now".
    private func drain(_ fd: CInt) {
        var byte: UInt8 = 0
        while read(fd, &byte, 1) == 1 {}
    }

    @Test func `is told again and again until it has used up what was reported`() throws {
        let registry = try Registry()
        let pair = SocketPair()
        let probe = Probe()
        try registry.add(probe, fd: pair.near, interest: .read, manner: .edge)
        pair.feed()
        for turn in 1...3 {
            _ = try registry.runOnce(timeout: -1)
            #expect(probe.readyCalls == turn)
            #expect(registry.timeout == 0)
            #expect(isReadable(registry.fd))  // for a loop around this one
        }
        probe.onReady = { _ in
            drain(pair.near)
            probe.exhausted(.read)
        }
        #expect(try registry.runOnce(timeout: -1) == 1)
        #expect(registry.timeout == -1)
        #expect(try registry.runOnce(timeout: 0) == 0)
        #expect(probe.readyCalls == 4)
    }

    @Test func `is remembered while nothing is waited for, and costs no epoll_ctl`() throws {
        let registry = try Registry()
        let pair = SocketPair()
        let probe = Probe()
        try registry.add(probe, fd: pair.near, interest: [], manner: .edge)
        let calls = registry.controlCalls
        pair.feed()
        _ = try registry.runOnce(timeout: 0)
        #expect(probe.readyCalls == 0)
        #expect(registry.timeout == -1)

        try registry.setInterest(probe, .read)
        #expect(registry.timeout == 0)
        _ = try registry.runOnce(timeout: -1)
        #expect(probe.readyCalls == 1)
        try registry.setInterest(probe, [.read, .write])
        try registry.setInterest(probe, [])
        #expect(registry.controlCalls == calls)
    }

    @Test func `that did not finish lets the others have their turn first`() throws {
        let registry = try Registry()
        let pairs = [SocketPair(), SocketPair()]
        let greedy = Probe()
        let modest = Probe()
        var order: [String] = []
        greedy.onReady = { _ in order.append("greedy") }
        modest.onReady = { _ in
            order.append("modest")
            drain(pairs[1].near)
            modest.exhausted(.read)
        }
        try registry.add(greedy, fd: pairs[0].near, interest: .read, manner: .edge)
        try registry.add(modest, fd: pairs[1].near, interest: .read, manner: .edge)
        pairs[0].feed()
        _ = try registry.runOnce(timeout: 0)
        pairs[1].feed()
        _ = try registry.runOnce(timeout: 0)
        #expect(order == ["greedy", "modest", "greedy"])
    }

    @Test func `that is removed while it is unfinished is told nothing, nor is the next one with its number`() throws {
        let registry = try Registry()
        let pair = SocketPair()
        let first = Probe()
        let second = Probe()
        try registry.add(first, fd: pair.near, interest: .read, manner: .edge)
        pair.feed()
        _ = try registry.runOnce(timeout: 0)
        registry.remove(first)
        drain(pair.near)
        try registry.add(second, fd: pair.near, interest: .read, manner: .edge)
        _ = try registry.runOnce(timeout: 0)
        #expect(first.readyCalls == 1)
        #expect(second.readyCalls == 0)
        #expect(registry.timeout == -1)
    }

    @Test func `sees a hang-up that came with the last bytes`() throws {
        let registry = try Registry()
        let pair = SocketPair()
        let probe = Probe()
        try registry.add(probe, fd: pair.near, interest: .read, manner: .edge)
        pair.feed()
        pair.hangUp()
        var ended = false
        probe.onReady = { _ in
            var byte: UInt8 = 0
            ended = read(pair.near, &byte, 1) == 0
            if ended { registry.remove(probe) }
        }
        #expect(try registry.run())
        #expect(ended)
        #expect(probe.readyCalls == 2)
    }
}
