internal import CTLSMem
internal import OpenSSLHandles
internal import TLSEngine

/// What a connection adds to the numbers of its context.
extension Connection {
    var metrics: Metrics { context.metrics }

    /// The handshake is done: how long it took is known now.
    func handshakeIsDone() {
        let began = phaseBegan
        countHandshake()
        guard case .going = course, began >= 0 else { return probeEstablished(-1) }
        phaseBegan = -1
        lastMoved = currentMilliseconds
        metrics.countHandshake(milliseconds: lastMoved &- began)
        probeEstablished(lastMoved &- began)
    }

    private func countHandshake() {
        let (isTLS13, isResumed) = engine.ask { ($0.isTLS13, $0.isResumed) }
        metrics.count(.handshake(isTLS13: isTLS13, isResumed: isResumed))
    }

    /// Bytes of ciphertext are on their way.
    @inline(__always)
    func consumeOutgoing(_ count: Int, _ pool: BufferPool) {
        let before = engine.outgoing.taken
        engine.consumeOutgoing(count, pool)
        countMebibytes(.sent, before, engine.outgoing.taken)
    }

    /// More bytes have gone by: they are counted as soon as a mebibyte is full.
    @inline(__always)
    func countMebibytes(_ counter: Metrics.Counter, _ before: UInt64, _ after: UInt64) {
        if before ^ after >= 1 << 20 { countFull(counter, (after >> 20 &- before >> 20) << 20) }
    }

    @inline(never)
    private func countFull(_ counter: Metrics.Counter, _ bytes: UInt64) { metrics.count(counter, bytes) }

    /// It has ended.
    func countEnd() {
        let status = failure?.status ?? TLSMEM_OK
        metrics.count(.ended(status))
        probeEnd(status)
    }

    /// It is gone: what was not counted by the mebibyte is counted now.
    func countRest() {
        let metrics = self.metrics
        metrics.count(.received, ciphertextReceived & 0xf_ffff)
        metrics.count(.sent, engine.outgoing.taken & 0xf_ffff)
        guard !isOver else { return }
        metrics.count(.freed)
        probeEnd(TLSMEM_EABORTED)
    }
}
