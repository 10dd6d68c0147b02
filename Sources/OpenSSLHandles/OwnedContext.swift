internal import COpenSSL

package enum Role {
    case client, server
}

/// A setting that was not taken: what was refused, and why. The context is as it was.
package struct SettingRefused: Error {
    package let sentence: StaticString
    package let cause: OpenSSLError
    /// What it is about, where that is not plain from the setter: the file, or the one of a list. With a zero behind it.
    package let subject: [CChar]?
    /// The argument makes no sense by itself, whatever the context and OpenSSL are like.
    package let isArgument: Bool

    init(_ sentence: StaticString, _ cause: OpenSSLError = .none, name: [CChar]? = nil) {
        self.sentence = sentence
        self.cause = cause
        subject = name.map { $0 + [0] }
        isArgument = false
    }

    /// A number that is out of range; the sentence says what it is of, and the range.
    package init(argument number: CInt, _ sentence: StaticString) {
        self.init(argument: [CChar](decimal: Int(number)), sentence)
    }

    /// An argument, or a field of one, by its name in the header.
    package init(argument name: StaticString, _ sentence: StaticString) {
        self.init(argument: [CChar](name), sentence)
    }

    private init(argument: [CChar], _ sentence: StaticString) {
        self.sentence = sentence
        cause = .none
        subject = argument + [0]
        isArgument = true
    }

    init(_ sentence: StaticString, _ cause: OpenSSLError = .none, about path: UnsafePointer<CChar>?) {
        self.sentence = sentence
        self.cause = cause
        subject = unsafe path.map { unsafe Array(UnsafeBufferPointer(start: $0, count: strlen($0) &+ 1)) }
        isArgument = false
    }

    /// Empties the queue, in which the reason is not always, or is something that followed from it.
    static func outOfMemory(about path: UnsafePointer<CChar>? = nil) -> SettingRefused {
        ERR_clear_error()
        return unsafe SettingRefused("out of memory", .outOfMemory, about: path)
    }
}

