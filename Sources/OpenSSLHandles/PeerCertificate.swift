internal import COpenSSL

/// A certificate of the peer, or of the chain by which it was verified, with a reference of its own. Its alternative names
/// are in PeerCertificate+Names.swift.
@safe package final class PeerCertificate {
    let certificate: OpaquePointer

    /// A reference moves into it.
    private init(_ certificate: OpaquePointer) {
        unsafe self.certificate = certificate
    }

    /// Refers to one that is another's. Nil where there is none.
    static func of(_ borrowed: OpaquePointer?) -> PeerCertificate? {
        guard let borrowed = unsafe borrowed, unsafe X509_up_ref(borrowed) == 1 else { return nil }
        return unsafe PeerCertificate(borrowed)
    }

    deinit {
        unsafe X509_free(certificate)
    }

    // MARK: The whole; nil without memory

    package var der: [UInt8]? { unsafe encoded(certificate) }

    package var pem: [UInt8]? { unsafe printed { unsafe PEM_write_bio_X509($0, certificate) == 1 } }

    package var fingerprint: [UInt8]? { der.flatMap(sha256) }

    package var keyFingerprint: [UInt8]? { unsafe pin(of: certificate) }

    // MARK: What stands in it

    /// In the form of RFC 2253, UTF-8.
    package var subject: [UInt8]? {
        unsafe printed { unsafe copenssl_print_name($0, X509_get_subject_name(certificate)) >= 0 }
    }

    package var issuer: [UInt8]? {
        unsafe printed { unsafe copenssl_print_name($0, X509_get_issuer_name(certificate)) >= 0 }
    }

    /// Hexadecimal, as OpenSSL prints it.
    package var serial: [UInt8] {
        let number = unsafe X509_get0_serialNumber(certificate)
        let start = unsafe ASN1_STRING_get0_data(number)
        let bytes = unsafe UnsafeRawBufferPointer(start: start, count: Int(max(0, ASN1_STRING_length(number))))
        var text: [UInt8] = unsafe ASN1_STRING_type(number) == V_ASN1_NEG_INTEGER ? [UInt8(ascii: "-")] : []
        for index in bytes.indices { text.append(hexadecimal: unsafe bytes[index]) }
        return bytes.count == 0 ? [UInt8(ascii: "0"), UInt8(ascii: "0")] : text
    }

    /// In seconds since 1970; nil for what is no date.
    package var notBefore: Int64? { unsafe seconds(X509_get0_notBefore(certificate)) }
    package var notAfter: Int64? { unsafe seconds(X509_get0_notAfter(certificate)) }

    /// OpenSSL's name for the kind of key, and its size; nil for a key that OpenSSL does not know.
    package var key: (type: UnsafePointer<CChar>, bits: CInt)? {
        guard let key = unsafe X509_get0_pubkey(certificate), let type = unsafe EVP_PKEY_get0_type_name(key) else {
            ERR_clear_error()
            return nil
        }
        return unsafe (type, max(0, EVP_PKEY_get_bits(key)))
    }
}

/// What was written to a BIO in memory; nil without memory.
private func printed(_ write: (OpaquePointer) -> Bool) -> [UInt8]? {
    guard let text = try? MemoryBIO() else { return nil }
    defer { ERR_clear_error() }
    guard unsafe write(text.bio) else { return nil }
    return unsafe text.bytes.withUnsafeBytes { unsafe [UInt8]($0) }
}

func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
    var utc = unsafe tm()
    guard let time = unsafe time, unsafe ASN1_TIME_to_tm(time, &utc) == 1 else {
        ERR_clear_error()
        return nil
    }
    return unsafe copenssl_seconds(&utc)
}

extension [UInt8] {
    /// Appends a byte as two digits.
    mutating func append(hexadecimal byte: UInt8) {
        for digit in [byte >> 4, byte & 15] { append(digit < 10 ? 48 &+ digit : 55 &+ digit) }
    }
}
