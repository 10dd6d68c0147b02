internal import COpenSSL

package enum Role {
    case client, server
}

/// A setting that was not taken: what was refused, and why. The context is as it was.
package struct SettingRefused: Error {
    package let sentence: StaticString
    package let cause: OpenSSLError
    /// The file that it is about, where that is not plain from the setter; with a zero behind it.
    package let subject: [CChar]?

    init(_ sentence: StaticString, _ cause: OpenSSLError = .none) {
        self.sentence = sentence
        self.cause = cause
        subject = nil
    }

    init(_ sentence: StaticString, _ cause: OpenSSLError = .none, about path: UnsafePointer<CChar>?) {
        self.sentence = sentence
        self.cause = cause
        subject = unsafe path.map { unsafe Array(UnsafeBufferPointer(start: $0, count: strlen($0) + 1)) }
    }
}

/// An SSL_CTX: what many connections have in common. Its settings are in the extensions, by subject.
@safe @usableFromInline package final class OwnedContext {
    let ctx: OpaquePointer
    package let role: Role
    package internal(set) var identity: Identity
    /// Asks the program for the password of what is encrypted.
    var askPassword: PasswordQuestion?
    package internal(set) var trustsSomebody = false
    package internal(set) var verifies: Bool
    package internal(set) var ticketCount = 2
    package internal(set) var allowsRenegotiation = false
    var versions = TLS1_2_VERSION...TLS1_3_VERSION
    /// The fd that secrets are appended to, -1 for none.
    var keylog: CInt = -1
    /// The protocols we speak, in the form of the wire; allocated because OpenSSL keeps a pointer into it.
    var alpn = unsafe UnsafeMutableBufferPointer<UInt8>(start: nil, count: 0)

    package convenience init(_ role: Role) throws(OpenSSLError) {
        ERR_clear_error()
        // The host process decides what happens at its exit, not a library that it may have loaded as a plugin.
        OPENSSL_init_ssl(UInt64(OPENSSL_INIT_NO_ATEXIT), nil)
        guard let ctx = unsafe SSL_CTX_new(role == .client ? TLS_client_method() : TLS_server_method()) else {
            throw .drain()
        }
        unsafe self.init(ctx, role)
    }

    private init(_ ctx: OpaquePointer, _ role: Role) {
        unsafe self.ctx = ctx
        self.role = role
        identity = Identity()
        verifies = role == .client
        applyDefaults()
    }

    deinit {
        unsafe SSL_CTX_free(ctx)
        unsafe alpn.deallocate()
        if keylog >= 0 { close(keylog) }
    }

    package var native: UnsafeMutableRawPointer { unsafe UnsafeMutableRawPointer(ctx) }

    private func applyDefaults() {
        unsafe SSL_CTX_set_verify(ctx, verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, noteVerifyDepth)
        _ = unsafe copenssl_ctx_set_min(ctx, TLS1_2_VERSION)
        // One record a write and any address on a repeat: what is not taken stays ours.
        let modes = SSL_MODE_AUTO_RETRY | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
        _ = unsafe copenssl_ctx_set_mode(ctx, Int(modes))
        setKeepsBuffers(false)
        _ = unsafe SSL_CTX_set_options(ctx, copenssl_op_no_renegotiation() | copenssl_op_server_preference())
        // Tickets go out with the first application write instead (Engine): a client that writes and closes without
        // reading them would otherwise lose its data to a reset (openssl#10880).
        _ = unsafe SSL_CTX_set_num_tickets(ctx, 0)
        let name: StaticString = "tlsmem"  // resumption with client certificates is refused without a name
        _ = unsafe SSL_CTX_set_session_id_context(ctx, name.utf8Start, UInt32(name.utf8CodeUnitCount))
    }
}

/// Versions, algorithms and what is negotiated.
extension OwnedContext {
    package func setMinimumVersion(_ version: CInt) throws(SettingRefused) {
        guard version <= versions.upperBound, unsafe copenssl_ctx_set_min(ctx, version) == 1 else {
            throw SettingRefused("the oldest version would be newer than the newest", .drain())
        }
        versions = version...versions.upperBound
    }

    package func setMaximumVersion(_ version: CInt) throws(SettingRefused) {
        guard version >= versions.lowerBound, unsafe copenssl_ctx_set_max(ctx, version) == 1 else {
            throw SettingRefused("the newest version would be older than the oldest", .drain())
        }
        versions = versions.lowerBound...version
    }

    package func speaks(_ version: CInt) -> Bool { versions.contains(version) }

    package func setGroups(_ list: UnsafePointer<CChar>) throws(SettingRefused) {
        ERR_clear_error()
        guard unsafe copenssl_ctx_set_groups(ctx, list) == 1 else {
            throw SettingRefused("the list of groups names one that OpenSSL does not know", .drain())
        }
    }

    /// Sets TLS 1.3 suites (TLS_...) and older ciphers from one list; a kind that is not named stays as it was.
    package func setCiphers(_ list: UnsafePointer<CChar>) throws(SettingRefused) {
        var (suites, older): ([CChar], [CChar]) = ([], [])
        for name in unsafe names(in: list, separator: UInt8(ascii: ":")) {
            let isSuite = name.starts(with: "TLS_".utf8.map { CChar(bitPattern: $0) })
            if isSuite {
                suites += suites.isEmpty ? name : [CChar(bitPattern: UInt8(ascii: ":"))] + name
            } else {
                older += older.isEmpty ? name : [CChar(bitPattern: UInt8(ascii: ":"))] + name
            }
        }
        guard !suites.isEmpty || !older.isEmpty else { throw SettingRefused("the list of ciphers is empty") }
        // Tried on a context of its own first, so that a list which is refused half-way changes nothing.
        guard let trial = unsafe SSL_CTX_new(TLS_method()) else { throw SettingRefused("out of memory", .drain()) }
        defer { unsafe SSL_CTX_free(trial) }
        guard unsafe apply(suites: suites, older: older, to: trial), unsafe apply(suites: suites, older: older, to: ctx)
        else { throw SettingRefused("no cipher of the list is known to OpenSSL", .drain()) }
    }

