internal import COpenSSL

/// What decides who may come in, beside the authorities and the revocation lists, which are in OpenSSL's store.
struct Trust {
    /// The peer's certificate has to be good.
    var verifies: Bool
    /// There has to be one.
    var requires: Bool
    /// A server of TLS 1.3 asks after the handshake, when the program says so.
    var asksLater = false
    /// There is an authority, or a place to look for one.
    var hasAuthorities = false
    /// Where OpenSSL looks when it needs an authority or a list: directories; the system's has no name.
    var places: [[UInt8]] = []
    var takesAnyPurpose = false
    /// What was chosen; nil for what is usual.
    var revocation: RevocationCheck?
    var hasRevocationLists = false
    /// SHA-256 of public keys.
    var pins: [[UInt8]] = []
    /// A server names others to its clients than the authorities that it trusts.
    var namesOthers = false
    /// Those that it trusts have more names than a handshake can carry, so it names none.
    var hasTooManyNames = false
    /// What fits in a CertificateRequest, whose extensions have 65535 bytes together in TLS 1.3 (RFC 8446, 4.3.2).
    static var nameBytesMax: Int { 64000 }

    init(_ role: Role) {
        verifies = role == .client
        requires = role == .client
    }
}

/// Whom we trust.
extension OwnedContext {
    package var verifies: Bool { trust.verifies }
    package var trustsSomebody: Bool { trust.hasAuthorities }

    /// Trusts every certificate of a source, or none; a server also names them to its clients. When they are too many for a
    /// handshake it names none: a client may send any then, and would send none that belongs to who was left out.
    package func addTrust(_ source: borrowing PEMSource) throws(SettingRefused) {
        let authorities = try Certificates.read(source)
        let names = try unsafe namesOfTrusted(with: authorities)
        let areTaken = withExtendedLifetime(authorities) {
            let all = unsafe (0..<max(0, copenssl_x509s_count(authorities.list))).map {
                unsafe copenssl_x509s_at(authorities.list, $0)
            }
            return unsafe fillStore(all, X509_STORE_add_cert, X509_OBJECT_get0_X509)
        }
        guard areTaken else {
            unsafe copenssl_names_free(names)
            throw SettingRefused("OpenSSL does not take an authority in it", .drain())
        }
        if let names = unsafe names {
            trust.hasTooManyNames = unsafe byteCount(of: names) > Trust.nameBytesMax
            if trust.hasTooManyNames { unsafe copenssl_names_free(names) }
            unsafe SSL_CTX_set_client_CA_list(ctx, trust.hasTooManyNames ? nil : names)  // which moves into ctx
        }
        trust.hasAuthorities = true
    }

    /// Puts all of these into OpenSSL's store, or none; the caller keeps them meanwhile. `find` looks into what the store has.
    func fillStore(
        _ all: [OpaquePointer?], _ add: (OpaquePointer?, OpaquePointer?) -> CInt,
        _ find: (OpaquePointer?) -> OpaquePointer?
    ) -> Bool {
        ERR_clear_error()
        let store = unsafe SSL_CTX_get_cert_store(ctx)
        guard let bad = unsafe all.firstIndex(where: { unsafe add(store, $0) != 1 }) else { return true }
        let inside = unsafe X509_STORE_get0_objects(store)
        for index in (0..<max(0, unsafe copenssl_objects_count(inside))).reversed() {
            let found = unsafe find(copenssl_objects_at(inside, index))
            // What was there before is other memory, also where it is the same certificate.
            if unsafe found != nil, unsafe all[..<bad].contains(found) { unsafe copenssl_objects_remove(inside, index) }
        }
        return false
    }

    package func addTrust(directory: UnsafePointer<CChar>) throws(SettingRefused) {
        guard unsafe copenssl_is_directory(directory) == 1 else {
            throw SettingRefused("there is no such directory")
        }
        guard unsafe strchr(directory, CInt(UInt8(ascii: ":"))) == nil else {
            throw SettingRefused("there is a colon in it, which OpenSSL takes for the end of a first directory")
        }
        guard unsafe SSL_CTX_load_verify_dir(ctx, directory) == 1 else {
            throw SettingRefused("OpenSSL does not take this directory", .drain())
        }
        trust.places.append(unsafe [UInt8](UnsafeRawBufferPointer(start: directory, count: strlen(directory))))
        trust.hasAuthorities = true
    }

    package func addSystemTrust() throws(SettingRefused) {
        guard unsafe SSL_CTX_set_default_verify_paths(ctx) == 1 else {
            throw SettingRefused("OpenSSL finds no certificate authorities of the system", .drain())
        }
        trust.places.append([])
        trust.hasAuthorities = true
    }

    /// Tells clients the subjects of other certificates than those that are trusted (RFC 8446, 4.2.4; RFC 5246, 7.4.4).
    package func setAcceptedAuthorities(_ source: borrowing PEMSource) throws(SettingRefused) {
        guard role == .server else { throw SettingRefused("only a server tells whose certificates it accepts") }
        let accepted = try Certificates.read(source)
        let names = try unsafe names(behind: nil, of: accepted)
        guard unsafe byteCount(of: names) <= Trust.nameBytesMax else {
            unsafe copenssl_names_free(names)
            throw SettingRefused("the names in it are longer than a handshake can carry")
        }
        unsafe SSL_CTX_set_client_CA_list(ctx, names)  // which moves into ctx
        trust.namesOthers = true
    }

    /// What a server tells its clients once it trusts these, too; nil when that stays as it is.
    private func namesOfTrusted(with others: Certificates) throws(SettingRefused) -> OpaquePointer? {
        guard role == .server, !trust.namesOthers, !trust.hasTooManyNames else { return nil }
        return unsafe try names(behind: SSL_CTX_get_client_CA_list(ctx), of: others)
    }

    /// A new list: of these names, and behind them of the subjects of certificates.
    private func names(behind former: OpaquePointer?, of others: Certificates) throws(SettingRefused) -> OpaquePointer {
        guard let names = unsafe copenssl_names_new() else { throw unsafe .outOfMemory() }
        let formerCount = unsafe max(0, copenssl_names_count(former))
        let count = unsafe max(0, copenssl_x509s_count(others.list))
        for index in 0..<formerCount &+ count {
            let isFormer = index < formerCount
            let name =
                unsafe isFormer
                ? copenssl_names_at(former, index)
                : X509_get_subject_name(copenssl_x509s_at(others.list, index - formerCount))
            let copy = unsafe X509_NAME_dup(name)
            guard unsafe copy != nil, unsafe copenssl_names_push(names, copy) > 0 else {
                unsafe X509_NAME_free(copy)
                unsafe copenssl_names_free(names)
                throw unsafe .outOfMemory()
            }
        }
        return unsafe names
    }
}

/// What names take in a list of authorities.
private func byteCount(of names: OpaquePointer) -> Int {
    unsafe (0..<max(0, copenssl_names_count(names))).reduce(0) { sum, index in
        unsafe sum &+ 2 &+ Int(max(0, i2d_X509_NAME(copenssl_names_at(names, index), nil)))
    }
}
