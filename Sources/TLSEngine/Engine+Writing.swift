package import OpenSSLHandles

/// Plaintext of one connection, counted.
package struct Tally {
    package var accepted: UInt64 = 0
    package var received: UInt64 = 0
}

/// Writing, closing, and new keys.
extension Engine {
    /// The most that a record adds to its plaintext (SSL3_RT_MAX_ENCRYPTED_OVERHEAD and the header, rounded up).
    private static var recordOverheadMax: Int { 352 }
    static var recordBytesMax: Int { 16384 }
    /// From so many bytes on a write is worth a record of its own: the copy would cost more than is gained.
    private static var gatheredBytesMax: Int { 4096 }

    /// OpenSSL may be given plaintext now. Not while a handshake is under way or due: OpenSSL would run it inside the
    /// write, where application data that the peer still sends is an error; inside a read it is not.
    private var canEncrypt: Bool {
        guard case .open = state, !ssl.isInHandshake else { return false }
        // A client's begins by itself, in a read or in a write. A server's need not: the client may not answer.
        return role == .server || !ssl.isRenegotiationPending
    }

    /// Bytes of plaintext that may still be taken without going past `outgoingMax`, records' own bytes included.
    var room: Int {
        let waiting = deferredBytes
        let deferredRecords = waiting == 0 ? 0 : waiting / Self.recordBytesMax + 1
        let used = outgoing.count &+ waiting &+ deferredRecords * Self.recordOverheadMax
        return max(0, limits.outgoingMax &- used &- Self.recordOverheadMax)
    }

    /// The client's answer to a HelloRequest would find us closed, and its handshake would never end. Who has closed itself
    /// does not answer any more.
    @inline(never)
    package var awaitsHello: Bool { ssl.isRenegotiationPending && state.reading == .open }

    package var deferredBytes: Int { outgoing.deferredCount }
    package var outgoingBytes: Int { outgoing.count &+ deferredBytes }
    package var acceptsPlaintext: Bool { acceptsWrites && room > 0 }

    /// Neither closed nor closing.
    package var acceptsWrites: Bool { state.writing == .open && failure == nil }

    /// Application data waits that the transport did not take.
    package var owesApplicationData: Bool { deferredBytes > 0 || outgoing.holdsApplicationData }

    /// Takes plaintext, at most about a slice of it, and returns how much: 0 when there is no room. What cannot be
    /// encrypted now is copied and waits, in order; so does what does not fill a record, with `gathering` or a cork.
    package mutating func write(
        _ plaintext: borrowing RawSpan, gathering: Bool, incoming: MemoryBIO, _ pool: BufferPool
    ) -> Int {
        guard acceptsWrites else { return 0 }
        let isGathering = gathering || corks > 0
        let sliceEnd = outgoing.made &+ UInt64(BufferPool.sliceBytesMax)
        var count = 0
        while count < plaintext.byteCount, canEncrypt {
            let rest = plaintext.byteCount &- count
            if isGathering ? deferredBytes >= Self.recordBytesMax : deferredBytes > 0 {
                guard outgoing.made < sliceEnd, encryptDeferred(incoming, pool) else { break }
            } else if isGathering, deferredBytes > 0 || rest < Self.gatheredBytesMax {
                let size = min(rest, Self.recordBytesMax &- deferredBytes)
                let taken = putOff(plaintext.extracting(count..<count &+ size), pool)
                guard taken > 0 else { break }
                count &+= taken
            } else {
                let size = min(rest, Self.recordBytesMax, room)
                guard size > 0, outgoing.made < sliceEnd else { break }
                let taken = encrypt(plaintext.extracting(count..<count &+ size), incoming, pool)
                guard taken > 0 else { break }
                count &+= taken
            }
        }
        if deferredBytes >= Self.recordBytesMax, canEncrypt { _ = encryptDeferred(incoming, pool) }
        if !canEncrypt {
            count &+= putOff(plaintext.extracting(count...), pool)
            while settleEarly(incoming, pool) {}
        }
        tally.accepted &+= UInt64(clamping: count)
        return count
    }

    /// What `write` does with a small write that is to be gathered and has room in the record that waits; false when it is
    /// another one, and then nothing was done.
    package mutating func gather(_ plaintext: borrowing RawSpan) -> Bool {
        let size = plaintext.byteCount
        guard size < Self.gatheredBytesMax, deferredBytes &+ size < Self.recordBytesMax, acceptsWrites, size <= room,
            outgoing.addToDeferred(plaintext)
        else { return false }
        tally.accepted &+= UInt64(clamping: size)
        return true
    }

    /// Copies plaintext into the queue of deferred writes.
    private mutating func putOff(_ plaintext: borrowing RawSpan, _ pool: BufferPool) -> Int {
        let size = min(plaintext.byteCount, room)
        guard size > 0, acceptsWrites else { return 0 }
        return outgoing.putOff(plaintext.extracting(..<size), pool) ? size : 0
    }

    /// Turns at most one record's worth of what was put off into ciphertext. Returns whether it did.
    private mutating func encryptDeferred(_ incoming: MemoryBIO, _ pool: BufferPool) -> Bool {
        guard mayEncrypt(incoming, pool) else { return false }
        let taken = taken(outgoing.writeDeferred(Self.recordBytesMax, &ssl))
        if deferredBytes == 0 { ignoresCorks = false }
        return taken > 0
    }

