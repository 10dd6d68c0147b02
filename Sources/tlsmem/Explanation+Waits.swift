internal import CTLSMem
internal import EventLoop
internal import OpenSSLHandles
internal import SocketTransport
internal import TLSEngine

/// Who has to do what next.
extension Explanation {
    mutating func waits() {
        if connection.hasNews, !connection.isOver || !connection.isReported { return news() }
        switch connection.state {
        case TLSMEM_STATE_NEW: beginning()
        case TLSMEM_STATE_CONNECTING: connecting()
        case TLSMEM_STATE_HANDSHAKING: handshake()
        case TLSMEM_STATE_OPEN: open()
        case TLSMEM_STATE_CLOSING: closing()
        default: ended()
        }
    }

    /// What is known and was not told, because no driving call has come since.
    private mutating func news() {
        if let decision = connection.decision, decision.isAnswered {
            text.say(" The program's answer is there, and the handshake goes on with the next driving call")
        } else {
            text.say(" That is not told yet: it is with the next driving call")
        }
        text.say(connection.hasLoop ? ", in the loop's next turn." : ": tlsmem_handshake, tlsmem_tick, or any other.")
    }

    /// Nothing more happens to it, but the program may still want what is in it.
    private mutating func ended() {
        let (unsent, unread) = (connection.socket < 0 ? connection.engine.outgoing.count : 0, connection.waitingCount)
        if unsent > 0 {
            text.append(unsent, behind: " The program has to send the ")
            text.say(" bytes that it still shows, an alert or a close_notify (tlsmem_outgoing_peek).")
        }
        if unread > 0 {
            text.append(unread, behind: " There are ")
            text.say(" bytes of plaintext to be read before it is freed (tlsmem_read).")
        }
        if connection.particulars?.beyondTLS != nil {
            text.say(" What came behind the close_notify is there for tlsmem_unwrapped.")
        }
        text.say(" Nothing more happens to it: tlsmem_free is what is left to do.")
    }

    // MARK: Before it is open

    private mutating func beginning() {
        if connection.socket < 0 {
            text.say(" It waits for the program, which has to give it a socket, put it into a loop, ")
            text.say(
                isClient
                    ? "or send what it shows (tlsmem_outgoing_peek)."
                    : "or feed it what the client sends (tlsmem_feed).")
        } else if connection.hasLoop {
            text.say(" It waits for its turn in the loop: does that run?")
        } else if !unreceived() {
            text.say(
                isClient
                    ? " It waits for the program, which has to begin it: tlsmem_handshake."
                    : " It waits for the client, which has said nothing so far.")
        }
    }

    private mutating func connecting() {
        text.say(" It waits for the network: ")
        guard let connector = connection.connector, connector.hasBegun else { return text.say("nothing is tried yet.") }
        connector.outcome.describe(&text)
        text.say(" so far.")
    }

    private mutating func handshake() {
        if question() { return }
        let saidOutput = output()
        if unreceived() || saidOutput { return }
        text.say(" It waits for ")
        text.say(peer)
        text.say(
            connection.ciphertextReceived == 0 ? ", which has said nothing so far" : ", whose next message is missing")
        if connection.ciphertextReceived > 0, let place = unsafe connection.engine.ask({ unsafe $0.handshakePlace }) {
            text.say(" (OpenSSL's last step: ")
            unsafe text.append(place)
            text.say(")")
        }
        text.say(".")
        if connection.engine.deferredBytes > 0 {
            text.append(connection.engine.deferredBytes, behind: " The ")
            text.say(" bytes that were written wait for the end of the handshake.")
        }
    }

    /// A question that nobody has answered.
    private mutating func question() -> Bool {
        guard let decision = connection.decision else { return false }
        text.say(" It stands still for the program: its ")
        switch connection.engine.ask({ $0.question }) {
        case .clientHello: text.say("tlsmem_client_hello_cb")
        case .verdict: text.say("tlsmem_verify_cb")
        case .staple: text.say("tlsmem_ocsp_cb")
        case .key: text.say("tlsmem_psk_cb")
        case .session: text.say("on_find (tlsmem_session_callbacks)")
        case .ticketKey: text.say("tlsmem_ticket_key_cb")
        case .sign: text.say("tlsmem_sign_cb")
        case .clientCertificate: text.say("tlsmem_client_cert_cb")
        case nil: text.say("callback")
        }
        text.say(" was asked ")
        text.append(milliseconds: now &- decision.since)
        text.say(
            decision.isPutOff
                ? " ago, returned TLSMEM_LATER, and nobody has called tlsmem_answer since."
                : " ago, and has not returned yet.")
        return true
    }

    // MARK: Open

