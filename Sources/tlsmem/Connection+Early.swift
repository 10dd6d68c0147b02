internal import CTLSMem
internal import OpenSSLHandles
internal import TLSEngine

/// What a server does with early data until its handshake is done.
@safe final class EarlyReading {
    typealias Taker = @convention(c) (OpaquePointer?, UnsafeRawPointer?, Int, UnsafeMutableRawPointer?) -> Void

    var taker: (callback: Taker, user: UnsafeMutableRawPointer?)?
    let kept = PlaintextQueue()
}

/// Early data. A server shows it only to a program that asks for it by name, by a callback or by tlsmem_read_early; for all
/// others it is kept until the handshake is done, and is then the first of the ordinary data: nobody takes for true, by
/// mistake, what may have been recorded.
///
/// So much of it is kept as the context allows, whatever incoming_max is: the end of the handshake comes behind it.
extension Connection {
    // MARK: A server

    /// There is one as soon as somebody is to be shown early data, or some has come.
    private var early: EarlyReading {
        if let early = particulars?.early { return early }
        let fresh = EarlyReading()
        note { $0.early = fresh }
        return fresh
    }

    func showEarly(to taker: EarlyReading.Taker?, _ user: UnsafeMutableRawPointer?) -> CInt {
        guard engine.role == .server, !wasEstablished, !isOver else { return TLSMEM_ESTATE.code }
        unsafe early.taker = taker.map { unsafe ($0, user) }
        attend()
        return TLSMEM_OK.code
    }

    /// Shows it, or keeps it behind what is kept.
    func deliverEarly(_ count: Int, _ bench: Bench) {
        let plaintext = unsafe UnsafeRawBufferPointer(rebasing: bench.plaintext[..<count])
        if !isPaused, early.kept.isEmpty, let taker = unsafe early.taker {
            engine.mayAnswerEarly()
            unsafe taker.callback(handle, plaintext.baseAddress, count, taker.user)
        } else if unsafe !early.kept.append(plaintext.bytes) {
            end(Failure(.outOfMemory))
        }
    }

    /// Shows the first of what was kept, a buffer's worth; false when there is none, or nobody wants it now.
    func showKeptEarly(_ bench: Bench) -> Bool {
        guard !isPaused, !early.kept.isEmpty, let taker = unsafe early.taker else { return false }
        let count = unsafe takeEarly(bench.plaintext)
        unsafe taker.callback(handle, bench.plaintext.baseAddress, count, taker.user)
        return true
    }

    /// Copies the first of what was kept to the program, which may answer from now on.
    private func takeEarly(_ target: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(early.kept.count, target.count)
        guard count > 0 else { return 0 }
        early.kept.withFirst(count) { unsafe $0.withUnsafeBytes { unsafe target.copyMemory(from: $0) } }
        early.kept.consume(count)
        engine.mayAnswerEarly()
        return count
    }

    /// The handshake is done: what is left is the first of the ordinary data.
    func endEarly() {
        guard let early = particulars?.early else { return }
        note { $0.early = nil }
        guard !early.kept.isEmpty else { return }
        waiting = Held(early.kept)
        noteIncoming()
    }

    func readEarly(_ target: UnsafeMutableRawBufferPointer) -> Int {
        guard engine.role == .server, !wasEstablished else { return TLSMEM_ESTATE.count }
        if isOver { return endStatus.count }
        if let failure = currentFailure { return failure.status.count }
        guard let kept = particulars?.early?.kept, !kept.isEmpty else { return TLSMEM_AGAIN.count }
        let count = unsafe takeEarly(target)
        attend()
        return count
    }

    // MARK: A client

    func writeEarly(_ plaintext: UnsafeRawBufferPointer) -> Int {
        if isOver { return endStatus.count }
        // What was written before would come behind it.
        guard case .going = course, engine.role == .client, engine.phase == .new, engine.acceptsWrites,
            engine.deferredBytes == engine.earlyBytes
        else { return TLSMEM_ESTATE.count }
        if let refusal = engine.refusalOfEarlyData { return refusal.status.count }
        guard plaintext.count > 0 else { return 0 }
        var taken = 0
        withBench { taken = unsafe engine.writeEarly(plaintext.bytes, $0.pool) }
        attend()
        return taken > 0 ? taken : TLSMEM_AGAIN.count
    }
}
