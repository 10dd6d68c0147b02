internal import COpenSSL

/// One TLS connection of OpenSSL's. It owns no BIO: a pair is lent to it for each drive.
///
/// Whoever steps it keeps its context, which OpenSSL's callbacks read.
@safe @frozen @usableFromInline package struct OwnedSSL: ~Copyable {
    let ssl: OpaquePointer
    package private(set) var observations: Observations
    /// A handshake may stand still for a question.
    private(set) var mayAsk: Bool {
        get { marks & 1 != 0 }
        set { marks = newValue ? marks | 1 : marks & ~1 }
    }
    /// It has failed without memory: OpenSSL 3.2 or newer may have no record layer then that it would look for.
    private var isBroken: Bool { marks & 2 != 0 }
    /// Both in a byte: an idle connection has no other to spare.
    private var marks: UInt8 = 0

    package init(_ context: OwnedContext) throws(OpenSSLError) {
        ERR_clear_error()
        guard let ssl = unsafe SSL_new(context.ctx) else { throw .drain() }
        unsafe observe(ssl)
        switch context.role {
        case .client: unsafe SSL_set_connect_state(ssl)
        case .server: unsafe SSL_set_accept_state(ssl)
        }
        // Since OpenSSL 3.2 they make record layers, without a word when there is no memory for one.
        guard ERR_peek_error() == 0, unsafe !context.asks || openInquiry(ssl) else {
            unsafe SSL_free(ssl)
            throw .drain()
        }
        unsafe self.ssl = ssl
        observations = Observations()
        marks = context.asks ? 1 : 0
    }

    @inlinable deinit {
        release()
    }

    @usableFromInline borrowing func release() {
        if mayAsk { unsafe closeInquiry(ssl) }
        unsafe SSL_free(ssl)
    }

    /// Something comes that may be asked about. False without memory.
    package mutating func startAsking(as context: OwnedContext) -> Bool {
        if !mayAsk, context.asks { mayAsk = unsafe openInquiry(ssl) }
        return mayAsk || !context.asks
    }

    /// No handshake will come any more that could be asked about.
    package mutating func stopAsking() {
        guard mayAsk else { return }
        mayAsk = false
        unsafe closeInquiry(ssl)
    }

    /// What asked for new keys since the last time.
    package mutating func takeUpdates() -> Updates {
        observations.takeUpdates()
    }

    /// Whether any message of a handshake has gone by since the last time.
    package mutating func takeHandshake() -> Bool {
        observations.takeHandshake()
    }

    package var native: UnsafeMutableRawPointer { unsafe UnsafeMutableRawPointer(ssl) }

    // MARK: The lent pair

    /// Attaches a pair of BIOs for the drive that begins; does nothing when it is attached already.
    package borrowing func attach(incoming: MemoryBIO, outgoing: MemoryBIO) {
        if unsafe SSL_get_rbio(ssl) != incoming.bio {
            guard hasRecordLayers else { return }
            _ = unsafe BIO_up_ref(incoming.bio)
            unsafe SSL_set0_rbio(ssl, incoming.bio)  // the reference just made moves into ssl
        }
        if unsafe SSL_get_wbio(ssl) != outgoing.bio {
            _ = unsafe BIO_up_ref(outgoing.bio)
            unsafe SSL_set0_wbio(ssl, outgoing.bio)  // likewise
        }
    }

    /// Gives the pair back. Needed only while a handshake is unfinished: OpenSSL then chains a buffer of its own to
    /// the outgoing BIO and writes the chain's links into it, which would race once a pool lends it to others.
    package borrowing func detach() {
        if hasRecordLayers { unsafe SSL_set_bio(ssl, nil, nil) }
    }

    /// False when OpenSSL 3.2 or newer has begun the handshake without memory for them: it has failed then, and would
    /// crash if it were given a BIO.
    private var hasRecordLayers: Bool {
        unsafe !isBroken && SSL_rstate_string(ssl)?.pointee != CChar(UInt8(ascii: "u"))
    }

    /// It has failed without memory, and is given no other BIO any more, nor asked to let this one go.
    package mutating func ranOutOfMemory() {
        if OpenSSL_version_num() >= 0x3020_0000 { marks |= 2 }
    }

    /// Bytes in the outgoing BIO that is attached.
    package var outgoingCount: Int { unsafe BIO_ctrl_pending(SSL_get_wbio(ssl)) }

    // MARK: One step each

    /// Makes a call that may send or receive, and notes what OpenSSL says of it.
    mutating func observed(_ call: (OpaquePointer) -> CInt) -> SSLResult {
        let ssl = unsafe self.ssl
        return unsafe withUnsafeMutablePointer(to: &observations) { seen in
            unsafe listen(ssl, seen)
            return unsafe result(ssl, call)
        }
    }

    /// The same for one that may stand still for a question.
    mutating func observed(
        _ inquiry: Inquiry, _ call: @escaping (OpaquePointer) -> CInt
    ) -> SSLResult {
        let ssl = unsafe self.ssl
        return unsafe withUnsafeMutablePointer(to: &observations) { seen in
            unsafe listen(ssl, seen)
            return unsafe result(ssl, inquiry, call)
        }
    }

    package mutating func handshake() -> SSLResult {
        if mayAsk, let inquiry = unsafe inquiry(of: ssl) {
            let result = unsafe observed(inquiry) { unsafe SSL_do_handshake($0) }
            if case .done = result { inquiry.end() }
            return result
        }
        return unsafe observed { unsafe SSL_do_handshake($0) }
    }

    @inline(__always)
    package mutating func read(into plaintext: inout MutableRawSpan) -> SSLResult {
        if mayAsk { return readAsking(into: &plaintext) }
        return unsafe plaintext.withUnsafeMutableBytes { target in
            unsafe observed { unsafe SSL_read($0, target.baseAddress, CInt(clamping: target.count)) }
        }
    }

    /// One that may stand still in a renegotiation reads into a buffer that stays.
    @inline(never)
    private mutating func readAsking(into plaintext: inout MutableRawSpan) -> SSLResult {
        guard let inquiry = unsafe inquiry(of: ssl), let buffer = unsafe inquiry.readBuffer() else {
            return .failed(.outOfMemory)
        }
        let room = min(buffer.count, plaintext.byteCount)
        let result = unsafe observed(inquiry) { unsafe SSL_read($0, buffer.baseAddress, CInt(clamping: room)) }
        guard case .done(let count) = result else {
            inquiry.rest()
            return result
        }
        unsafe plaintext.withUnsafeMutableBytes { target in
            unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[..<min(count, target.count)]))
        }
        return result
    }

    /// What TLS 1.3 adds to the plaintext of a record, and about what TLS 1.2 does: header, content type and tag.
    private static var recordBytesAdded: Int { 22 }

    /// Encrypts at most one record, into the BIO that is attached, which holds so many bytes. An empty write is not OpenSSL's business: SSL_write
    /// with 0 is an error.
    package mutating func write(
        _ plaintext: borrowing RawSpan, into outgoing: MemoryBIO, holding held: Int
    ) -> SSLResult {
        unsafe plaintext.withUnsafeBytes { source in
            outgoing.expecting(source.count &+ Self.recordBytesAdded, behind: held) {
                unsafe observed { unsafe SSL_write($0, source.baseAddress, CInt(clamping: source.count)) }
            }
        }
    }

    /// Sends close_notify. Called once: a second call would read, and drop data of the peer that is in flight.
    package mutating func sendCloseNotify() -> SSLResult {
        unsafe observed { ssl in
            let value = unsafe SSL_shutdown(ssl)
            return value == 0 ? 1 : value  // 0: sent, the peer's own is still to come
        }
    }

    /// Schedules a KeyUpdate; the next handshake step sends it.
    package borrowing func scheduleKeyUpdate(askPeer: Bool) -> Bool {
        ERR_clear_error()
        let kind = askPeer ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED
        defer { ERR_clear_error() }
        return unsafe SSL_key_update(ssl, kind) == 1
    }

    /// Schedules session tickets (TLS 1.3, server); the next write sends them first.
    package borrowing func scheduleTickets(_ count: Int) {
        guard unsafe canSealTickets(ssl) else { return }
        for _ in 0..<max(0, count) where unsafe SSL_new_session_ticket(ssl) != 1 { break }
        ERR_clear_error()
    }

    /// Gives OpenSSL's record buffers back; false when something is in them. They come again by themselves.
    package borrowing func releaseBuffers() -> Bool {
        unsafe SSL_free_buffers(ssl) == 1
    }

    /// A handshake is under way: the first one, a renegotiation, or a post-handshake message half done.
    package var isInHandshake: Bool { unsafe SSL_in_init(ssl) == 1 }

    /// Bytes that were taken from the incoming BIO wait inside OpenSSL: a record, whole or half.
    package var hasPartialRecord: Bool { unsafe SSL_has_pending(ssl) == 1 }

    /// The handshake has come as far as a cipher.
    package var hasChosenCipher: Bool {
        unsafe SSL_get_pending_cipher(ssl) != nil || SSL_get_current_cipher(ssl) != nil
    }
}
