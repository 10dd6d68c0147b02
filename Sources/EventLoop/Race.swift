package import SocketTransport

/// "Happy Eyeballs" (RFC 8305): which address of a host is tried when. Events go in, steps come out; it has neither
/// sockets nor a clock.
///
///     resolving ──an IPv6 address, or IPv4 ones and nothing more to hope for, or the delay──> racing
///
/// The families take turns, IPv6 first. Each attempt has a head start over the next one, which comes at once when one
/// has failed; addresses that are found later take their turn as well. Whoever races knows when it is won.
package struct Race {
    package enum Step: Equatable {
        /// Try this one now, and ask again.
        case attempt(SocketAddress)
        /// Ask again after the next event, or when it is this late.
        case wait(until: Int64?)
        /// Nothing is left to try or to hope for.
        case lost
    }

    /// The addresses of one family, in the resolver's order (RFC 6724).
    private struct Side {
        var isAwaited: Bool
        var untried: ArraySlice<SocketAddress> = []
    }

    private let attemptDelay: Int64
    private let resolutionDelay: Int64
    private var six: Side
    private var four: Side
    private var known: [SocketAddress] = []
    private var lastTried: SocketAddress.Family?
    private var running = 0
    /// Until when IPv4 waits for IPv6; once an attempt was made, when the next may be.
    private var patience: Int64 = .min

    /// For a name whose addresses of these families are being looked up. Delays in milliseconds.
    package init(awaitingSix: Bool, awaitingFour: Bool, attemptDelay: UInt32, resolutionDelay: UInt32) {
        six = Side(isAwaited: awaitingSix)
        four = Side(isAwaited: awaitingFour)
        self.attemptDelay = Int64(attemptDelay)
        self.resolutionDelay = Int64(resolutionDelay)
    }

    /// For one address that is known.
    package init(_ address: SocketAddress) {
        self.init(awaitingSix: false, awaitingFour: false, attemptDelay: 0, resolutionDelay: 0)
        four.untried = [address]
    }

    // MARK: Events

    /// The resolver has answered about one family: with addresses, or with none.
    package mutating func resolved(_ family: SocketAddress.Family, _ addresses: [SocketAddress], now: Int64) {
        var fresh: [SocketAddress] = []
        for address in addresses where !known.contains(address) {
            known.append(address)
            fresh.append(address)
        }
        if family == .six {
            six.isAwaited = false
            six.untried += fresh
        } else {
            four.isAwaited = false
            four.untried += fresh
            if lastTried == nil { patience = now &+ resolutionDelay }
        }
    }

    /// An attempt has come to nothing.
    package mutating func attemptFailed(now: Int64) {
        running = max(0, running &- 1)
        patience = now
    }

    // MARK: Steps

    /// What is to be done now.
    package mutating func next(now: Int64) -> Step {
        guard let family = nextFamily else {
            return running > 0 || six.isAwaited || four.isAwaited ? .wait(until: nil) : .lost
        }
        let mayHopeForSix = lastTried == nil && family == .four && six.isAwaited  // RFC 8305, 3
        let mayWait = mayHopeForSix || running > 0
        if mayWait, now < patience { return .wait(until: patience) }
        guard let address = take(family) else { return .lost }
        lastTried = family
        running &+= 1
        patience = now &+ attemptDelay
        return .attempt(address)
    }

    /// In turns as long as both have some (RFC 8305, 4, with a First Address Family Count of 1).
    private var nextFamily: SocketAddress.Family? {
        if six.untried.isEmpty { return four.untried.isEmpty ? nil : .four }
        return lastTried == .six && !four.untried.isEmpty ? .four : .six
    }

    private mutating func take(_ family: SocketAddress.Family) -> SocketAddress? {
        family == .six ? six.untried.popFirst() : four.untried.popFirst()
    }
}
