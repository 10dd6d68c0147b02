internal import COpenSSL

/// A list of ciphers, taken apart: OpenSSL has TLS 1.3's, which it calls suites, in one place and the older ones in another.
private struct CipherList {
    private(set) var suites: [CChar] = []
    private(set) var older: [CChar] = []

    /// `trial` is a context on which names are tried.
    init(_ list: UnsafePointer<CChar>, _ trial: OpaquePointer) throws(SettingRefused) {
        for text in unsafe names(in: list, separators: ":,; ") where !text.isEmpty {
            let listed = ListedName(text)
            switch unsafe Self.kind(of: listed.name, trial) {
            case .suite:
                suites.append(name: listed.name)
            case .older(let name):
                older.append(name: name)
            case .unprotected:
                throw SettingRefused("it has no encryption, or does not prove who the peer is", name: listed.name)
            case .unknown(let cause):
                try listed.leaveOut(or: "OpenSSL knows no cipher of this name", cause)
            }
        }
        guard !suites.isEmpty || !older.isEmpty else { throw SettingRefused("OpenSSL knows no cipher of the list") }
        // What is no name of one cipher, HIGH for one, may stand for anonymous ones too.
        if !older.isEmpty { older += Self.protected }
    }

    private static var protected: [CChar] { Array(":!aNULL:!eNULL".utf8CString.dropLast()) }

    private enum Kind {
        case suite
        /// With the name by which OpenSSL takes it.
        case older([CChar])
        case unprotected
        case unknown(OpenSSLError)
    }

    private static func kind(of name: [CChar], _ trial: OpaquePointer) -> Kind {
        // OpenSSL's operators: they take away, move, or set the level, and OpenSSL says what it does not understand.
        if let first = name.first, "!-+@".utf8.contains(UInt8(bitPattern: first)) { return .older(name) }
        ERR_clear_error()
        guard name.starts(with: "TLS_".utf8.map { CChar(bitPattern: $0) }) else { return unsafe olderKind(name, trial) }
        if let kind = unsafe suiteKind(name, trial) { return kind }
        // The name of an older one in the RFCs, which OpenSSL takes for it from 3.2 on.
        guard let known = unsafe OPENSSL_cipher_name(name + [0]) else { return .unknown(.drain()) }
        return unsafe olderKind(Array(UnsafeBufferPointer(start: known, count: strlen(known))), trial)
    }

    /// Nil for what is none. OpenSSL takes the RFCs' names of older ones for suites, and would offer them: those too that
    /// are not protected.
    private static func suiteKind(_ name: [CChar], _ trial: OpaquePointer) -> Kind? {
        defer { _ = unsafe SSL_CTX_set_ciphersuites(trial, "") }
        guard unsafe SSL_CTX_set_ciphersuites(trial, name + [0]) == 1,
            let cipher = unsafe copenssl_ciphers_at(SSL_CTX_get_ciphers(trial), 0),
            unsafe SSL_CIPHER_get_protocol_id(cipher) >> 8 == 0x13
        else { return nil }
        return unsafe SSL_CIPHER_get_cipher_nid(cipher) == NID_undef ? .unprotected : .suite
    }

    private static func olderKind(_ name: [CChar], _ trial: OpaquePointer) -> Kind {
        ERR_clear_error()
        if unsafe SSL_CTX_set_cipher_list(trial, name + protected + [0]) == 1 { return .older(name) }
        let cause = OpenSSLError.drain()
        if unsafe SSL_CTX_set_cipher_list(trial, name + [0]) == 1 { return .unprotected }
        ERR_clear_error()
        return .unknown(cause)
    }

    /// The versions that these ciphers are for.
    var versions: ClosedRange<CInt> {
        (older.isEmpty ? TLS1_3_VERSION : TLS1_2_VERSION)...(suites.isEmpty ? TLS1_2_VERSION : TLS1_3_VERSION)
    }

    func apply(to target: OpaquePointer) -> Bool {
        ERR_clear_error()
        if !suites.isEmpty, unsafe SSL_CTX_set_ciphersuites(target, suites + [0]) != 1 { return false }
        if !older.isEmpty, unsafe SSL_CTX_set_cipher_list(target, older + [0]) != 1 { return false }
        return true
    }
}

extension OwnedContext {
    /// Sets TLS 1.3 suites (TLS_...) and older ciphers from one list; a kind that is not named stays as it was.
    package func setCiphers(_ list: UnsafePointer<CChar>) throws(SettingRefused) {
        guard let trial = unsafe SSL_CTX_new(TLS_method()) else { throw SettingRefused("out of memory", .drain()) }
        defer { unsafe SSL_CTX_free(trial) }
        let ciphers = try unsafe CipherList(list, trial)
        guard ciphers.versions.overlaps(versions) else {
            throw SettingRefused("none of them is for a version that is spoken")
        }
        // Tried first, so that a list which is refused half-way changes nothing.
        guard unsafe ciphers.apply(to: trial), unsafe ciphers.apply(to: ctx) else {
            throw SettingRefused("OpenSSL does not take the list", .drain())
        }
        let before = versionsOfCiphers ?? ciphers.versions
        versionsOfCiphers =
            min(before.lowerBound, ciphers.versions.lowerBound)...max(before.upperBound, ciphers.versions.upperBound)
        _ = unsafe SSL_CTX_set_options(ctx, copenssl_op_server_preference())  // who gives an order means it
    }

    /// Leaves out, of the ciphers that OpenSSL or the system's configuration offers, those without forward secrecy.
    func leaveOutStaticRSA() throws(SettingRefused) {
        let all = unsafe SSL_CTX_get_ciphers(ctx)
        var kept: [CChar] = []
        for index in 0..<max(0, unsafe copenssl_ciphers_count(all)) {
            let cipher = unsafe copenssl_ciphers_at(all, index)
            guard unsafe SSL_CIPHER_get_protocol_id(cipher) >> 8 != 0x13,
                unsafe SSL_CIPHER_get_kx_nid(cipher) != NID_kx_rsa, let name = unsafe SSL_CIPHER_get_name(cipher)
            else { continue }
            kept.append(name: unsafe Array(UnsafeBufferPointer(start: name, count: strlen(name))))
        }
        guard !kept.isEmpty else { return }  // a system that has nothing older than TLS 1.3
        ERR_clear_error()
        guard unsafe SSL_CTX_set_cipher_list(ctx, kept + [0]) == 1 else {
            throw SettingRefused("OpenSSL does not take its own ciphers", .drain())
        }
    }
}
