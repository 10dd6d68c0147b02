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

/// Decodes a certificate with everything in it, of which OpenSSL leaves out what it has no memory for, and says nothing. What
/// it does not know stays out.
func complete(
    _ decode: (
        UnsafeMutablePointer<OpaquePointer?>?, UnsafeMutablePointer<UnsafePointer<UInt8>?>?, Int
    ) -> OpaquePointer?, _ position: inout UnsafePointer<UInt8>?, _ count: Int
) -> OpaquePointer? {
    let start = unsafe position
    let certificate = unsafe decode(nil, &position, count)
    guard unsafe certificate != nil, unsafe !isComplete(certificate) || isDoubtful(certificate) else {
        return unsafe certificate
    }
    unsafe X509_free(certificate)
    ERR_clear_error()
    unsafe position = start
    let again = unsafe decode(nil, &position, count)
    _ = unsafe isComplete(again)
    ERR_clear_error()
    return unsafe again
}

/// Whether its public key is there, and what its extensions say. OpenSSL looks at these when they are first needed, and takes
/// the certificate for a bad one for ever if there was no memory for that.
func isComplete(_ certificate: OpaquePointer?) -> Bool {
    unsafe isComplete(key: X509_get0_pubkey(certificate)) && X509_check_purpose(certificate, -1, 0) == 1
}

/// Whether OpenSSL has found no memory to see that it has signed itself, or by what; or it is of a rare kind: its issuer only has
/// the same name, or its algorithm is not known.
func isDoubtful(_ certificate: OpaquePointer?) -> Bool {
    let flags = unsafe X509_get_extension_flags(certificate)
    return unsafe flags & UInt32(EXFLAG_SI | EXFLAG_SS) == UInt32(EXFLAG_SI)
        || X509_get_signature_info(certificate, nil, nil, nil, nil) != 1
}

/// Whether it is known how large a key is. OpenSSL looks that up when it has read the key; a key without it, for want of
/// memory, has no bits for ever, and is too small for everything.
func isComplete(key: OpaquePointer?) -> Bool {
    unsafe EVP_PKEY_get_bits(key) > 0
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
