import EventLoop
import SocketTransport
import Testing

/// Addresses that nobody connects to.
private func six(_ number: Int) -> SocketAddress { SocketAddress(numericHost: "2001:db8::\(number)", port: 443)! }
private func four(_ number: Int) -> SocketAddress { SocketAddress(numericHost: "192.0.2.\(number)", port: 443)! }

/// A race with its clock, which moves only when told.
private struct Track {
    var race: Race
    var now: Int64 = 1000

    init(six: Bool = true, four: Bool = true) {
        race = Race(awaitingSix: six, awaitingFour: four, attemptDelay: 250, resolutionDelay: 50)
    }

    mutating func next(after milliseconds: Int64 = 0) -> Race.Step {
        now += milliseconds
        return race.next(now: now)
    }
    mutating func found(_ addresses: SocketAddress...) {
        guard let family = addresses.first?.family else { return }
        race.resolved(family, addresses, now: now)
    }
    mutating func foundNothing(_ family: SocketAddress.Family) { race.resolved(family, [], now: now) }
    mutating func fail() { race.attemptFailed(now: now) }
}

@Suite struct `A race for a name` {
    @Test func `waits for the resolver, and tries the first IPv6 address at once`() {
        var track = Track()
        #expect(track.next() == .wait(until: nil))
        track.found(six(1))
        #expect(track.next() == .attempt(six(1)))
        #expect(track.next() == .wait(until: nil), "IPv4 is still looked up")
    }

    @Test func `lets IPv4 wait 50 ms for IPv6`() {
        var track = Track()
        track.found(four(1))
        #expect(track.next() == .wait(until: 1050))
        #expect(track.next(after: 49) == .wait(until: 1050))
        track.found(six(1))
        #expect(track.next() == .attempt(six(1)))
        #expect(track.next() == .wait(until: 1299))
        #expect(track.next(after: 250) == .attempt(four(1)))
    }

    @Test func `lets IPv4 wait no longer than that`() {
        var track = Track()
        track.found(four(1))
        #expect(track.next(after: 50) == .attempt(four(1)))
    }

    @Test func `lets IPv4 wait no more once there is no IPv6`() {
        var track = Track()
        track.found(four(1))
        track.foundNothing(.six)
        #expect(track.next() == .attempt(four(1)))
    }

    @Test func `does not make IPv4 wait when it comes last`() {
        var track = Track()
        track.foundNothing(.six)
        #expect(track.next() == .wait(until: nil))
        track.found(four(1))
        #expect(track.next() == .attempt(four(1)))
    }

    @Test func `does not wait for a family that nobody looks up`() {
        var track = Track(six: false)
        track.found(four(1))
        #expect(track.next() == .attempt(four(1)))
    }

    @Test func `takes the families in turns, with 250 ms between attempts`() {
        var track = Track()
        track.found(four(1), four(2), four(3), four(4))
        track.found(six(1), six(2))
        var order = [track.next()]
        for _ in 0..<5 { order.append(track.next(after: 250)) }
        #expect(order == [six(1), four(1), six(2), four(2), four(3), four(4)].map { .attempt($0) })
        #expect(track.next(after: 250) == .wait(until: nil))
    }

    @Test func `tries the next address at once when an attempt fails`() {
        var track = Track()
        track.found(six(1), six(2), six(3), six(4))
        track.foundNothing(.four)
        #expect(track.next() == .attempt(six(1)))
        #expect(track.next(after: 10) == .wait(until: 1250))
        track.fail()
        #expect(track.next() == .attempt(six(2)))
        #expect(track.next(after: 250) == .attempt(six(3)))
        #expect(track.next(after: 10) == .wait(until: 1510))
        track.fail()
        #expect(track.next() == .attempt(six(4)), "also when another is under way")
    }

    @Test func `gives late addresses their turn`() {
        var track = Track()
        track.found(four(1), four(2), four(3))
        #expect(track.next(after: 50) == .attempt(four(1)))
        #expect(track.next(after: 250) == .attempt(four(2)))
        track.found(six(1))
        #expect(track.next() == .wait(until: 1550), "they do not jump the queue")
        #expect(track.next(after: 250) == .attempt(six(1)))
        #expect(track.next(after: 250) == .attempt(four(3)))
    }

    @Test func `begins with late addresses at once when it has run out of others`() {
        var track = Track()
        track.found(four(1))
        #expect(track.next(after: 50) == .attempt(four(1)))
        track.fail()
        #expect(track.next() == .wait(until: nil))
        track.found(six(1))
        #expect(track.next() == .attempt(six(1)))
    }

    @Test func `tries no address twice`() {
        var track = Track()
        track.found(six(1), six(1), six(2))
        track.foundNothing(.four)
        #expect(track.next() == .attempt(six(1)))
        #expect(track.next(after: 250) == .attempt(six(2)))
        #expect(track.next(after: 250) == .wait(until: nil))
    }

    @Test func `is lost when all have failed and nothing is looked up any more`() {
        var track = Track()
        track.found(six(1), six(2))
        track.foundNothing(.four)
        #expect(track.next() == .attempt(six(1)))
        #expect(track.next(after: 250) == .attempt(six(2)))
        track.fail()
        #expect(track.next() == .wait(until: nil), "one is still under way")
        track.fail()
        #expect(track.next() == .lost)
    }

    @Test func `is lost when nothing is found`() {
        var track = Track()
        track.foundNothing(.four)
        #expect(track.next() == .wait(until: nil))
        track.foundNothing(.six)
        #expect(track.next() == .lost)
    }

    @Test func `has all at once without delays`() {
        var race = Race(awaitingSix: true, awaitingFour: true, attemptDelay: 0, resolutionDelay: 0)
        race.resolved(.four, [four(1), four(2)], now: 0)
        #expect(race.next(now: 0) == .attempt(four(1)))
        #expect(race.next(now: 0) == .attempt(four(2)))
    }

    @Test func `bears more failures than attempts, and the largest delays`() {
        var race = Race(awaitingSix: false, awaitingFour: true, attemptDelay: .max, resolutionDelay: .max)
        race.attemptFailed(now: .max)
        race.resolved(.four, [four(1), four(2)], now: .max)
        #expect(race.next(now: .max) == .attempt(four(1)))
        race.attemptFailed(now: .max)
        race.attemptFailed(now: .max)
        #expect(race.next(now: .max) == .attempt(four(2)))
    }
}

@Suite struct `A race for one address` {
    @Test func `tries it at once, and is lost when that fails`() {
        var race = Race(six(1))
        #expect(race.next(now: 0) == .attempt(six(1)))
        #expect(race.next(now: 0) == .wait(until: nil))
        race.attemptFailed(now: 0)
        #expect(race.next(now: 0) == .lost)
    }
}
