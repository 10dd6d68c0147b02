internal import CTLSMem
internal import SocketTransport
internal import TLSEngine

/// What waits in queues, and what has gone by.
extension Explanation {
    mutating func numbers() {
        queues()
        socket()
        traffic()
    }

    private mutating func queues() {
        let limits = connection.limits
        let (unread, unencrypted) = (connection.waitingCount, connection.engine.deferredBytes)
        let unsent = connection.engine.outgoing.count
        if unread | unencrypted | unsent == 0 { return text.say(" Its queues are empty.") }
        text.say(" In its queues:")
        var isFirst = true
        func separate(_ text: inout Sentence) {
            text.say(isFirst ? " " : ", ")
            isFirst = false
        }
        if unread > 0 {
            separate(&text)
            text.append(unread, " bytes of plaintext to be read (incoming_max is ")
            text.append(limits.incomingMax, ")")
        }
        if unencrypted > 0 {
            separate(&text)
            text.append(unencrypted, " bytes that were written and are not encrypted yet")
        }
        if unsent > 0 {
            separate(&text)
            text.append(unsent, " bytes of ciphertext to be sent (outgoing_max is ")
            text.append(limits.outgoingMax, ")")
        }
        text.say(".")
        if connection.owesDrain {
            text.append(limits.outgoingLow, behind: " on_drain comes once what waits to be sent has fallen to ")
            text.say(" bytes.")
        }
    }

    private mutating func socket() {
        guard let facts else { return }
        let unread = facts.unread ?? 0
        let unacknowledged = facts.unacknowledged ?? 0
        guard unread | unacknowledged != 0 else { return text.say(" Its socket is empty, both ways.") }
        text.append(unread, behind: " In its socket: ")
        text.say(" bytes that came and were not received, ")
        if facts.silence != nil {
            text.append(unacknowledged, " that it was given and the peer has not acknowledged.")
        } else {
            // A socket that is not TCP counts its own memory.
            text.say(unacknowledged > 0 ? "and some that the peer has not received." : "and none to be sent.")
        }
    }

    private mutating func traffic() {
        let (received, sent) = (connection.ciphertextReceived, connection.engine.outgoing.taken)
        text.append(Int(clamping: received), behind: " Bytes that came so far: ")
        text.append(Int(clamping: sent), behind: ", that went: ")
        if connection.limitsAreTimed, received | sent > 0 {
            text.say(", the last ")
            text.append(milliseconds: now &- connection.lastMoved)
            text.say(" ago")
        } else if let silence = facts?.silence {
            if received > 0 {
                text.say("; the last came ")
                text.append(milliseconds: silence.received)
                text.say(" ago")
            }
            if sent > 0 {
                text.say("; the last went ")
                text.append(milliseconds: silence.sent)
                text.say(" ago")
            }
        }
        text.say(".")
    }
}
