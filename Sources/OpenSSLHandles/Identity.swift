internal import COpenSSL

/// Who we are.
@safe package struct Identity {
    /// Certificate and key as they are set one by one. Each may come first; together they are one of `pairs`.
    var certificates: Certificates?
    var key: PrivateKey?
    /// For clients that ask for no name, or for one without pairs of its own.
    var pairs = KeyPairs()
    var names = IdentityTable()
    /// A name without pairs of its own is refused.
    var refusesOtherNames = false
    /// Some key is held elsewhere.
    var needsSigner = false

    /// It matters for which name a client asks.
    var choosesByName: Bool { refusesOtherNames || !names.isEmpty }

    var allPairs: [KeyPair] { pairs.all + names.all.flatMap { $0.all } }

    package var isComplete: Bool { !pairs.all.isEmpty || !names.isEmpty }
}

/// Who we are.
extension OwnedContext {
    package func setCertificate(_ source: borrowing PEMSource) throws(SettingRefused) {
        let certificates = try Certificates.read(source)
        if let key = identity.key, !key.isRemote { return try setPair(certificates, key, source) }
        if asksForSignatures { return try setPair(certificates, .remote(for: certificates, source), source) }
        identity.certificates = certificates
    }

    package func setKey(_ source: borrowing PEMSource) throws(SettingRefused) {
        let key = try PrivateKey.read(source, for: self)
        if let certificates = identity.certificates { return try setPair(certificates, key, source) }
        identity.key = key
    }

    /// Sets both at once. The pair that was there before goes, whatever its type.
    func setPair(
        _ certificates: Certificates, _ key: PrivateKey, _ source: borrowing PEMSource
    ) throws(SettingRefused) {
        let pair = try KeyPair.make(certificates, key, source)
        let former = identity.certificates == nil ? nil : identity.key?.type
        if let former, former != key.type { chooseByHand() }  // OpenSSL keeps one of each type
        try give(pair, source)
        if let former { identity.pairs.remove(former) }
        identity.pairs.put(pair)
        (identity.certificates, identity.key) = (certificates, key)
        if key.isRemote { identity.needsSigner = true }
    }

    /// Adds a pair for a name. Without one, beside those that are there, in place of the one of the same type of key.
    package func addPair(
        for name: UnsafePointer<CChar>?, _ certificate: borrowing PEMSource, _ key: borrowing PEMSource
    ) throws(SettingRefused) {
        try unsafe add(
            KeyPair.make(Certificates.read(certificate), PrivateKey.read(key, for: self), key), for: name, certificate,
            key)
    }

    func add(
        _ pair: KeyPair, for name: UnsafePointer<CChar>?, _ certificate: borrowing PEMSource,
        _ key: borrowing PEMSource
    ) throws(SettingRefused) {
        guard let name = unsafe name else {
            try give(pair, key)
            if identity.certificates != nil, identity.key?.type == pair.key.type {
                (identity.certificates, identity.key) = (pair.certificates, pair.key)
            }
            return identity.pairs.put(pair)
        }
        guard let entry = unsafe IdentityTable.entryName(name) else {
            throw SettingRefused("this is no host name, and none behind \"*.\"")
        }
        guard pair.covers(entry) else { throw certificate.refused("the certificate is for other names") }
        try tryOut(pair, key)
        chooseByHand()
        identity.names.put(pair, for: entry)
    }

    private func give(_ pair: KeyPair, _ source: borrowing PEMSource) throws(SettingRefused) {
        ERR_clear_error()
        guard unsafe pair.give(toContext: ctx) else {
            throw source.refused("OpenSSL does not take this certificate and key", .drain())
        }
    }

    /// Refuses what OpenSSL would refuse in a handshake.
    private func tryOut(_ pair: KeyPair, _ source: borrowing PEMSource) throws(SettingRefused) {
        ERR_clear_error()
        guard let trial = unsafe SSL_new(ctx) else { throw source.outOfMemory }
        defer { unsafe SSL_free(trial) }
        guard unsafe pair.give(to: trial) else {
            throw source.refused("OpenSSL does not take this certificate and key", .drain())
        }
    }
}
