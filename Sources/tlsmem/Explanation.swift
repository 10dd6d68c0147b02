internal import CTLSMem
internal import OpenSSLHandles
internal import SocketTransport
internal import TLSEngine

/// Why a connection stands where it stands, in words for somebody who has never seen a record.
///
/// What it waits for is in Explanation+Waits.swift, its numbers are in Explanation+Numbers.swift.
struct Explanation: ~Copyable {
    let connection: Connection
    let now: Int64
    /// Nil where the program moves the bytes.
    let facts: SocketFacts?
    var text: Sentence

    /// Writes all of it, and returns its whole length.
    static func write(_ connection: Connection, _ target: UnsafeMutableRawBufferPointer) -> Int {
        var explanation = unsafe Explanation(connection, target)
        explanation.who()
        explanation.state()
        explanation.waits()
        explanation.deadline()
        explanation.numbers()
        return explanation.text.wholeLength
    }

    private init(_ connection: Connection, _ target: UnsafeMutableRawBufferPointer) {
        self.connection = connection
        now = connection.currentMilliseconds
        facts = connection.socket >= 0 && !connection.isOver ? SocketFacts(of: connection.socket) : nil
        unsafe text = Sentence(target)
    }

    var isClient: Bool { connection.engine.role == .client }
    var peer: StaticString { isClient ? "the server" : "the client" }

    // MARK: Who

    private mutating func who() {
        text.say(isClient ? "Client" : "Server")
        if let name = unsafe connection.engine.ask({ unsafe $0.serverName }) {
            text.say(isClient ? " of " : " as ")
            unsafe text.append(foreign: name)
        }
        if connection.socket >= 0 {
            text.append(Int(connection.socket), behind: ", descriptor ")
            text.say(connection.hasLoop ? ", in a loop" : ", in no loop")
        } else if connection.connector == nil, !connection.isOver {
            text.say(", whose bytes the program moves")
        }
        text.say(": ")
    }

    // MARK: How far it is

    private mutating func state() {
        let phaseBegan = connection.phaseBegan
        switch connection.state {
        case TLSMEM_STATE_NEW: text.say("it has not begun")
        case TLSMEM_STATE_CONNECTING:
            text.say("it is connecting")
            lasting(since: connection.connector?.began ?? -1)
        case TLSMEM_STATE_HANDSHAKING:
            text.say("it is in its handshake")
            lasting(since: phaseBegan)
        case TLSMEM_STATE_OPEN:
            text.say("it is open, with ")
            unsafe text.append(connection.engine.ask { unsafe $0.protocolName })
        case TLSMEM_STATE_CLOSING:
            if connection.currentFailure == nil {
                text.say("it is closing")
                lasting(since: phaseBegan)
            } else {
                text.say("it has failed, and is about to end")
            }
        default: text.say("it has ended")
        }
        if let failure = connection.currentFailure {
            text.say(": ")
            text.append(failure.status)
            text.say(", ")
            failure.describe(&text, subject: connection.subjectThatFailed)
        } else if connection.isOver {
            text.say(" cleanly")
        }
        text.say(".")
    }

    private mutating func lasting(since began: Int64) {
        guard began >= 0 else { return }
        text.say(" for ")
        text.append(milliseconds: now &- began)
    }

    /// How long ago that began which is waited for; unknown where bytes are timed, for there is one moment for both.
    mutating func since() {
        guard !connection.times else { return }
        text.say(" ")
        text.append(milliseconds: now &- connection.lastMoved)
        text.say(" ago")
    }

    // MARK: What ends the wait

    private mutating func deadline() {
        guard !connection.isOver else { return }
        let next = connection.nextTimeout
        if let connector = connection.connector, connector.deadline >= 0, connector.deadline <= next?.moment ?? .max {
            return ends(in: connector.deadline, "connect_ms", TLSMEM_ETIMEOUT)
        }
        guard let (moment, which) = next else { return text.say(" No deadline of its own ends that.") }
        ends(in: moment, which.name, connection.currentFailure?.status ?? TLSMEM_ETIMEOUT)
    }

    private mutating func ends(in moment: Int64, _ name: StaticString, _ status: tlsmem_status) {
        if moment <= now {
            text.say(" Its deadline (")
            text.say(name)
            text.say(") has passed ")
            text.append(milliseconds: now &- moment)
            return text.say(connection.hasLoop ? " ago: does the loop run?" : " ago: nobody has called tlsmem_tick.")
        }
        text.say(" If nothing changes, it ends in ")
        text.append(milliseconds: moment &- now)
        text.say(" (")
        text.say(name)
        text.say(") with ")
        text.append(status)
        text.say(".")
    }
}
