internal import COpenSSL
internal import Fibers

/// Where one handshake stands while somebody thinks.
///
/// OpenSSL asks by callbacks, from inside of SSL_do_handshake, where no program may find its connection. So a handshake that
/// may be asked about runs on a stack of its own: the callback notes the question and has it stand still, and the call is gone
/// on with when the answer is there.
@safe final class Inquiry {
    private static let plaintextBytes = 16384
    /// So many keys, and so many sessions, are looked up for one handshake: a client may name hundreds in one ClientHello.
    private static let questionsMax = 8

    private var fiber: Fiber?
    private(set) var question: Question?
    private var answer = Answer.none
    private var helloWasAnswered = false
    /// The program has refused the peer.
    private(set) var isRefused = false
    /// The application protocol that was chosen for this connection, instead of by the list.
    var alpn: [UInt8] = []
    /// The key that the program has said, and how often it was asked for one.
    private var key: PresharedKey?
    private var keyQuestions = 0
    /// What the program has said of a session in this handshake, of which id, and how often it was asked for one.
    private var session: (id: [UInt8], answer: Answer)?
    private var sessionQuestions = 0
    private(set) var keyRequest = KeyRequest()
    /// The key for tickets that the program has said, and how often it was asked for one in this handshake.
    private var ticketKey: TicketKey?
    private var ticketKeyQuestions = 0
    /// What the question about a key for tickets is about.
    private(set) var ticketKeyName: [UInt8] = []
    /// What the question about a session is about.
    private(set) var sessionRequest: (id: [UInt8], isTLS13: Bool) = ([], false)
    /// What the question about the verdict is about; there only while it is open.
    private(set) var verification: OpaquePointer?
    /// What the question about a signature is about; there only while it is open.
    private(set) var request: SignatureRequest?
    /// Of the certificates that were chosen.
    private(set) var identityHolder: AnyObject?
    /// Where a read that stands still puts what it has read: whoever goes on with it has another buffer.
    private var plaintext: UnsafeMutableRawBufferPointer?

    deinit { dropPlaintext() }

    // MARK: Outside

    enum Outcome {
        case returned(CInt)
        case asks(Question)
        case outOfMemory
    }

    /// Makes a call into OpenSSL, or goes on with the one that stands still.
    func perform(_ call: @escaping () -> CInt) -> Outcome {
        guard let fiber = fiber ?? Fiber.make() else { return .outOfMemory }
        self.fiber = fiber
        let around = Self.running
        Self.running = self
        defer { Self.running = around }
        if let value = fiber.isUnderWay ? fiber.goOn() : fiber.begin(call) { return .returned(value) }
        guard let question else { return .outOfMemory }
        return .asks(question)
    }

    /// No call stands still.
    var isIdle: Bool { !(fiber?.isUnderWay ?? false) }

    /// A handshake is done. Another one asks anew.
    func end() {
        (key, keyQuestions) = (nil, 0)
        rest()
    }

    /// Gives the stack back, when no call stands on it.
    func rest() {
        guard isIdle else { return }
        fiber = nil
        (session, sessionQuestions) = (nil, 0)
        (ticketKey, ticketKeyQuestions) = (nil, 0)
        dropPlaintext()
    }

    /// A buffer that stays until the read has ended. Nil without memory.
    func readBuffer() -> UnsafeMutableRawBufferPointer? {
        if let plaintext = unsafe plaintext { return unsafe plaintext }
        guard let fresh = unsafe copenssl_malloc(Self.plaintextBytes) else { return nil }
        unsafe plaintext = UnsafeMutableRawBufferPointer(start: fresh, count: Self.plaintextBytes)
        return unsafe plaintext
    }

    private func dropPlaintext() {
        if let plaintext = unsafe plaintext {
            unsafe copenssl_clear_free(plaintext.baseAddress, plaintext.count)
            unsafe self.plaintext = nil
        }
    }

    func give(_ answer: Answer) { self.answer = answer }

    // MARK: On the stack

    /// Whose stack the calling thread is on: for what OpenSSL calls without saying for which connection.
    static var running: Inquiry? {
        get {
            guard hasRunningKey(), let found = unsafe CRYPTO_THREAD_get_local(&runningKey) else { return nil }
            return unsafe Unmanaged<Inquiry>.fromOpaque(found).takeUnretainedValue()
        }
        set {
            guard hasRunningKey() else { return }
            _ = unsafe CRYPTO_THREAD_set_local(
                &runningKey, newValue.map { unsafe Unmanaged.passUnretained($0).toOpaque() })
        }
    }

    /// Puts the question, and returns when it is answered.
    func ask(_ question: Question) -> Answer {
        // OpenSSL may be driven by somebody else, who would find nobody to answer, and no stack to stand still on.
        guard let fiber, fiber.isUnderWay else { return .none }
        answer = .none
        self.question = question
        ERR_clear_error()  // what went wrong so far would be taken for the reason that the handshake stands still
        fiber.pause()
        self.question = nil
        defer { self.answer = .none }
        return self.answer
    }

    /// Asks about a ClientHello. Returns the alert to refuse it with, or nil. What was said to the first holds for the second,
    /// which a client sends when it was asked for another key share (RFC 8446, 4.1.4); TLS 1.2 renegotiates instead.
    func askAboutHello(_ ssl: OpaquePointer) -> UInt8? {
        if helloWasAnswered, unsafe SSL_version(ssl) == TLS1_3_VERSION { return nil }
        alpn = []
        let answer = ask(.clientHello)
        helloWasAnswered = true
        if answer.status == 0 { return nil }
        isRefused = answer.isGiven
        return UInt8(exactly: answer.status) ?? UInt8(SSL_AD_INTERNAL_ERROR)
    }

