import COpenSSL

/// A certificate with its private key, both as PEM text.
package struct Credentials: Sendable {
    package let certificate: [UInt8]
    package let key: [UInt8]

    package init(certificate: [UInt8], key: [UInt8]) {
        self.certificate = certificate
        self.key = key
    }
}

/// When a certificate is valid, in seconds from now.
package struct Validity: Sendable {
    let from: Int
    let until: Int

    package static let now = Validity(from: -3600, until: 86400)
    package static let past = Validity(from: -7200, until: -3600)
    package static let future = Validity(from: 3600, until: 86400)
}

/// A certificate authority that exists in memory only. Its keys are thrown away with the process.
package final class Authority: @unchecked Sendable {
    // Written once, in init; OpenSSL's own locks guard what is shared in them.
    private let certificate: OpaquePointer
    private let key: OpaquePointer
    private let name: String
    package let pem: [UInt8]

    package init(_ name: String) {
        self.name = name
        key = Self.freshKey()
        let signed = Self.unsigned(
            subject: name, issuer: name, key: key, .now, [(NID_basic_constraints, "critical,CA:TRUE")])
        X509_sign(signed, key, EVP_sha256())
        certificate = signed
        pem = Self.text { PEM_write_bio_X509($0, signed) }
    }

    deinit {
        X509_free(certificate)
        EVP_PKEY_free(key)
    }

    /// Issues a certificate for names in OpenSSL's form, "DNS:localhost,IP:127.0.0.1"; nil for none.
    package func issue(_ subject: String, names: String?, _ validity: Validity = .now) -> Credentials {
        let fresh = Self.freshKey()
        defer { EVP_PKEY_free(fresh) }
        let issued = Self.unsigned(
            subject: subject, issuer: name, key: fresh, validity, names.map { [(NID_subject_alt_name, $0)] } ?? [])
        defer { X509_free(issued) }
        X509_sign(issued, key, EVP_sha256())
        return Credentials(
            certificate: Self.text { PEM_write_bio_X509($0, issued) },
            key: Self.text { PEM_write_bio_PrivateKey($0, fresh, nil, nil, 0, nil, nil) })
    }

    /// Issues a revocation list with nobody on it, PEM.
    package func revocations() -> [UInt8] {
        let list = X509_CRL_new()!
        defer { X509_CRL_free(list) }
        X509_CRL_set_version(list, 1)
        X509_CRL_set_issuer_name(list, X509_get_subject_name(certificate))
        X509_CRL_set1_lastUpdate(list, X509_get0_notBefore(certificate))
        X509_CRL_set1_nextUpdate(list, X509_get0_notAfter(certificate))
        X509_CRL_sign(list, key, EVP_sha256())
        return Self.text { PEM_write_bio_X509_CRL($0, list) }
    }

    private static func freshKey() -> OpaquePointer {
        let making = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nil)
        defer { EVP_PKEY_CTX_free(making) }
        var key: OpaquePointer?
        EVP_PKEY_keygen_init(making)
        EVP_PKEY_CTX_set_ec_paramgen_curve_nid(making, NID_X9_62_prime256v1)
        EVP_PKEY_keygen(making, &key)
        return key!
    }

    private static func unsigned(
        subject: String, issuer: String, key: OpaquePointer, _ validity: Validity, _ extensions: [(CInt, String)]
    ) -> OpaquePointer {
        let made = X509_new()!
        X509_set_version(made, 2)
        ASN1_INTEGER_set_uint64(X509_get_serialNumber(made), UInt64.random(in: 1..<(1 << 62)))
        X509_gmtime_adj(X509_getm_notBefore(made), validity.from)
        X509_gmtime_adj(X509_getm_notAfter(made), validity.until)
        X509_set_pubkey(made, key)
        for (whose, name) in [(X509_get_subject_name(made), subject), (X509_get_issuer_name(made), issuer)] {
            X509_NAME_add_entry_by_txt(whose, "CN", MBSTRING_UTF8, name, -1, -1, 0)
        }
        for (kind, value) in extensions {
            let fresh = X509V3_EXT_conf_nid(nil, nil, kind, value)
            X509_add_ext(made, fresh, -1)
            X509_EXTENSION_free(fresh)
        }
        return made
    }

    private static func text(_ write: (OpaquePointer) -> CInt) -> [UInt8] {
        let bio = BIO_new(BIO_s_mem())!
        defer { BIO_free(bio) }
        precondition(write(bio) == 1, "OpenSSL does not write PEM")
        var start: UnsafeMutablePointer<CChar>?
        let count = copenssl_mem_data(bio, &start)
        return [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    }
}

/// The ones that most tests use.
extension Authority {
    package static let ours = Authority("our authority")
    package static let other = Authority("another authority")
}

extension Credentials {
    package static let server = Authority.ours.issue(
        "localhost", names: "DNS:localhost,DNS:*.example.org,IP:127.0.0.1,IP:::1")
    package static let client = Authority.ours.issue("test client", names: nil)
    package static let strangersServer = Authority.other.issue("localhost", names: "DNS:localhost")
    package static let strangersClient = Authority.other.issue("a stranger", names: nil)
    package static let expired = Authority.ours.issue("localhost", names: "DNS:localhost", .past)
    package static let notYetValid = Authority.ours.issue("localhost", names: "DNS:localhost", .future)
    package static let otherHost = Authority.ours.issue("other.example", names: "DNS:other.example,IP:127.0.0.2")
}
