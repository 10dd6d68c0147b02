internal import OpenSSLHandles

/// What of one connection waits to go out. Lent by the pool, with the buffers that are in it: an idle connection has none.
///
/// The ciphertext is a queue of memory BIOs, into whose last OpenSSL writes. Slices, because OpenSSL moves what is left
/// to the front of a BIO whenever it writes to it after a partial take.
final class Backlog {
    /// Plaintext that OpenSSL could not take yet, or that is being gathered.
    let deferred = PlaintextQueue()
    /// Of that, from the front on, early data.
    var earlyCount = 0
    /// The application protocol that this was written for, by its place in the context's list; -1 for none.
    var earlyProtocol = -1
    /// The first slice. The others come only when it is full.
    private let own: MemoryBIO
    private var firstOther: Held<MemoryBIO>?
    private var lastOther: Held<MemoryBIO>?
    /// Bytes of ciphertext, and of them those in the last slice.
    private(set) var count = 0
    private var lastCount = 0
    /// Where in the stream of ciphertext the last byte of application data ends.
    var applicationEnd: UInt64 = 0
    /// Ciphertext that answers the peer, and where in the stream it ends.
    var controlBytes = 0
    var controlEnd: UInt64 = 0
    /// What was dropped because the transport took no more: it is told at the end.
    var dropped: UInt64 = 0
    var plaintextDropped: UInt64 = 0

    init(_ bio: MemoryBIO) {
        own = bio
    }

    // MARK: What OpenSSL writes

    var hasOthers: Bool { firstOther != nil }

    var takesMore: Bool { lastCount < BufferPool.sliceBytesMax }

    /// Attaches the last slice, or a fresh one when that is full; false when there is no memory for one.
    @inline(__always)
    func attach(_ ssl: borrowing OwnedSSL, _ incoming: MemoryBIO, _ pool: BufferPool) -> Bool {
        guard takesMore || takeAnother(pool) else { return false }
        if lastOther == nil {
            ssl.attach(incoming: incoming, outgoing: own)
        } else {
            lastOther?.use { ssl.attach(incoming: incoming, outgoing: $0) }
        }
        return true
    }

    private func takeAnother(_ pool: BufferPool) -> Bool {
        guard let fresh = pool.takeBIO() else { return false }
        if lastOther == nil { firstOther = Held(fresh) } else { lastOther?.use { $0.next = fresh } }
        lastOther = Held(fresh)
        lastCount = 0
        return true
    }

    /// Has OpenSSL make a record; so many bytes of the stream are gone.
    func write(_ plaintext: borrowing RawSpan, _ ssl: inout OwnedSSL, gone: UInt64) -> SSLResult {
        let result =
            lastOther?.use { ssl.write(plaintext, into: $0, holding: lastCount) }
            ?? ssl.write(plaintext, into: own, holding: lastCount)
        count(what: ssl)
        if case .done = result { applicationEnd = gone &+ UInt64(clamping: count) }
        return result
    }

    /// The same with what was deferred first, so many bytes at most.
    func writeDeferred(_ most: Int, _ ssl: inout OwnedSSL, gone: UInt64) -> SSLResult {
        let result = deferred.withFirst(most) { write($0, &ssl, gone: gone) }
        if case .done(let taken) = result { deferred.consume(taken) }
        return result
    }

    /// The same before the handshake is done.
    func writeDeferredEarly(_ most: Int, _ ssl: inout OwnedSSL, gone: UInt64) -> SSLResult {
        let result = deferred.withFirst(most) { ssl.writeEarly($0) }
        count(what: ssl)
        guard case .done(let taken) = result else { return result }
        applicationEnd = gone &+ UInt64(clamping: count)
        deferred.consume(taken)
        return result
    }

    /// OpenSSL may have written.
    func count(what ssl: borrowing OwnedSSL) {
        let now = ssl.outgoingCount
        count &+= now &- lastCount
        lastCount = now
    }

    /// Drops so many of the bytes that it has just written: they are the last ones of the last slice.
    func takeBack(_ size: Int) {
        let isDone = lastOther?.use { $0.drop(last: size) } ?? own.drop(last: size)
        guard isDone else { return }  // without memory they go out
        count &-= size
        lastCount &-= size
    }

    // MARK: What the transport takes

    /// Shows the first slice that has something in it; empty when none has.
    func withFirst<Result>(_ body: (borrowing RawSpan) -> Result) -> Result {
        if firstOther == nil { return own.withBytes(of: lastCount, body) }
        if own.isEmpty, let next = firstOther?.use({ body($0.bytes) }) { return next }
        return own.withBytes(of: own.count, body)
    }

    /// Takes bytes from that slice, at most what is in it, and returns how many.
    func consume(_ size: Int, _ pool: BufferPool) -> Int {
        if firstOther == nil {
            let taken = min(max(0, size), lastCount)
            own.consume(taken, of: lastCount)
            count &-= taken
            lastCount &-= taken
            return taken
        }
        return consumeFromMany(max(0, size), pool)
    }

    private func consumeFromMany(_ size: Int, _ pool: BufferPool) -> Int {
        let held = own.count
        var taken = min(size, held)
        own.consume(taken, of: held)
        if held == 0 { taken = consumeFromFirstOther(size, pool) }
        count &-= taken
        return taken
    }

    private func consumeFromFirstOther(_ size: Int, _ pool: BufferPool) -> Int {
        var isUsedUp = false
        let taken = firstOther?.use { slice in
            let held = slice.count
            let taken = min(size, held)
            slice.consume(taken, of: held)
            if slice.next == nil { lastCount &-= taken } else { isUsedUp = taken == held }
            return taken
        }
        if isUsedUp { dropFirstOther(pool) }
        return taken ?? 0
    }

    private func dropFirstOther(_ pool: BufferPool) {
        guard let slice = firstOther.take()?.counted() else { return }
        firstOther = slice.next.take().map { Held($0) }
        pool.giveBack(slice)
    }

    /// Drops all ciphertext, and keeps one slice.
    func empty(_ pool: BufferPool) {
        own.consume(count, of: firstOther == nil ? lastCount : own.count)
        lastOther = nil
        while firstOther != nil { dropFirstOther(pool) }
        (count, lastCount) = (0, 0)
    }

    /// Nothing waits: it is to be as new, with little memory.
    @inline(__always)
    func reset(keeping bytesMax: Int) {
        own.trim(keeping: bytesMax)
        deferred.empty(keeping: bytesMax)
        (applicationEnd, controlBytes, controlEnd) = (0, 0, 0)
    }
}
