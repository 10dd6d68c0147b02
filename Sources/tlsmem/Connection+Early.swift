internal import CTLSMem
internal import OpenSSLHandles
internal import TLSEngine

/// Early data. A server shows it only to a program that asks for it by name, on_early_data or tlsmem_read_early; for all
/// others it is kept until the handshake is done, and is then the first of the ordinary data: nobody takes for true, by
/// mistake, what may have been recorded.
///
/// So much of it is kept as the context allows, whatever incoming_max is: the end of the handshake comes behind it.
extension Connection {
    // MARK: A server

    func deliverEarly(_ count: Int, _ bench: Bench) {
        let plaintext = unsafe UnsafeRawBufferPointer(rebasing: bench.plaintext[..<count])
        guard !isPaused, keptCount == 0, let onEarlyData = unsafe callbacks.on_early_data else {
            return unsafe keep(plaintext, bench)
        }
        engine.mayAnswerEarly()
        unsafe onEarlyData(handle, plaintext.baseAddress, count, user)
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