    private mutating func open() {
        if question() { return }
        let saidOutput = output()
        let saidInput = input()
        if saidOutput || saidInput { return }
        if connection.engine.peerHasClosed {
            text.say(" It waits for the program: ")
            text.say(peer)
            text.say(" has closed")
            since()
            text.say(", and will send nothing more; tlsmem_close ends it, tlsmem_write still goes.")
        } else if !connection.engine.acceptsWrites {
            text.say(" It waits for ")
            text.say(peer)
            text.say(
                ": the program has closed its own direction (tlsmem_close_write), and reads until the other is closed."
            )
        } else if connection.engine.isInHandshake || connection.engine.awaitsHello {
            text.say(" It waits for ")
            text.say(peer)
            text.say(", which has to go on with a second handshake; writes wait for that.")
        } else if connection.engine.awaitsCertificate {
            text.say(" It waits for the client, which was asked for a certificate (tlsmem_request_certificate).")
        } else {
            text.say(" Nothing is left to do: it waits until the program writes or ")
            text.say(peer)
            text.say(" does.")
        }
    }

    private mutating func closing() {
        if connection.currentFailure != nil {
            if output() { return }
            text.say(" The alert that says why has been sent; it waits until ")
            text.say(peer)
            return text.say(" has taken it, and closes.")
        }
        if connection.connector != nil { return connecting() }
        if question() { return }
        let saidOutput = output()
        let saidInput = input()
        if saidOutput || saidInput { return }
        if connection.engine.hasClosed {
            text.say(" All that was written is sent, and our close_notify with it. It waits for ")
            text.say(peer)
            text.say(connection.engine.peerHasClosed ? "." : ", which has not closed yet.")
        } else {
            text.say(" It waits for ")
            text.say(peer)
            text.say(", which has to go on with the handshake before anything can be sent.")
        }
    }

    // MARK: The two directions

    /// Why what waits to be sent does not go. Returns whether anything waits.
    private mutating func output() -> Bool {
        if case .broken = connection.transport {
            text.say(" Nothing can be sent any more: the transport has failed. What ")
            text.say(peer)
            text.say(" still sends is read to its end.")
            return true
        }
        let engine = connection.engine.outgoing.count
        if engine > 0 { return ciphertext(engine) }
        let plain = connection.engine.deferredBytes
        guard plain > 0, connection.wasEstablished, !connection.engine.waitsForHandshake else { return false }
        text.append(plain, behind: " ")
        if connection.engine.corks > 0 {
            text.say(
                " bytes that were written are held back by tlsmem_cork: tlsmem_uncork or tlsmem_flush lets them go."
            )
        } else {
            text.say(
                connection.hasLoop
                    ? " bytes that were written are gathered, and go at the end of the loop's turn: does it run?"
                    : " bytes that were written are gathered, and go with the next driving call (tlsmem_flush).")
        }
        return true
    }

    private mutating func ciphertext(_ count: Int) -> Bool {
        guard let facts else {
            text.append(count, behind: " It waits for the program, which has to send the ")
            text.say(" bytes that it shows (tlsmem_outgoing_peek, tlsmem_outgoing_consume).")
            return true
        }
        if facts.isWritable {
            text.append(count, behind: " ")
            text.say(" bytes of ciphertext wait although the socket takes some: ")
            text.say(
                connection.hasLoop
                    ? "does the loop run?"
                    : "the program has not called tlsmem_on_writable. Does its loop watch what tlsmem_interest says?")
            return true
        }
        text.say(" It waits for ")
        text.say(peer)
        text.append(count, behind: ", which does not read: nothing more goes into our socket, and ")
        text.say(" bytes of ciphertext wait here.")
        return true
    }

    /// Why what has come is not received, or not read. Returns whether there is a reason.
    private mutating func input() -> Bool {
        let waiting = connection.waitingCount
        if connection.isPaused, connection.wasEstablished {
            text.say(" The program has paused it")
            since()
            text.say(" (tlsmem_pause): until tlsmem_resume nothing is delivered")
            if waiting > 0 { text.append(waiting, behind: "; ") }
            text.say(waiting > 0 ? " bytes of plaintext wait." : ".")
            return true
        }
        if connection.incomingIsFull, connection.particulars?.beyondTLS != nil, waiting == 0 {
            text.say(" Something came behind the close_notify: tlsmem_unwrap keeps it, tlsmem_close drops it.")
            return true
        }
        if connection.incomingIsFull, connection.particulars?.beyondTLS == nil {
            text.append(waiting, behind: " It waits for the program, which does not read: ")
            text.append(connection.limits.incomingMax, behind: " bytes of plaintext wait, incoming_max is ")
            text.append(
                connection.limits.incomingLow, behind: ", and nothing more is received before they have fallen to ")
            text.say(" (tlsmem_read).")
            return true
        }
        if waiting > 0 {
            text.append(waiting, behind: " It waits for the program, which has not read the ")
            text.say(" bytes of plaintext that are there (tlsmem_read).")
            return true
        }
        return unreceived()
    }

    /// The peer's bytes are in the socket, and nobody receives them.
    private mutating func unreceived() -> Bool {
        guard let unread = facts?.unread, unread > 0, connection.wantsInput else { return false }
        text.append(unread, behind: " It waits for the program: ")
        text.say(" bytes of the peer's are in the socket, ")
        text.say(
            connection.hasLoop
                ? connection.loop?.registry.isRunning ?? false
                    ? "and the loop comes to them in this turn, or the next."
                    : "and the loop has not turned since. Does it run?"
                : "and it has not called tlsmem_on_readable. Does its loop watch what tlsmem_interest says?")
        return true
    }
}
