internal import COpenSSL

/// What decides who may come in, beside the authorities and the revocation lists, which are in OpenSSL's store.
struct Trust {
    /// The peer's certificate has to be good.
    var verifies: Bool
    /// There has to be one.
    var requires: Bool
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

    init(_ role: Role) {
        verifies = role == .client
        requires = role == .client
    }
}

/// Whom we trust.
extension OwnedContext {
    package var verifies: Bool { trust.verifies }
    package var trustsSomebody: Bool { trust.hasAuthorities }

    /// Trusts every certificate of a PEM text; a server also names them to its clients.
    package func addTrust(_ source: borrowing PEMSource) throws(SettingRefused) {
        let authorities = try Certificates.read(source)
        let store = unsafe SSL_CTX_get_cert_store(ctx)
        let count = unsafe copenssl_x509s_count(authorities.list)
        for index in 0..<max(0, count) {
            let authority = unsafe copenssl_x509s_at(authorities.list, index)
            var isTaken = unsafe X509_STORE_add_cert(store, authority) == 1
            if isTaken, role == .server, !trust.namesOthers {
                isTaken = unsafe SSL_CTX_add_client_CA(ctx, authority) == 1
            }
            guard isTaken else { throw SettingRefused("OpenSSL does not take an authority in it", .drain()) }
        }
        trust.hasAuthorities = true
    }

    package func addTrust(directory: UnsafePointer<CChar>) throws(SettingRefused) {
        guard unsafe copenssl_is_directory(directory) == 1 else {
            throw SettingRefused("there is no such directory")
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
        guard let names = unsafe copenssl_names_new() else { throw SettingRefused("out of memory", .drain()) }
        var byteCount = 0
        for index in 0..<max(0, unsafe copenssl_x509s_count(accepted.list)) {
            let subject = unsafe X509_get_subject_name(copenssl_x509s_at(accepted.list, index))
            let name = unsafe X509_NAME_dup(subject)
            guard unsafe name != nil, unsafe copenssl_names_push(names, name) > 0 else {
                unsafe X509_NAME_free(name)
                unsafe copenssl_names_free(names)
                throw SettingRefused("out of memory", .drain())
            }
            byteCount += 2 + Int(max(0, unsafe i2d_X509_NAME(subject, nil)))
        }
        guard byteCount <= Int(UInt16.max) else {
            unsafe copenssl_names_free(names)
            throw SettingRefused("the names in it are longer than a handshake can carry")
        }
        unsafe SSL_CTX_set_client_CA_list(ctx, names)  // which moves into ctx
        trust.namesOthers = true
    }
}
