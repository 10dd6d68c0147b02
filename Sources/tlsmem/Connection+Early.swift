internal import CTLSMem
internal import OpenSSLHandles
internal import TLSEngine

/// Early data. A server shows it only to a program that asks for it by name, by a callback or by tlsmem_read_early; for all
/// others it is kept until the handshake is done, and is then the first of the ordinary data: nobody takes for true, by
/// mistake, what may have been recorded.
///
/// So much of it is kept as the context allows, whatever incoming_max is: the end of the handshake comes behind it.
extension Connection {
    typealias Taker = @convention(c) (OpaquePointer?, UnsafeRawPointer?, Int, UnsafeMutableRawPointer?) -> Void

    // MARK: A server

    func showEarly(to taker: Taker?, _ user: UnsafeMutableRawPointer?) -> CInt {
        guard engine.role == .server, !wasEstablished, !isOver else { return TLSMEM_ESTATE.code }
        note { unsafe $0.earlyTaker = taker.map { unsafe ($0, user) } }
        attend()
        return TLSMEM_OK.code
    }

    /// Shows it, or keeps it behind what is kept.
    func deliverEarly(_ count: Int, _ bench: Bench) {
        let plaintext = unsafe UnsafeRawBufferPointer(rebasing: bench.plaintext[..<count])
        if !isPaused, particulars?.early == nil, let taker = unsafe particulars?.earlyTaker {
            engine.mayAnswerEarly()
            return unsafe taker.callback(handle, plaintext.baseAddress, count, taker.user)
        }
        let early = particulars?.early ?? PlaintextQueue()
        guard unsafe early.append(plaintext.bytes) else { return end(Failure(.outOfMemory)) }
        note { $0.early = early }
    }

    /// Shows the first of what was kept, a buffer's worth; false when nobody wants it now.
    func showKeptEarly(_ bench: Bench) -> Bool {
        guard !isPaused, let taker = unsafe particulars?.earlyTaker else { return false }
        let count = unsafe takeEarly(bench.plaintext)
        unsafe taker.callback(handle, bench.plaintext.baseAddress, count, taker.user)
        return true
    }

    /// Copies the first of what was kept to the program, which may answer from now on.
    private func takeEarly(_ target: UnsafeMutableRawBufferPointer) -> Int {
        guard let early = particulars?.early, target.count > 0 else { return 0 }
        let count = min(early.count, target.count)
        early.withFirst(count) { unsafe $0.withUnsafeBytes { unsafe target.copyMemory(from: $0) } }
        early.consume(count)
        if early.isEmpty { note { $0.early = nil } }
        engine.mayAnswerEarly()
        return count
    }

    /// The handshake is done: what is left is the first of the ordinary data.
    func endEarly() {
        guard let early = particulars?.early else {
            if unsafe particulars?.earlyTaker != nil { note { unsafe $0.earlyTaker = nil } }
            return
        }
        waiting = Held(early)
        note { unsafe ($0.early, $0.earlyTaker) = (nil, nil) }
        noteIncoming()
    }

    func readEarly(_ target: UnsafeMutableRawBufferPointer) -> Int {
        guard engine.role == .server, !wasEstablished else { return TLSMEM_ESTATE.count }
        if isOver { return endStatus.count }
        if let failure = currentFailure { return failure.status.count }
        guard particulars?.early != nil else { return TLSMEM_AGAIN.count }
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