/// An SSL_CTX: what many connections have in common. Its settings are in the extensions, by subject.
@safe @usableFromInline package final class OwnedContext {
    let ctx: OpaquePointer
    package let role: Role
    package internal(set) var identity: Identity
    /// Asks the program for the password of what is encrypted.
    var askPassword: PasswordQuestion?
    var trust: Trust
    package internal(set) var ticketCount = 2
    package internal(set) var ticketMode = TicketMode.withWrite
    /// Keys of the program's own that seal tickets.
    var ticketKeys: TicketKeyRing?
    /// The program keeps the sessions of a server, and is asked for them.
    var keepsSessionsElsewhere = false
    package internal(set) var renegotiation = Renegotiation.never
    /// A client lets itself be asked for its certificate after the handshake.
    package internal(set) var authenticatesLater = false
    /// So much early data a server takes of each connection.
    package internal(set) var earlyDataMax = 0
    /// Its handshakes stand still for these questions.
    var asksAboutHellos = false
    var asksAboutVerdicts = false
    var asksForStaples = false
    var asksForKeys = false
    var asksForTicketKeys = false
    var presharedKeys = PresharedKeys()
    /// It has keys in common with peers, or may be told them. Then nobody needs a certificate.
    package internal(set) var usesKeys = false
    /// A server has somebody to be, or asks which context it is to go on with.
    package var mayServe: Bool { !isNobody || asksAboutHellos }
    /// A server that has nobody to be, and no key by which somebody would know it.
    package var isNobody: Bool { role == .server && !identity.isComplete && !usesKeys }
    var asksAboutCertificates = false
    /// Who holds a key that is not here is asked for signatures.
    package internal(set) var asksForSignatures = false
    var asks: Bool {
        asksAboutHellos || asksAboutVerdicts || asksForStaples || asksForKeys || asksForTicketKeys
            || keepsSessionsElsewhere || asksAboutCertificates || identity.needsSigner
    }
    private(set) var keepsBuffers = false
    /// The groups that were set, for a connection that changes to this context; OpenSSL does not tell them.
    var groups: [CChar] = []
    /// As they were set; empty for OpenSSL's.
    var signatureAlgorithms: [UInt8] = []
    package internal(set) var versions = TLS1_2_VERSION...TLS1_3_VERSION
    /// The versions that the ciphers are for which the program has named; nil when it has named none.
    var versionsOfCiphers: ClosedRange<CInt>?
    /// The level that is usual, or was set; a list of ciphers may have another.
    var securityLevel: CInt = 2
    /// The fd that secrets are appended to, -1 for none.
    var keylog: CInt = -1
    /// The protocols we speak, in the form of the wire; allocated because OpenSSL keeps a pointer into it.
    var alpn = unsafe UnsafeMutableBufferPointer<UInt8>(start: nil, count: 0)
    var alpnPolicy = ALPNPolicy.strict
    /// A server's certificate needs a word of its authority's that it is good still.
    package internal(set) var requiresStaple = false

    package convenience init(_ role: Role) throws(OpenSSLError) {
        ERR_clear_error()
        // The host process decides what happens at its exit, not a library that it may have loaded as a plugin.
        OPENSSL_init_ssl(UInt64(OPENSSL_INIT_NO_ATEXIT), nil)
        guard let ctx = unsafe SSL_CTX_new(role == .client ? TLS_client_method() : TLS_server_method()) else {
            throw .drain()
        }
        try unsafe self.init(ctx, role)
    }

    private init(_ ctx: OpaquePointer, _ role: Role) throws(OpenSSLError) {
        unsafe self.ctx = ctx
        self.role = role
        identity = Identity()
        trust = Trust(role)
        guard unsafe setOwner(of: ctx, self) else { throw .drain() }
        applyDefaults()
        do {
            try role == .server ? set(.intermediate) : leaveOutStaticRSA()
        } catch {
            throw error.cause
        }
    }

    deinit {
        _ = unsafe setOwner(of: ctx, nil)  // who has it from `native` may keep it
        forgetTicketKeys()
        giveUpVerification()
        unsafe SSL_CTX_free(ctx)
        unsafe copenssl_clear_free(alpn.baseAddress, 0)
        if keylog >= 0 { close(keylog) }
    }

    static var sessionName: StaticString { "tlsmem" }

    package var native: UnsafeMutableRawPointer { unsafe UnsafeMutableRawPointer(ctx) }

    private func applyDefaults() {
        applyVerificationDefaults()
        _ = unsafe copenssl_ctx_set_min(ctx, TLS1_2_VERSION)
        // One record a write and any address on a repeat: what is not taken stays ours.
        let modes = SSL_MODE_AUTO_RETRY | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
        _ = unsafe copenssl_ctx_set_mode(ctx, Int(modes))
        setKeepsBuffers(false)
        // A configuration file may say otherwise: peers without RFC 5746, keys without forward secrecy, compression.
        _ = unsafe SSL_CTX_clear_options(ctx, copenssl_ops_weak())
        _ = unsafe SSL_CTX_set_options(ctx, copenssl_op_no_renegotiation() | copenssl_op_no_compression())
        // Tickets go out with the first application write instead (Engine): a client that writes and closes without
        // reading them would otherwise lose its data to a reset (openssl#10880).
        _ = unsafe SSL_CTX_set_num_tickets(ctx, 0)
        // A client's sessions belong to no context; a server's are bound to its trust (bindSessions).
        let name = Self.sessionName
        _ = unsafe SSL_CTX_set_session_id_context(ctx, name.utf8Start, UInt32(name.utf8CodeUnitCount))
        guard role == .server else { return }
        stapleWhenAsked()
        unsafe copenssl_ctx_set_servername_callback(ctx, acknowledge)
        unsafe SSL_CTX_set_alpn_select_cb(ctx, chooseALPN, Unmanaged.passUnretained(self).toOpaque())
    }
}

/// What has no page of its own.
extension OwnedContext {
    /// OpenSSL leaves the keys that it encrypts a server's tickets with in memory that it gives back. Others take their place,
    /// the kernel's: at the end of the process OpenSSL may have no random numbers any more.
    private func forgetTicketKeys() {
        guard role == .server else { return }
        let count = max(0, unsafe copenssl_set_ticket_keys(ctx, nil, 0))
        unsafe withUnsafeTemporaryAllocation(byteCount: count, alignment: 1) { keys in
            let start = keys.baseAddress
            guard unsafe getrandom(start, count, 0) == count else { return }
            _ = unsafe copenssl_set_ticket_keys(ctx, start, count)
        }
        ERR_clear_error()
    }

    package func setCertificateListMax(_ bytes: Int) {
        unsafe copenssl_ctx_set_max_cert_list(ctx, bytes)
    }

    /// Whether OpenSSL keeps the buffers of a connection until they are asked back, or gives them back after each record.
    package func setKeepsBuffers(_ keeps: Bool) {
        keepsBuffers = keeps
        let mode = Int(SSL_MODE_RELEASE_BUFFERS)
        _ = unsafe keeps ? copenssl_ctx_clear_mode(ctx, mode) : copenssl_ctx_set_mode(ctx, mode)
    }

    package func setKeylog(_ path: UnsafePointer<CChar>) throws(SettingRefused) {
        let file = unsafe copenssl_open_append(path)
        guard file >= 0 else {
            throw SettingRefused("the keylog file cannot be opened for appending", .system(copenssl_errno()))
        }
        var status = stat()
        guard unsafe fstat(file, &status) == 0, unsafe copenssl_takes_lines(&status) == 1 else {
            close(file)
            throw SettingRefused("it is no regular file")
        }
        copenssl_set_blocking(file)
        if keylog >= 0 { close(keylog) }
        unsafe watchSecrets(ctx)
        keylog = file
    }
}