    /// Asks a server's program for the key of this name. What it has said holds for a second ClientHello as well.
    func askForKey(named identity: UnsafeRawBufferPointer) -> PresharedKey? {
        if let key, unsafe key.identity.order(identity) == 0 { return key }
        guard unsafe KeyIdentity.isOne(identity), keyQuestions < Self.questionsMax else { return nil }
        keyQuestions += 1
        let name = unsafe identity.map { CChar(bitPattern: $0) }
        keyRequest = KeyRequest(identity: name + [0])
        key = PresharedKey.made(of: ask(.key), unsafe [UInt8](identity))
        return key
    }

    /// Asks a client's program for a key, and its name: once, and once more when TLS 1.2 brings a hint.
    func askForKey(hint: UnsafePointer<CChar>?, isLast: Bool) -> PresharedKey? {
        if key != nil || keyQuestions > (isLast ? 1 : 0) { return key }
        keyQuestions += 1
        let text = unsafe hint.map { unsafe Array(UnsafeBufferPointer(start: $0, count: strlen($0) &+ 1)) }
        keyRequest = KeyRequest(hint: text)
        let answer = ask(.key)
        key = PresharedKey.made(of: answer, answer.name)
        return key
    }

    /// Asks for the bytes of a session; none when it is not there, or others were not too often. What was said holds for a
    /// second ClientHello as well: whoever finds a session of TLS 1.3 takes it out.
    func askForSession(_ id: [UInt8], isTLS13: Bool) -> Answer {
        if let session, session.id == id { return session.answer }
        guard sessionQuestions < Self.questionsMax else { return .none }
        sessionQuestions += 1
        sessionRequest = (id, isTLS13)
        let answer = ask(.session)
        if isTLS13, answer.isGiven { session = (id, answer) }
        return answer
    }

    /// Asks for the key that a ticket was sealed with. What was said holds for a second ClientHello as well.
    func askForTicketKey(named name: [UInt8]) -> TicketKey? {
        if let ticketKey, ticketKey.name == name { return ticketKey }
        guard ticketKeyQuestions < Self.questionsMax else { return nil }
        ticketKeyQuestions += 1
        ticketKeyName = name
        ticketKey = TicketKey.made(of: ask(.ticketKey), name)
        return ticketKey
    }

    /// Asks about what became of a verification. Returns the last word.
    func askAboutVerdict(_ store: OpaquePointer) -> CInt {
        unsafe verification = store
        let answer = ask(.verdict)
        unsafe verification = nil
        return answer.isGiven ? answer.status : X509_V_ERR_UNSPECIFIED
    }

    /// Asks which certificate a client shows. Nil when it is to fail.
    func askAboutCertificate() -> Answer? {
        let answer = ask(.clientCertificate)
        identityHolder = answer.identityHolder
        if answer.isGiven, answer.status == 0 { return answer }
        isRefused = answer.isGiven
        return nil
    }

    /// Asks for a signature. Nil when nobody has signed.
    func askForSignature(_ request: SignatureRequest) -> Answer? {
        self.request = request
        let answer = ask(.sign)
        self.request = nil
        return answer.isGiven && answer.status == 0 ? answer : nil
    }
}

private nonisolated(unsafe) var runningKey: CRYPTO_THREAD_LOCAL = 0
private nonisolated(unsafe) var runningKeyIsMade = false
private nonisolated(unsafe) var runningKeyOnce: CRYPTO_ONCE = 0

/// False when the process has used all of its keys up: then nobody is found.
private func hasRunningKey() -> Bool {
    _ = unsafe CRYPTO_THREAD_run_once(&runningKeyOnce) {
        unsafe runningKeyIsMade = CRYPTO_THREAD_init_local(&runningKey, nil) == 1
    }
    return unsafe runningKeyIsMade
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
    return true
}

/// Nothing more will be asked about it. An open question is refused, so that the call which stands still comes to its end:
/// what it holds would leak.
func closeInquiry(_ ssl: OpaquePointer) {
    guard let inquiry = unsafe inquiry(of: ssl) else { return }
    if !inquiry.isIdle {
        unsafe SSL_set_bio(ssl, nil, nil)
        unsafe copenssl_set_msg_arg(ssl, nil)
        while !inquiry.isIdle {
            inquiry.give(.none)
            _ = inquiry.perform { -1 }
        }
        ERR_clear_error()
    }
    _ = unsafe SSL_set_ex_data(ssl, inquirySlot(), nil)
    unsafe Unmanaged.passUnretained(inquiry).release()
}

// MARK: What is asked

extension OwnedContext {
    /// Has a server ask about each ClientHello, or not.
    package func askAboutHellos(_ asks: Bool) {
        asksAboutHellos = asks
        listenForHellos()
    }

    /// Has a server ask for the response that it staples, or not.
    package func askForStaples(_ asks: Bool) { asksForStaples = asks }

    /// Has it ask for keys that it was not given, or not.
    package func askForKeys(_ asks: Bool) throws(SettingRefused) {
        if asks { try offerKeyCiphers() }
        asksForKeys = asks
        useKeys()
    }

    /// Has it ask about each verdict on a peer's certificate, or not.
    package func askAboutVerdicts(_ asks: Bool) {
        asksAboutVerdicts = asks
        applyVerification()
    }
}