    private func apply(suites: [CChar], older: [CChar], to target: OpaquePointer) -> Bool {
        ERR_clear_error()
        if !suites.isEmpty, unsafe SSL_CTX_set_ciphersuites(target, suites + [0]) != 1 { return false }
        if !older.isEmpty, unsafe SSL_CTX_set_cipher_list(target, older + [0]) != 1 { return false }
        return true
    }

    /// Sets the application protocols from "h2,http/1.1"; "" for none.
    package func setALPN(_ list: UnsafePointer<CChar>) throws(SettingRefused) {
        var wire: [UInt8] = []
        if unsafe list.pointee != 0 {
            for name in unsafe names(in: list, separator: UInt8(ascii: ",")) {
                guard let length = UInt8(exactly: name.count), length > 0 else {
                    throw SettingRefused("an application protocol's name has 1 to 255 bytes")
                }
                wire.append(length)
                wire += name.map { UInt8(bitPattern: $0) }
            }
        }
        guard wire.count <= Int(UInt16.max) else { throw SettingRefused("the list of protocols is too long") }
        if role == .client {
            let refused = unsafe SSL_CTX_set_alpn_protos(ctx, wire, UInt32(wire.count))
            guard refused == 0 else { throw SettingRefused("OpenSSL did not take the list of protocols", .drain()) }
            return
        }
        unsafe alpn.deallocate()
        unsafe alpn = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: wire.count)
        _ = unsafe alpn.initialize(from: wire)
        unsafe SSL_CTX_set_alpn_select_cb(
            ctx, wire.isEmpty ? nil : selectALPN, Unmanaged.passUnretained(self).toOpaque())
    }

    package func setTickets(_ count: Int) {
        ticketCount = count
    }

    package func setRenegotiation(_ isAllowed: Bool) {
        allowsRenegotiation = isAllowed
        if isAllowed {
            _ = unsafe SSL_CTX_clear_options(ctx, copenssl_op_no_renegotiation())
            _ = unsafe SSL_CTX_set_options(ctx, copenssl_op_client_renegotiation())
        } else {
            _ = unsafe SSL_CTX_clear_options(ctx, copenssl_op_client_renegotiation())
            _ = unsafe SSL_CTX_set_options(ctx, copenssl_op_no_renegotiation())
        }
    }

    package func setCertificateListMax(_ bytes: Int) {
        unsafe copenssl_ctx_set_max_cert_list(ctx, bytes)
    }

    /// Whether OpenSSL keeps the buffers of a connection until they are asked back, or gives them back after each record.
    package func setKeepsBuffers(_ keeps: Bool) {
        let mode = Int(SSL_MODE_RELEASE_BUFFERS)
        _ = unsafe keeps ? copenssl_ctx_clear_mode(ctx, mode) : copenssl_ctx_set_mode(ctx, mode)
    }

    package func setKeylog(_ path: UnsafePointer<CChar>) throws(SettingRefused) {
        let file = unsafe copenssl_open_append(path)
        guard file >= 0 else { throw SettingRefused("the keylog file cannot be opened for appending") }
        guard unsafe OpenSSLHandles.setKeylog(ctx, file) else {
            close(file)
            throw SettingRefused("out of memory", .drain())
        }
        if keylog >= 0 { close(keylog) }
        keylog = file
    }
}

/// The server's preference decides; nothing in common is an alert (RFC 7301, 3.2), not a silent "no protocol".
private let selectALPN:
    @convention(c) (
        OpaquePointer?, UnsafeMutablePointer<UnsafePointer<UInt8>?>?, UnsafeMutablePointer<UInt8>?,
        UnsafePointer<UInt8>?, UInt32, UnsafeMutableRawPointer?
    ) -> CInt = { _, chosen, chosenLength, offered, offeredLength, context in
        guard let context = unsafe context, let chosen = unsafe chosen else { return SSL_TLSEXT_ERR_ALERT_FATAL }
        let ours = unsafe Unmanaged<OwnedContext>.fromOpaque(context).takeUnretainedValue().alpn
        var match: UnsafeMutablePointer<UInt8>?
        let outcome = unsafe SSL_select_next_proto(
            &match, chosenLength, ours.baseAddress, UInt32(ours.count), offered, offeredLength)
        guard outcome == OPENSSL_NPN_NEGOTIATED else { return SSL_TLSEXT_ERR_ALERT_FATAL }
        unsafe chosen.pointee = UnsafePointer(match)
        return SSL_TLSEXT_ERR_OK
    }

/// The parts of a C string between separators, empty ones too.
private func names(in list: UnsafePointer<CChar>, separator: UInt8) -> [[CChar]] {
    let text = unsafe UnsafeBufferPointer(start: list, count: strlen(list))
    return unsafe text.split(separator: CChar(bitPattern: separator), omittingEmptySubsequences: false)
        .map { unsafe Array($0) }
}
