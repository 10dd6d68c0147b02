internal import CTLSMem
internal import OpenSSLHandles
internal import TLSEngine

/// Who is told when the client has answered.
@safe final class ToldRequest: PendingRequest {
    typealias Callback = @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> Void

    let callback: Callback?
    let user: UnsafeMutableRawPointer?

    init(_ callback: Callback?, _ user: UnsafeMutableRawPointer?) {
        unsafe (self.callback, self.user) = unsafe (callback, user)
        super.init()
    }
}

/// A client's certificate in the middle of a connection.
extension Connection {
    func request(_ request: ToldRequest) -> CInt {
        guard !isOver, !engine.awaitsCertificate, engine.canUpdateKey else { return TLSMEM_ESTATE.code }
        guard engine.acceptsPlaintext else { return TLSMEM_AGAIN.code }
        var isSent = false
        withBench { bench in
            isSent = engine.request(request, incoming: bench.incoming, bench.pool)
            sendSoon(bench)
        }
        guard isSent else { return TLSMEM_ESTATE.code }
        beginPhase()
        noteWaits()
        attend()
        return TLSMEM_OK.code
    }

    /// It has answered, and what it has shown is good.
    func deliverAuthentication() {
        guard let request = engine.takeRequest() else { return }
        if case .going = course { phaseBegan = -1 }
        let told = unsafe unsafeDowncast(request, to: ToldRequest.self)
        unsafe told.callback?(handle, told.user)
    }

    /// One of the chain by which the peer was found to be good.
    func verifiedPeer(at index: Int) -> PeerCertificate? {
        engine.isAuthenticating ? nil : engine.ask { $0.verifiedCertificate(at: index) }
    }
}
