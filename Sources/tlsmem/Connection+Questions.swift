internal import CTLSMem
internal import OpenSSLHandles
internal import TLSEngine

/// Questions of a handshake, put to the program while it stands still.
extension Connection {
    /// Has the program answer, now or later.
    func put(_ question: Question, _ bench: Bench) {
        let decision = Decision.open(self)
        self.decision = decision
        let status =
            switch question {
            case .clientHello: askAboutHello(decision.token)
            case .verdict: askAboutVerdict(decision.token)
            case .staple: askForStaple(decision.token)
            case .key: askForKey(decision.token)
            case .session: askForSession(decision.token)
            case .ticketKey: askForTicketKey(decision.token)
            case .sign: askForSignature(decision.token)
            case .clientCertificate: askAboutCertificate(decision.token)
            }
        guard !isOver, !isFreed else { return }
        if status != TLSMEM_LATER.code {
            unsafe _ = Decision.answer(decision.token, of: handle, Reply(status: status))
        } else if !decision.isAnswered {
            decision.isPutOff = true
            keepUnread(bench)
            decision.serve(loop)
        }
    }

    /// Gives the answer to the handshake; false when there is none yet.
    func applyAnswer(_ bench: Bench) -> Bool {
        guard let reply = decision?.take(), let question = engine.ask({ $0.question }) else { return false }
        engine.give(answer(question, reply))
        decision = nil
        return takeUpUnread(bench)
    }

    /// What a reply means.
    private func answer(_ question: Question, _ reply: Reply) -> Answer {
        switch question {
        case .clientHello: Answer(refusal(reply))
        case .verdict: Answer(lastWord(reply))
        case .staple, .key, .session, .ticketKey, .sign: bytes(reply)
        case .clientCertificate: identity(reply)
        }
    }

    // MARK: What came behind it

    /// What the handshake has not looked at waits with the connection, and no more is received.
    private func keepUnread(_ bench: Bench) {
        let count = bench.incoming.count
        incomingIsFull = true
        guard count > 0 else { return }
        let unread = PlaintextQueue()
        guard bench.incoming.withBytes(of: count, { unread.append($0) }) else { return end(Failure(.outOfMemory)) }
        bench.incoming.consume(count)
        note { $0.unread = unread }
    }

    private func takeUpUnread(_ bench: Bench) -> Bool {
        noteIncoming()
        engine.fed()
        guard let unread = particulars?.unread else { return true }
        defer { note { $0.unread = nil } }
        if bench.incoming.append(unread.bytes) { return true }
        end(Failure(.outOfMemory))
        return false
    }

    // MARK: A ClientHello

    /// Those that OpenSSL sends as they are, in every version (RFC 8446, 6.2).
    private static var alerts: [UInt8] {
        [40, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 70, 71, 80, 112, 115, 120]
    }

    private func askAboutHello(_ token: UInt64) -> CInt {
        guard let asked = unsafe context.onClientHello else { return TLSMEM_OK.code }
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
        unsafe hello.token = token
        return unsafe (name ?? []).withUnsafeBufferPointer { name in
            unsafe hello.server_name = name.count > 0 ? name.baseAddress : nil
            return unsafe asked.callback(handle, &hello, asked.user)
        }
    }

    /// The alert to refuse it with, or 0.
    private func refusal(_ reply: Reply) -> CInt {
        guard reply.status == TLSMEM_OK.code else {
            return Self.alerts.contains { $0 == reply.status } ? reply.status : 80
        }
        if let other = reply.context, change(to: other.current) != TLSMEM_OK.code { return 80 }
        guard let alpn = reply.alpn else { return 0 }
        return unsafe engine.selectALPN(alpn.span.bytes) ? 0 : 120
    }

    // MARK: A verdict

    private func askAboutVerdict(_ token: UInt64) -> CInt {
        let (result, depth) = engine.ask { $0.verdict }
        guard let asked = unsafe context.onVerify else { return TLSMEM_OK.code }
        var verdict = tlsmem_verdict()
        verdict.size = MemoryLayout<tlsmem_verdict>.size
        (verdict.result, verdict.depth) = (result, depth)
        verdict.token = token
        let status = unsafe asked.callback(handle, &verdict, asked.user)
        guard status == TLSMEM_OK.code, verdict.insecure_accept == 1 else { return status }
        var reply = Reply(status: status)
        reply.accepts = true
        unsafe _ = Decision.answer(token, of: handle, reply)
        return status
    }

    private func lastWord(_ reply: Reply) -> CInt {
        let (result, _) = engine.ask { $0.verdict }
        if reply.status == TLSMEM_OK.code { return CInt(clamping: reply.accepts ? VerifyResult.good : result) }
        return reply.status > 0 ? reply.status : CInt(clamping: VerifyResult.rejected)
    }

    // MARK: A session

    private func askForSession(_ token: UInt64) -> CInt {
        guard let find = unsafe context.listeners.sessions?.on_find else { return TLSMEM_OK.code }
        let (id, isTLS13) = engine.ask { $0.sessionRequest }
        return unsafe id.withUnsafeBytes { id in
            var entry = unsafe tlsmem_session_entry(id, isTLS13: isTLS13)
            unsafe entry.token = token
            return unsafe find(handle, &entry, context.listeners.sessionsUser)
        }
    }

    // MARK: Meanwhile

    /// A ClientHello is asked about.
    private var isAskedAboutHello: Bool { if case .clientHello = engine.ask({ $0.question }) { true } else { false } }

    func change(to other: Context) -> CInt {
        guard isAskedAboutHello else { return TLSMEM_ESTATE.code }
        guard other.openSSL.role == .server else { return TLSMEM_EINVAL.code }
        if let refusal = engine.refusal(of: other) { return refusal.kind.status.code }
        let before = context
        let isTold = before.collects || other.collects
        guard other.freeze(), engine.change(to: other) else { return TLSMEM_ENOMEM.code }
        before.leave()
        other.enter()
        return (!isTold || listen(by: other.listeners) ? TLSMEM_OK : TLSMEM_ENOMEM).code
    }

    func selectALPN(_ name: borrowing RawSpan) -> CInt {
        guard isAskedAboutHello else { return TLSMEM_ESTATE.code }
        return (engine.selectALPN(name) ? TLSMEM_OK : TLSMEM_EALPN).code
    }
}

extension Question? {
    var kind: tlsmem_question {
        switch self {
        case nil: TLSMEM_QUESTION_NONE
        case .clientHello: TLSMEM_QUESTION_CLIENT_HELLO
        case .verdict: TLSMEM_QUESTION_VERIFY
        case .staple: TLSMEM_QUESTION_OCSP
        case .key: TLSMEM_QUESTION_PSK
        case .session: TLSMEM_QUESTION_SESSION
        case .ticketKey: TLSMEM_QUESTION_TICKET_KEY
        case .sign: TLSMEM_QUESTION_SIGN
        case .clientCertificate: TLSMEM_QUESTION_CLIENT_CERT
        }
    }
}
