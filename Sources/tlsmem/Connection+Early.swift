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

    func deliverEarly(_ count: Int, _ bench: Bench) {
        let plaintext = unsafe UnsafeRawBufferPointer(rebasing: bench.plaintext[..<count])
        guard !isPaused, keptCount == 0, let taker = unsafe particulars?.earlyTaker else {
            return unsafe keep(plaintext, bench)
        }
        engine.mayAnswerEarly()
        unsafe taker.callback(handle, plaintext.baseAddress, count, taker.user)
    }

    /// Who is to have plaintext that was kept.
    var takerOfKept: (callback: Taker, user: UnsafeMutableRawPointer?)? {
        guard wasEstablished else { return unsafe particulars?.earlyTaker }
        return unsafe callbacks.on_data.map { unsafe ($0, user) }
    }

    /// The handshake is done: what is left is data like any other.
    func endEarly() {
        if unsafe particulars?.earlyTaker != nil { note { unsafe $0.earlyTaker = nil } }
        if keptCount > 0 { noteIncoming() }
    }

    func readEarly(_ target: UnsafeMutableRawBufferPointer) -> Int {
        guard engine.role == .server, !wasEstablished else { return TLSMEM_ESTATE.count }
        if isOver { return endStatus.count }
        if let failure = currentFailure { return failure.status.count }
        let count = min(keptCount, target.count)
        guard keptCount > 0 else { return TLSMEM_AGAIN.count }
        waiting?.use { queue in
            queue.withFirst(count) { unsafe $0.withUnsafeBytes { unsafe target.copyMemory(from: $0) } }
            queue.consume(count)
        }
        engine.mayAnswerEarly()
        if !isDriving { Benches.withCurrent { giveBackWaiting($0.pool) } }
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
