package import OpenSSLHandles

/// Plaintext of one connection, counted.
package struct Tally {
    package var accepted: UInt64 = 0
    package var encrypted: UInt64 = 0
    package var received: UInt64 = 0
    /// Where in the stream of ciphertext the last byte of application data ends.
    var applicationEnd: UInt64 = 0
}

/// Writing, closing, and new keys.
extension Engine {
    /// The most that a record adds to its plaintext (SSL3_RT_MAX_ENCRYPTED_OVERHEAD and the header, rounded up).
    private static var recordOverheadMax: Int { 352 }
    private static var recordBytesMax: Int { 16384 }

    /// OpenSSL may be given plaintext now. Not while a handshake is under way or due: OpenSSL would run it inside the
    /// write, where application data that the peer still sends is an error; inside a read it is not.
    private var canEncrypt: Bool {
        guard case .open = state, !ssl.isInHandshake else { return false }
        // A client's begins by itself, in a read or in a write. A server's need not: the client may not answer.
        return role == .server || !ssl.isRenegotiationPending
    }

    /// Bytes of plaintext that may still be taken without going past `outgoingMax`, records' own bytes included.
    private var room: Int {
        let waiting = deferredBytes
        let deferredRecords = waiting == 0 ? 0 : waiting / Self.recordBytesMax + 1
        let used = outgoing.count + waiting + deferredRecords * Self.recordOverheadMax
        return max(0, limits.outgoingMax - used - Self.recordOverheadMax)
    }

    package var deferredBytes: Int { deferred?.count ?? 0 }
    package var outgoingBytes: Int { outgoing.count + deferredBytes }
    package var acceptsPlaintext: Bool { acceptsWrites && room > 0 }

    /// Neither closed nor closing.
    package var acceptsWrites: Bool { state.writing == .open && failure == nil }

    /// Application data waits that the transport did not take.
    package var owesApplicationData: Bool { deferredBytes > 0 || outgoing.taken < tally.applicationEnd }

    /// Takes plaintext, at most about a slice of it, and returns how much: 0 when there is no room. What cannot be
    /// encrypted now is copied and waits, in order.
    package mutating func write(_ plaintext: borrowing RawSpan, incoming: MemoryBIO, _ pool: BIOPool) -> Int {
        guard acceptsWrites else { return 0 }
        var count = 0
        if deferredBytes == 0 {
            let sliceEnd = outgoing.made &+ UInt64(BIOPool.sliceBytesMax)
            while canEncrypt, count < plaintext.byteCount, outgoing.made < sliceEnd {
                let size = min(plaintext.byteCount - count, Self.recordBytesMax, room)
                guard size > 0 else { break }
                let taken = encrypt(plaintext.extracting(count..<count + size), incoming, pool)
                guard taken > 0 else { break }
                count += taken
            }
        }
        if !canEncrypt || deferredBytes > 0 {
            count += putOff(plaintext.extracting(count...), pool)
        }
        tally.accepted &+= UInt64(clamping: count)
        return count
    }

    /// Copies plaintext into the queue of deferred writes.
    private mutating func putOff(_ plaintext: borrowing RawSpan, _ pool: BIOPool) -> Int {
        let size = min(plaintext.byteCount, room)
        guard size > 0, acceptsWrites, let queue = deferred ?? pool.take() else { return 0 }
        deferred = queue
        return queue.append(plaintext.extracting(..<size)) ? size : 0
    }

    /// Does what waits and has become possible: encrypts deferred writes, about a slice of them, then close_notify.
    /// Returns whether anything was done; call again until not.
    package mutating func settle(incoming: MemoryBIO, _ pool: BIOPool) -> Bool {
        guard canEncrypt else { return false }
        if let queue = deferred, !queue.isEmpty {
            let sliceEnd = outgoing.made &+ UInt64(BIOPool.sliceBytesMax)
            var isMoving = false
            while canEncrypt, !queue.isEmpty, outgoing.made < sliceEnd {
                let taken = encrypt(queue.bytes.extracting(..<min(queue.count, Self.recordBytesMax)), incoming, pool)
                guard taken > 0 else { break }
                queue.consume(taken)
                isMoving = true
            }
            return isMoving
        }
        // The client's answer to a HelloRequest would find us closed, and its handshake would never end.
        guard state.writing == .closing, !ssl.isRenegotiationPending, begin(incoming: incoming, pool) else {
            return false
        }
        switch ssl.sendCloseNotify() {
        case .failed(let cause): _ = fail(cause)
        case .done, .wantsCiphertext, .closeNotify: state.closeNotifySent()
        }
        return true
    }

    /// Turns at most one record's worth of plaintext into ciphertext; 0 when OpenSSL takes none now.
    private mutating func encrypt(_ plaintext: borrowing RawSpan, _ incoming: MemoryBIO, _ pool: BIOPool) -> Int {
        guard begin(incoming: incoming, pool) else {
            _ = fail(EngineFailure(.outOfMemory))
            return 0
        }
        if ticketsDue > 0 {
            ssl.scheduleTickets(ticketsDue)
            ticketsDue = 0
        }
        switch ssl.write(plaintext) {
        case .done(let count):
            tally.encrypted &+= UInt64(clamping: count)
            tally.applicationEnd = outgoing.made
            return count
        case .wantsCiphertext, .closeNotify:
            return 0
        case .failed(let cause):
            _ = fail(cause)
            return 0
        }
    }

    /// Closes our direction once everything written is encrypted.
    package mutating func closeWriting() {
        state.closeRequested()
    }

    /// This is TLS 1.3, established, and not closed by us.
    package var canUpdateKey: Bool { canEncrypt && acceptsWrites && ssl.isTLS13 }

    /// Changes our key now; false when this is not the time.
    package mutating func updateKey(askPeer: Bool, incoming: MemoryBIO, _ pool: BIOPool) -> Bool {
        guard canUpdateKey, begin(incoming: incoming, pool), ssl.scheduleKeyUpdate(askPeer: askPeer)
        else { return false }
        if askPeer { updateAnswersDue += 1 }
        if case .failed(let cause) = ssl.handshake() { _ = fail(cause) }
        return true
    }

    /// Asks for a renegotiation (TLS 1.2), which the next step begins; false when this is not the time.
    package mutating func renegotiate() -> Bool {
        guard case .open(.open, _) = state, canEncrypt, acceptsWrites, !ssl.isTLS13, !ssl.isRenegotiationPending,
            !renegotiationIsDue, configuration.context.allowsRenegotiation
        else { return false }
        renegotiationIsDue = true
        return true
    }

    /// Not while half a record is buffered: OpenSSL would put it off, and then begin inside a write.
    mutating func beginRenegotiation() {
        guard renegotiationIsDue, canEncrypt, !ssl.hasPartialRecord else { return }
        renegotiationIsDue = false
        if ssl.scheduleRenegotiation(), role == .server { helloAnswersDue += 1 }
    }
}
