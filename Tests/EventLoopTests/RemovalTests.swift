import CLinux
import SocketTransport
import Testing

@testable import EventLoop

@Suite struct `A registry in the middle of a batch` {
    /// Two descriptors are ready in one batch; whoever is called first ends the other and gives its number away.
    @Test(arguments: [true, false])
    func `never hands an event to the next user of a descriptor number`(removesFirst: Bool) throws {
        let registry = try Registry()
        let pairs = [SocketPair(), SocketPair()]
        let newcomerPair = SocketPair()
        let probes = [Probe(), Probe()]
        let newcomer = Probe()
        for (me, probe) in probes.enumerated() {
            let other = 1 - me
            probe.onReady = { _ in
                guard newcomer.fd < 0 else { return }
                let number = pairs[other].near
                if removesFirst { registry.remove(probes[other]) }
                #expect(dup2(newcomerPair.near, number) == number)  // closes it and takes its number at once
                if !removesFirst { registry.remove(probes[other]) }
                #expect(throws: Never.self) { try registry.add(newcomer, fd: number, interest: .read) }
            }
            pairs[me].feed()
            try registry.add(probe, fd: pairs[me].near, interest: .read)
        }
        #expect(try registry.runOnce(timeout: 0) == 1)
        #expect(probes[0].readyCalls + probes[1].readyCalls == 1)
        #expect(newcomer.readyCalls == 0)

        newcomerPair.feed()
        _ = try registry.runOnce(timeout: 0)
        #expect(newcomer.readyCalls == 1)
    }

    @Test func `calls nobody who has been removed`() throws {
        let registry = try Registry()
        let pairs = (0..<8).map { _ in SocketPair() }
        let probes = pairs.map { _ in Probe() }
        for (pair, probe) in zip(pairs, probes) {
            probe.onReady = { [unowned probe] _ in
                for other in probes where other !== probe { registry.remove(other) }
            }
            pair.feed()
            try registry.add(probe, fd: pair.near, interest: .read)
        }
        #expect(try registry.runOnce(timeout: 0) == 1)
        #expect(probes.map(\.readyCalls).reduce(0, +) == 1)
    }

    @Test func `calls nobody who waits for nothing any more`() throws {
        let registry = try Registry()
        let pairs = [SocketPair(), SocketPair()]
        let probes = [Probe(), Probe()]
        for (me, probe) in probes.enumerated() {
            probe.onReady = { _ in
                #expect(throws: Never.self) { try registry.setInterest(probes[1 - me], []) }
            }
            pairs[me].feed()
            try registry.add(probe, fd: pairs[me].near, interest: .read)
        }
        #expect(try registry.runOnce(timeout: 0) == 1)
    }

    @Test func `lets a watcher remove itself and be released while it is called`() throws {
        let registry = try Registry()
        let pair = SocketPair()
        pair.feed()
        var probe: Probe? = Probe()
        weak let witness = probe
        probe?.onReady = { _ in
            if let watcher = registry.watcher(forFd: pair.near) { registry.remove(watcher) }
            #expect(witness != nil)
        }
        try registry.add(#require(probe), fd: pair.near, interest: .read)
        probe = nil
        #expect(witness != nil)
        #expect(try registry.runOnce(timeout: 0) == 1)
        #expect(witness == nil)
        #expect(registry.isEmpty)
    }

    enum Moment: CaseIterable { case ready, deadline, turnEnd, post }

    @Test(arguments: Moment.allCases)
    func `may be emptied and given up by its last owner`(moment: Moment) throws {
        let owner = Owner()
        owner.registry = try Registry()
        weak let witness = owner.registry
        let pair = SocketPair()
        pair.feed()
        let probe = Probe()
        let giveUp: () -> Void = {
            owner.registry?.forEachWatcher { owner.registry?.remove($0) }
            owner.registry = nil
        }
        try owner.registry?.add(probe, fd: pair.near, interest: moment == .ready ? .read : [])
        switch moment {
        case .ready: probe.onReady = { _ in giveUp() }
        case .deadline:
            probe.onDeadline = { _ in giveUp() }
            owner.registry?.setDeadline(probe, 0)
        case .turnEnd:
            probe.onTurnEnded = giveUp
            owner.registry?.attend(probe)
        case .post: owner.registry.map { OtherThreads(registry: $0).post(Box(giveUp)) }
        }
        #expect(try owner.registry?.runOnce(timeout: 0) == 1)
        #expect(owner.registry == nil)
        #expect(witness == nil)
    }

    @Test func `serves more descriptors than a batch holds`() throws {
        let registry = try Registry()
        let pairs = (0..<300).map { _ in SocketPair() }
        let probes = pairs.map { _ in Probe() }
        for (pair, probe) in zip(pairs, probes) {
            probe.onReady = { [unowned probe] _ in registry.remove(probe) }
            pair.feed()
            try registry.add(probe, fd: pair.near, interest: .read)
        }
        #expect(try registry.run())
        #expect(probes.allSatisfy { $0.readyCalls == 1 })
    }

    @Test func `lets a watcher add others and drop them again`() throws {
        let registry = try Registry()
        let pairs = [SocketPair(), SocketPair()]
        let (first, second) = (Probe(), Probe())
        pairs.forEach { $0.feed() }
        first.onReady = { _ in
            #expect(throws: Never.self) { try registry.add(second, fd: pairs[1].near, interest: .read) }
            registry.remove(first)
        }
        second.onReady = { _ in registry.remove(second) }
        try registry.add(first, fd: pairs[0].near, interest: .read)
        #expect(try registry.run())
        #expect(first.readyCalls == 1)
        #expect(second.readyCalls == 1)
    }
}

private final class Owner {
    var registry: Registry?
}
