internal import CTLSMem
internal import OpenSSLHandles
internal import TLSEngine

/// The end of TLS on a transport that goes on: both sides close, and what follows is the program's, in plain.
///
/// RFC 8446, 6.1 leaves it to the application what bytes behind a close_notify mean. So those that were received with it
/// are kept, and no more are received, until the program decides: by tlsmem_unwrap, or by tlsmem_close, which drops them.
extension Connection {
    var isUnwrapping: Bool { particulars?.isUnwrapping ?? false }

    /// Both have closed, and the transport was left to the program.
    var isUnwrapped: Bool { isUnwrapping && isOver && failure == nil }

    func unwrap() -> CInt {
        guard !isUnwrapping || isOver else { return TLSMEM_OK.code }
        guard case .going = course, currentFailure == nil else { return TLSMEM_ESTATE.code }
        _ = drive { connection, _ in
            connection.note { $0.isUnwrapping = true }
            connection.startClosing()
        }
        return TLSMEM_OK.code
    }

    /// Takes what is left of what was received behind the peer's close_notify.
    func takeUnwrapped(_ target: UnsafeMutableRawBufferPointer) -> Int {
        guard isUnwrapping else { return TLSMEM_ESTATE.count }
        guard isOver else { return TLSMEM_AGAIN.count }
        if let failure { return failure.status.count }
        guard let beyond = particulars?.beyondTLS else { return 0 }
        let count = min(beyond.count, target.count)
        beyond.withFirst(count) { unsafe $0.withUnsafeBytes { unsafe target.copyMemory(from: $0) } }
        beyond.consume(count)
        if beyond.isEmpty { note { $0.beyondTLS = nil } }
        return count
    }

    /// Keeps what came behind the peer's close_notify, unless nobody will want it.
    @inline(never)
    func keepBeyondTLS(_ bench: Bench) {
        let count = bench.incoming.count
        defer { bench.incoming.consume(count) }
        if case .closing = course, !isUnwrapping { return }
        let beyond = particulars?.beyondTLS ?? PlaintextQueue()
        guard bench.incoming.withBytes(of: count, { beyond.append($0) }) else { return end(Failure(.outOfMemory)) }
        note { $0.beyondTLS = beyond }
        incomingIsFull = true
    }

    /// The program does not want it.
    func dropBeyondTLS() {
        guard particulars?.beyondTLS != nil else { return }
        note { $0.beyondTLS = nil }
        noteIncoming()
    }
}
