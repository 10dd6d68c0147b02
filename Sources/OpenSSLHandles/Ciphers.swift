internal import COpenSSL

/// A list of ciphers, taken apart: OpenSSL has TLS 1.3's, which it calls suites, in one place and the older ones in another.
private struct CipherList {
    private(set) var suites: [CChar] = []
    private(set) var older: [CChar] = []

    /// `trial` is a context on which names are tried.
    init(_ list: UnsafePointer<CChar>, _ trial: OpaquePointer) throws(SettingRefused) {
        for text in try unsafe terms(in: list) {
            let listed = ListedName(text)
            guard !listed.name.isEmpty else { throw SettingRefused(SettingRefused.emptyName) }
            if let operation = Operation(listed.name) {
                try unsafe add(operation, listed, trial)
            } else {
                try unsafe add(listed, trial)
            }
        }
        guard !suites.isEmpty || !older.isEmpty else { throw SettingRefused("OpenSSL knows no cipher of the list") }
        // What is no name of one cipher, HIGH for one, may stand for anonymous ones too.
        if !older.isEmpty { older += Cipher.protected }
    }

    private mutating func add(_ listed: ListedName, _ trial: OpaquePointer) throws(SettingRefused) {
        switch unsafe Cipher(listed.name, isFirst: older.isEmpty, trial) {
        case .suite:
            suites.append(name: listed.name)
        case .older(let name):
            older.append(name: name)
        case .unprotected:
            throw SettingRefused("it has no encryption, or does not prove who the peer is", name: listed.name)
        case .unknown(let cause):
            try listed.leaveOut(or: unknownCipher, cause)
        }
    }

    private mutating func add(
        _ operation: Operation, _ listed: ListedName, _ trial: OpaquePointer
    ) throws(SettingRefused) {
        if operation.isCommand {
            // OpenSSL passes over what is behind the digit.
            if operation.operand.starts(with: [CChar]("SECLEVEL=0")) {
                throw SettingRefused(SettingRefused.levelZero, name: listed.name)
            }
            return older.append(name: listed.name)
        }
        var parts: [CChar] = []
        for part in operation.operand.split(separator: plus, omittingEmptySubsequences: false).map({ Array($0) }) {
            if !parts.isEmpty { parts.append(plus) }
            switch unsafe Cipher(part, isFirst: false, trial) {
            case .suite:
                throw SettingRefused("suites of TLS 1.3 are not taken away, but left out", name: listed.name)
            case .older(let name), .unprotected(let name):
                parts += name
            case .unknown(let cause):
                guard isOfThePast(part) else { return try listed.leaveOut(or: unknownCipher, cause) }
                parts += part
            }
        }
        older.append(name: [operation.mark] + parts)
    }

    /// The versions that these ciphers are for.
    var versions: ClosedRange<CInt> {
        (older.isEmpty ? TLS1_3_VERSION : TLS1_2_VERSION)...(suites.isEmpty ? TLS1_2_VERSION : TLS1_3_VERSION)
    }

    func apply(to target: OpaquePointer) -> Bool {
        ERR_clear_error()
        if !suites.isEmpty, unsafe SSL_CTX_set_ciphersuites(target, suites + [0]) != 1 { return false }
        if older.isEmpty { return true }
        unsafe copenssl_ctx_end_suite_b(target)  // or OpenSSL goes on with the ciphers of that
        unsafe copenssl_ctx_set_dh_auto(target)  // for DHE: 2048 bits, or more where the certificate's key is stronger
        return unsafe SSL_CTX_set_cipher_list(target, older + [0]) == 1
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
