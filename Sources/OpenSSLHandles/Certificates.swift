internal import COpenSSL

/// Certificates in the order of what they were read from.
@safe final class Certificates {
    let list: OpaquePointer

    /// The list moves into it.
    init(_ list: OpaquePointer) {
        unsafe self.list = list
    }

    /// Reads every certificate of a source, or refuses the whole.
    static func read(_ source: borrowing PEMSource) throws(SettingRefused) -> Certificates {
        guard let list = unsafe copenssl_x509s_new() else { throw source.outOfMemory }
        let certificates = unsafe Certificates(list)  // owns the list from here on
        // In PEM there may be something behind one, which OpenSSL calls trusted then; in DER there may be another one.
        let decode = unsafe source.isPEM ? d2i_X509_AUX : d2i_X509
        try unsafe source.readAll(.certificate) { position, count throws(SettingRefused) in
            guard let certificate = unsafe complete(decode, &position, count) else { return false }
            guard unsafe copenssl_x509s_push(list, certificate) > 0 else {
                unsafe X509_free(certificate)
                throw source.outOfMemory
            }
            return true
        }
        return certificates
    }

    deinit {
        unsafe copenssl_x509s_free(list)
    }
}

/// Decodes a certificate with its public key, which OpenSSL leaves out when there is no memory for it, and says nothing. One
/// that it does not know stays out.
func complete(
    _ decode: (
        UnsafeMutablePointer<OpaquePointer?>?, UnsafeMutablePointer<UnsafePointer<UInt8>?>?, Int
    ) -> OpaquePointer?, _ position: inout UnsafePointer<UInt8>?, _ count: Int
) -> OpaquePointer? {
    let start = unsafe position
    let certificate = unsafe decode(nil, &position, count)
    guard unsafe certificate != nil, unsafe X509_get0_pubkey(certificate) == nil else { return unsafe certificate }
    unsafe X509_free(certificate)
    ERR_clear_error()
    unsafe position = start
    return unsafe decode(nil, &position, count)
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
