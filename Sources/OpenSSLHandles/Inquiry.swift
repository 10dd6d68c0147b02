internal import COpenSSL

/// What OpenSSL wants to know in the middle of a handshake.
package enum Question {
    /// A ClientHello came: which context it gets, which protocol, or no connection.
    case clientHello
    /// The peer's certificate was verified: whether that is to be the last word.
    case verdict
}

/// Where one handshake stands while somebody thinks.
///
/// OpenSSL asks by callbacks, from inside of SSL_do_handshake, where no program may find its connection. So a handshake that
/// may be asked about runs as a job (ASYNC_start_job), with a stack of its own: the callback notes the question and pauses
/// the job, SSL_do_handshake returns, and is called again when the answer is there.
@safe final class Inquiry {
    private(set) var question: Question?
    /// The alert that ends the handshake instead; nil to go on.
    private var refusal: UInt8? = 80
    private var helloWasAnswered = false
    private(set) var isRefused = false
    /// The application protocol that was chosen for this connection, instead of by the list.
    var alpn: [UInt8] = []
    /// What the question about the verdict is about; there only while it is open.
    private(set) var verification: OpaquePointer?
    private var verdict: CInt = X509_V_ERR_UNSPECIFIED

    /// Puts the question, and returns when it is answered; nobody there to answer is a refusal.
    private func ask(_ question: Question) {
        (refusal, verdict) = (80, X509_V_ERR_UNSPECIFIED)
        self.question = question
        ERR_clear_error()  // what went wrong so far would be taken for the reason that the handshake stands still
        if unsafe ASYNC_get_current_job() != nil { _ = ASYNC_pause_job() }
        self.question = nil
    }

    /// Asks about a ClientHello. Returns the alert to refuse it with, or nil. What was said to the first holds for the second,
    /// which a client sends when it was asked for another key share (RFC 8446, 4.1.4); TLS 1.2 renegotiates instead.
    func askAboutHello(_ ssl: OpaquePointer) -> UInt8? {
        if helloWasAnswered, unsafe SSL_version(ssl) == TLS1_3_VERSION { return nil }
        alpn = []
        ask(.clientHello)
        helloWasAnswered = true
        return refusal
    }

    /// Asks about what became of a verification. Returns the last word.
    func askAboutVerdict(_ store: OpaquePointer) -> CInt {
        unsafe verification = store
        ask(.verdict)
        unsafe verification = nil
        return verdict
    }

    func answerHello(refusing alert: UInt8?, byProgram: Bool) {
        refusal = alert
        isRefused = byProgram
    }

    func answerVerdict(_ code: CInt) {
        verdict = code
    }

    /// Whatever the answer was.
    fileprivate func refuse() {
        (refusal, verdict) = (80, X509_V_ERR_UNSPECIFIED)
    }
}

// MARK: Whose it is

private nonisolated(unsafe) var slot: CInt = -1
private nonisolated(unsafe) var slotOnce: CRYPTO_ONCE = 0

/// The number is made once in the process.
private func inquirySlot() -> CInt {
    _ = unsafe CRYPTO_THREAD_run_once(&slotOnce) { unsafe slot = copenssl_ssl_index() }
    return unsafe slot
}

/// That of a connection which may be asked about.
func inquiry(of ssl: OpaquePointer?) -> Inquiry? {
    guard let found = unsafe SSL_get_ex_data(ssl, inquirySlot()) else { return nil }
    return unsafe Unmanaged<Inquiry>.fromOpaque(found).takeUnretainedValue()
}

/// Makes a connection one that may be asked about; false without memory.
func openInquiry(_ ssl: OpaquePointer) -> Bool {
    let fresh = unsafe Unmanaged.passRetained(Inquiry())
    guard unsafe SSL_set_ex_data(ssl, inquirySlot(), fresh.toOpaque()) == 1 else {
        unsafe fresh.release()
        return false
    }
    _ = unsafe copenssl_set_mode(ssl, Int(SSL_MODE_ASYNC))
    return true
}

/// Nothing more will be asked about it. An open question is refused: the job that waits has to end, or its stack would leak.
/// It has to end in the thread in which it began, because the stack that it returns to is that thread's.
func closeInquiry(_ ssl: OpaquePointer) {
    guard let inquiry = unsafe inquiry(of: ssl) else { return }
    if inquiry.question != nil {
        inquiry.refuse()
        unsafe SSL_set_bio(ssl, nil, nil)
        unsafe copenssl_set_msg_arg(ssl, nil)
        unsafe SSL_do_handshake(ssl)
        ERR_clear_error()
    }
    _ = unsafe copenssl_clear_mode(ssl, Int(SSL_MODE_ASYNC))
    _ = unsafe SSL_set_ex_data(ssl, inquirySlot(), nil)
    unsafe Unmanaged.passUnretained(inquiry).release()
}

// MARK: What is asked

extension OwnedContext {
    private func checkThatItCanAsk() throws(SettingRefused) {
        guard ASYNC_is_capable() == 1 else {
            throw SettingRefused("this OpenSSL cannot pause a handshake: it was built without asynchronous jobs")
        }
    }

    /// Has a server ask about each ClientHello, or not.
    package func askAboutHellos(_ asks: Bool) throws(SettingRefused) {
        try checkThatItCanAsk()
        asksAboutHellos = asks
        listenForHellos()
    }

    /// Has it ask about each verdict on a peer's certificate, or not.
    package func askAboutVerdicts(_ asks: Bool) throws(SettingRefused) {
        try checkThatItCanAsk()
        asksAboutVerdicts = asks
        applyVerification()
    }
}