    /// Does what waits and has become possible: encrypts deferred writes, about a slice of them, then close_notify.
    /// Returns whether anything was done; call again until not. What corks hold back waits on, unless `all` is to go.
    package mutating func settle(incoming: MemoryBIO, _ pool: BufferPool, all: Bool = false) -> Bool {
        if deferredBytes > 0 {
            if state.isHandshaking { return settleEarly(incoming, pool) }
            let isHeld = corks > 0 && !ignoresCorks && !all && state.writing == .open
            let least = isHeld ? Self.recordBytesMax : 1
            // A key that has a life is looked at after each record.
            let sliceEnd = outgoing.made &+ UInt64(watchesKey ? 1 : BufferPool.sliceBytesMax)
            var isMoving = false
            while deferredBytes >= least, outgoing.made < sliceEnd, canEncrypt, encryptDeferred(incoming, pool) {
                isMoving = true
            }
            return isMoving
        }
        guard state.writing == .closing, canEncrypt, !awaitsHello, isAttached(incoming, pool) else { return false }
        switch ssl.sendCloseNotify() {
        case .failed(let cause): _ = fail(cause)
        case .done, .wantsCiphertext, .closeNotify, .asks: state.closeNotifySent()
        }
        _ = outgoing.countNew(ssl)
        return true
    }

    /// Turns at most one record's worth of plaintext into ciphertext; 0 when OpenSSL takes none now.
    private mutating func encrypt(_ plaintext: borrowing RawSpan, _ incoming: MemoryBIO, _ pool: BufferPool) -> Int {
        guard mayEncrypt(incoming, pool) else { return 0 }
        return taken(outgoing.write(plaintext, &ssl))
    }

    /// Whether there is memory for a record; tickets that are due go before it.
    private mutating func mayEncrypt(_ incoming: MemoryBIO, _ pool: BufferPool) -> Bool {
        guard isAttached(incoming, pool) else {
            _ = fail(EngineFailure(.outOfMemory))
            return false
        }
        if ticketsDue > 0 { scheduleTickets() }
        return true
    }

    mutating func taken(_ result: SSLResult?) -> Int {
        switch result {
        case .done(let count):
            return count
        case .wantsCiphertext, .closeNotify, .asks, nil:
            return 0
        case .failed(let cause):
            _ = fail(cause)
            return 0
        }
    }

    /// Holds small writes back until every cork is taken away, but not those that are there already. False when there are
    /// too many, or nothing can be written.
    package mutating func cork() -> Bool {
        guard acceptsWrites, corks < .max else { return false }
        if corks == 0 { letCorkedGo() }
        corks &+= 1
        return true
    }

    /// What is there does not wait for the corks: somebody has to hear when it is gone.
    package mutating func letCorkedGo() {
        ignoresCorks = deferredBytes > 0
    }

    /// Takes one cork away; false when there is none.
    package mutating func uncork() -> Bool {
        guard corks > 0 else { return false }
        corks &-= 1
        return true
    }

    /// Closes our direction once everything written is encrypted.
    package mutating func closeWriting() {
        state.closeRequested()
    }

    /// This is TLS 1.3, established, and not closed by us.
    package var canUpdateKey: Bool { canEncrypt && acceptsWrites && ssl.isTLS13 }

    /// Changes our key now; false when this is not the time.
    package mutating func updateKey(askPeer: Bool, incoming: MemoryBIO, _ pool: BufferPool) -> Bool {
        guard canUpdateKey, isAttached(incoming, pool), ssl.scheduleKeyUpdate(askPeer: askPeer)
        else { return false }
        if askPeer { keys.updateAnswersDue &+= 1 }
        if case .failed(let cause) = ssl.handshake() { _ = fail(cause) }
        _ = outgoing.countNew(ssl)
        rekeying?.keyHasChanged(records: ssl.observations.recordsOut, bytes: encryptedBytes)
        return true
    }

    /// So much was sent that it may be time for another key.
    @inline(__always)
    package var watchesKey: Bool { ssl.observations.recordsOut >= limits.keyLife.watchedRecords }

    /// Changes our key if it was used for long enough, and this is the time.
    package mutating func changeKeyIfDue(incoming: MemoryBIO, _ pool: BufferPool, now: () -> Int64) {
        guard canUpdateKey, room > 0 else { return }
        let records = ssl.observations.recordsOut
        guard keys.isDue(limits.keyLife, records: records, bytes: encryptedBytes, now: now) else { return }
        _ = updateKey(askPeer: false, incoming: incoming, pool)
    }

    /// Asks for a renegotiation (TLS 1.2), which the next step begins; false when this is not the time.
    package mutating func renegotiate() -> Bool {
        guard case .open(.open, _) = state, canEncrypt, acceptsWrites, !ssl.isTLS13, !ssl.isRenegotiationPending,
            !renegotiationIsDue, ssl.mayRenegotiate
        else { return false }
        renegotiationIsDue = true
        fed()  // the next step begins it
        return true
    }

    /// By either side. The next one is refused where one is enough.
    func renegotiationWasBegun() {
        if configuration.context.renegotiation == .once { ssl.refuseRenegotiation() }
    }

    /// One is due. Not while half a record is buffered: OpenSSL would put it off, and then begin inside a write.
    mutating func beginRenegotiation() {
        guard canEncrypt, !ssl.hasPartialRecord else { return }
        renegotiationIsDue = false
        if ssl.scheduleRenegotiation(), role == .server { keys.helloAnswersDue &+= 1 }
        renegotiationWasBegun()
    }
}
