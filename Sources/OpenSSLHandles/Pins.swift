internal import COpenSSL

/// Public keys that are known beforehand.
extension OwnedContext {
    /// Pins a key, by the SHA-256 of its SubjectPublicKeyInfo (RFC 7469, 2.4): from the first pin on the peer has to have one,
    /// and so to show a certificate, also where verification would do without.
    package func addPin(_ digest: [UInt8]) {
        trust.pins.append(digest)
        applyVerification()
    }
}

/// Whether a key of the verified chain is pinned; without verification there is no such chain, and the peer's own has to be.
func hasPinnedKey(_ check: OpaquePointer, _ trust: Trust) -> Bool {
    guard trust.verifies else { return unsafe isPinned(X509_STORE_CTX_get0_cert(check), trust.pins) }
    let chain = unsafe X509_STORE_CTX_get0_chain(check)
    for index in 0..<max(0, unsafe copenssl_x509s_count(chain)) {
        if unsafe isPinned(copenssl_x509s_at(chain, index), trust.pins) { return true }
    }
    return false
}

private func isPinned(_ certificate: OpaquePointer?, _ pins: [[UInt8]]) -> Bool {
    guard let digest = unsafe pin(of: certificate) else { return false }
    return pins.contains(digest)
}

/// What pins a certificate's key. Nil without memory.
func pin(of certificate: OpaquePointer?) -> [UInt8]? {
    guard let key = unsafe X509_get_X509_PUBKEY(certificate), let info = unsafe encoded(key: key) else { return nil }
    return sha256(info)
}

/// A SubjectPublicKeyInfo as DER.
private func encoded(key: OpaquePointer) -> [UInt8]? {
    let count = unsafe i2d_X509_PUBKEY(key, nil)
    guard count > 0 else { return nil }
    var der = [UInt8](repeating: 0, count: Int(count))
    unsafe der.withUnsafeMutableBytes { target in
        var position = unsafe target.baseAddress?.assumingMemoryBound(to: UInt8.self)
        _ = unsafe i2d_X509_PUBKEY(key, &position)
    }
    return der
}

/// Nil without memory.
func sha256(_ bytes: [UInt8]) -> [UInt8]? {
    var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
    guard unsafe EVP_Digest(bytes, bytes.count, &digest, nil, EVP_sha256(), nil) == 1 else { return nil }
    return digest
}
