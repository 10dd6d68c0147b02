internal import CTLSMem
internal import OpenSSLHandles
internal import TLSEngine

/// Questions of a handshake, put to the program while it stands still. The next step has the answer.
extension Connection {
    /// Its context, also after it changed.
    private var context: Context { unsafe unsafeDowncast(engine.configuration, to: Context.self) }

    /// Has the program answer. The next step goes on with that, before anything else happens: the handshake stands still on a
    /// stack that is this thread's.
    func put(_ question: Question) {
        switch question {
        case .clientHello: engine.answerHello(refusing: askAboutHello())
        case .verdict: engine.answerVerdict(askAboutVerdict())
        }
    }

    /// Those that OpenSSL sends as they are, in every version (RFC 8446, 6.2).
    private static var alerts: [UInt8] {
        [40, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 70, 71, 80, 112, 115, 120]
    }

    /// Returns the alert to refuse it with, or nil.
    private func askAboutHello() -> UInt8? {
        guard let asked = unsafe context.onClientHello else { return nil }
        var hello = unsafe tlsmem_client_hello()
        unsafe hello.size = unsafe MemoryLayout<tlsmem_client_hello>.size
        unsafe hello.version = engine.ask { $0.helloVersion }
        let name = engine.ask { $0.helloServerName }
        let alpn = unsafe engine.ask { unsafe $0.helloALPN }
        unsafe hello.alpn = alpn?.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe hello.alpn_bytes = alpn?.count ?? 0
        let ciphers = unsafe engine.ask { unsafe $0.helloCiphers }
        unsafe hello.cipher_suites = ciphers?.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe hello.cipher_suites_bytes = ciphers?.count ?? 0
        let answer = unsafe (name ?? []).withUnsafeBufferPointer { name in
            unsafe hello.server_name = name.count > 0 ? name.baseAddress : nil
            return unsafe asked.callback(handle, &hello, asked.user)
        }
        if answer == TLSMEM_OK.code { return nil }
        return Self.alerts.first { $0 == answer } ?? 80
    }

    /// Returns the last word.
    private func askAboutVerdict() -> Int {
        let (result, depth) = engine.ask { $0.verdict }
        guard let asked = unsafe context.onVerify else { return result }
        var verdict = tlsmem_verdict()
        verdict.size = MemoryLayout<tlsmem_verdict>.size
        (verdict.result, verdict.depth) = (result, depth)
        let answer = unsafe asked.callback(handle, &verdict, asked.user)
        if answer == TLSMEM_OK.code { return verdict.insecure_accept == 1 ? VerifyResult.good : result }
        return answer > 0 ? Int(answer) : VerifyResult.rejected
    }

    /// A ClientHello is asked about.
    private var isAskedAboutHello: Bool { if case .clientHello = engine.ask({ $0.question }) { true } else { false } }

    func change(to other: Context) -> CInt {
        guard isAskedAboutHello else { return TLSMEM_ESTATE.code }
        guard other.openSSL.role == .server else { return TLSMEM_EINVAL.code }
        if let refusal = engine.refusal(of: other) { return refusal.kind.status.code }
        let isTold = context.collects || other.collects
        guard other.freeze(), engine.change(to: other), !isTold || listen(by: other.listeners)
        else { return TLSMEM_ENOMEM.code }
        return TLSMEM_OK.code
    }

    func selectALPN(_ name: borrowing RawSpan) -> CInt {
        guard isAskedAboutHello else { return TLSMEM_ESTATE.code }
        return (engine.selectALPN(name) ? TLSMEM_OK : TLSMEM_EALPN).code
    }
}
