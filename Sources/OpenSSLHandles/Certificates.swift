internal import COpenSSL

/// Certificates in the order of what they were read from.
@safe final class Certificates {
    let list: OpaquePointer

    /// The list moves into it.
    init(_ list: OpaquePointer) {
        unsafe self.list = list
    }

    /// Reads every certificate of a PEM text, or of DER, or refuses the whole.
    static func read(_ source: borrowing PEMSource) throws(SettingRefused) -> Certificates {
        ERR_clear_error()
        guard let list = unsafe copenssl_x509s_new() else { throw source.refused("out of memory", .drain()) }
        let certificates = unsafe Certificates(list)  // owns the list from here on
        let isPEM = source.isPEM
        while let certificate = unsafe isPEM ? nextPEM(source) : nextDER(source) {
            guard unsafe copenssl_x509s_push(list, certificate) > 0 else {
                unsafe X509_free(certificate)
                throw source.refused("out of memory", .drain())
            }
        }
        let end = OpenSSLError(code: ERR_peek_last_error())
        guard unsafe copenssl_x509s_count(list) > 0 else {
            throw source.refused("there is no certificate in it", .drain())
        }
        // "No start line" is how the end of a PEM text looks.
        let isWhole = isPEM ? end.library == ERR_LIB_PEM && end.reason == PEM_R_NO_START_LINE : end == .none
        guard isWhole else { throw source.refused("a certificate in it cannot be parsed", .drain()) }
        ERR_clear_error()
        return certificates
    }

    private static func nextPEM(_ source: borrowing PEMSource) -> OpaquePointer? {
        unsafe PEM_read_bio_X509_AUX(source.bio, nil, refusePassword, nil)
    }

    private static func nextDER(_ source: borrowing PEMSource) -> OpaquePointer? {
        unsafe BIO_ctrl_pending(source.bio) == 0 ? nil : d2i_X509_bio(source.bio, nil)
    }

    deinit {
        unsafe copenssl_x509s_free(list)
    }
}

/// A certificate as DER.
func encoded(_ certificate: OpaquePointer?) -> [UInt8]? {
    let count = unsafe i2d_X509(certificate, nil)
    guard count > 0 else { return nil }
    var der = [UInt8](repeating: 0, count: Int(count))
    unsafe der.withUnsafeMutableBytes { target in
        var position = unsafe target.baseAddress?.assumingMemoryBound(to: UInt8.self)
        _ = unsafe i2d_X509(certificate, &position)
    }
    return der
}

/// OpenSSL would ask on the terminal.
private let refusePassword:
    @convention(c) (UnsafeMutablePointer<CChar>?, CInt, CInt, UnsafeMutableRawPointer?) -> CInt = { _, _, _, _ in -1 }
