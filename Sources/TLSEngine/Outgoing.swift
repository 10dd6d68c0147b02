internal import OpenSSLHandles

/// The stream that goes out of one connection: what of it is gone, and what waits.
package struct Outgoing: ~Copyable {
    private var backlog: Held<Backlog>?
    /// Bytes of ciphertext ever taken.
    package private(set) var taken: UInt64 = 0

    // MARK: Plaintext

    /// Bytes that OpenSSL could not take yet, or that are being gathered.
    package var deferredCount: Int { backlog?.use { $0.deferred.count } ?? 0 }

    /// Puts plaintext behind what is deferred already; false without memory.
    mutating func putOff(_ plaintext: borrowing RawSpan, _ pool: BufferPool) -> Bool {
        guard open(pool) else { return false }
        return addToDeferred(plaintext)
    }

    /// The same, where something is lent already; false where not.
    func addToDeferred(_ plaintext: borrowing RawSpan) -> Bool {
        backlog?.use { $0.deferred.append(plaintext) } ?? false
    }

    /// Bytes of plaintext that were taken from the program and never became ciphertext.
    var plaintextUnsent: UInt64 { (backlog?.use { $0.plaintextDropped } ?? 0) &+ UInt64(clamping: deferredCount) }

    // MARK: Early data

    /// So much of what a client defers, the first of it, is early data: it stays here until the server has said whether it takes
    /// it, and goes out again as ordinary data if not.
    var earlyCount: Int { backlog?.use { $0.earlyCount } ?? 0 }

    /// The application protocol that it was written for.
    var earlyProtocol: Int? { backlog?.use { $0.earlyProtocol } }

    mutating func putOffEarly(_ plaintext: borrowing RawSpan, for assumed: Int, _ pool: BufferPool) -> Bool {
        guard putOff(plaintext, pool) else { return false }
        backlog?.use {
            $0.earlyCount &+= plaintext.byteCount
            $0.earlyProtocol = assumed
        }
        return true
    }

    /// A server that answers with a HelloRetryRequest has no keys for early data, and passes over what it cannot read; but
    /// OpenSSL's takes no record then that is longer than plaintext may be (RFC 8446, 5.2 allows 256 bytes more).
    private static var earlyRecordBytesMax: Int { 16384 - 256 }

    /// Has a server that answers early data make a record of what was deferred, before the handshake is done.
    func writeDeferredEarly(_ most: Int, _ ssl: inout OwnedSSL) -> SSLResult? {
        backlog?.use { $0.writeDeferredEarly(most, &ssl, gone: gone) }
    }

    /// Has OpenSSL send all of it, behind the ClientHello.
    func writeEarly(_ ssl: inout OwnedSSL) -> SSLResult? {
        backlog?.use { backlog in
            backlog.deferred.withFirst(backlog.earlyCount) { bytes in
                var count = 0
                while count < bytes.byteCount {
                    let end = min(bytes.byteCount, count &+ Self.earlyRecordBytesMax)
                    let result = ssl.writeEarly(bytes.extracting(count..<end))
                    guard case .done(let taken) = result, taken > 0 else { return result }
                    count &+= taken
                }
                return .done(count)
            }
        }
    }

    /// The server has spoken.
    func endEarly(isSent: Bool) {
        backlog?.use { backlog in
            if isSent { backlog.deferred.consume(backlog.earlyCount) }
            backlog.earlyCount = 0
        }
    }

    // MARK: Ciphertext

    package var count: Int { backlog?.use { $0.count } ?? 0 }
    package var isEmpty: Bool { count == 0 }
    package var isIdle: Bool { backlog == nil }
    /// Bytes that were dropped because the transport took no more.
    package var dropped: UInt64 { backlog?.use { $0.dropped } ?? 0 }
    /// Bytes that wait no more.
    private var gone: UInt64 { taken &+ dropped }
    /// Bytes ever made.
    var made: UInt64 { gone &+ UInt64(clamping: count) }

    /// There is a slice, and room in it.
    var takesMore: Bool { backlog?.use { $0.takesMore } ?? false }

    /// Attaches a pair of BIOs; false when there is no memory for one.
    @inline(__always)
    mutating func attach(_ ssl: borrowing OwnedSSL, _ incoming: MemoryBIO, _ pool: BufferPool) -> Bool {
        guard open(pool) else { return false }
        return backlog?.use { $0.attach(ssl, incoming, pool) } ?? false
    }

    /// Has OpenSSL make a record of application data.
    func write(_ plaintext: borrowing RawSpan, _ ssl: inout OwnedSSL) -> SSLResult? {
        backlog?.use { $0.write(plaintext, &ssl, gone: gone) }
    }

    /// Has it make one of what was deferred, of so many bytes at most.
    func writeDeferred(_ most: Int, _ ssl: inout OwnedSSL) -> SSLResult? {
        backlog?.use { $0.writeDeferred(most, &ssl, gone: gone) }
    }

    /// OpenSSL may have written. Returns how many bytes it did.
    func countNew(_ ssl: borrowing OwnedSSL) -> Int {
        backlog?.use { backlog in
            let before = backlog.count
            backlog.count(what: ssl)
            return backlog.count &- before
        } ?? 0
    }

    /// Drops so many bytes that it has just written.
    func takeBack(_ count: Int) { backlog?.use { $0.takeBack(count) } }

    /// Shows what is to be sent first, in place; nil when nothing waits.
    package func withFirst<Result>(_ body: (borrowing RawSpan) -> Result) -> Result? {
        count == 0 ? nil : backlog?.use { $0.withFirst(body) }
    }

    /// Takes bytes from that, at most what is in it.
    mutating func consume(_ count: Int, _ pool: BufferPool) {
        let taken = backlog?.use { $0.consume(count, pool) } ?? 0
        self.taken &+= UInt64(clamping: taken)
    }

    // MARK: What the ciphertext is

    /// Application data waits.
    var holdsApplicationData: Bool { taken < (backlog?.use { $0.applicationEnd } ?? 0) }

    /// So many bytes that answer the peer were made. Returns how many of that kind may wait by now.
    func addControl(_ count: Int) -> Int {
        backlog?.use { backlog in
            if gone >= backlog.controlEnd { backlog.controlBytes = 0 }
            backlog.controlBytes &+= count
            backlog.controlEnd = made
            return backlog.controlBytes
        } ?? 0
    }

    // MARK: What is lent

    @inline(__always)
    private mutating func open(_ pool: BufferPool) -> Bool {
        if backlog == nil { backlog = pool.takeBacklog().map { Held($0) } }
        return backlog != nil
    }

    /// Gives back what is empty.
    @inline(__always)
    mutating func giveBackEmpty(_ pool: BufferPool) {
        let isIdle = backlog?.use { backlog in
            backlog.count == 0 && backlog.deferred.isEmpty && backlog.dropped | backlog.plaintextDropped == 0
        }
        guard isIdle == true, let backlog = backlog.take() else { return }
        pool.giveBack(backlog.counted())
    }

    /// Drops what waits, and gives everything back.
    mutating func discard(_ pool: BufferPool) {
        backlog?.use { backlog in
            backlog.dropped &+= UInt64(clamping: count)
            backlog.plaintextDropped = plaintextUnsent
            backlog.deferred.empty(keeping: 0)
            backlog.earlyCount = 0
            backlog.empty(pool)
        }
        giveBackEmpty(pool)
    }
}
