internal import COpenSSL

/// Which certificate a server wants of a client (RFC 8446, 4.3.2; RFC 5246, 7.4.4).
package struct CertificateRequest {
    /// The names of the authorities that it takes, in DER, each behind two bytes that are its length; empty for any.
    package var authorities: [UInt8] = []
    /// The schemes that it takes signatures by, two bytes each.
    package var schemes: [UInt8] = []

    init(_ ssl: OpaquePointer) {
        let names = unsafe SSL_get0_peer_CA_list(ssl)
        for index in 0..<max(0, unsafe copenssl_names_count(names)) {
            var der: UnsafePointer<UInt8>?
            var count = 0
            guard unsafe X509_NAME_get0_der(copenssl_names_at(names, index), &der, &count) == 1,
                let size = UInt16(exactly: count)
            else { continue }
            authorities += [UInt8(size >> 8), UInt8(truncatingIfNeeded: size)]
            unsafe authorities += UnsafeBufferPointer(start: der, count: count)
        }
        for index in 0..<max(0, unsafe SSL_get_sigalgs(ssl, -1, nil, nil, nil, nil, nil)) {
            var (low, high): (UInt8, UInt8) = (0, 0)
            guard unsafe SSL_get_sigalgs(ssl, index, nil, nil, nil, &low, &high) > 0 else { continue }
            schemes += [high, low]
        }
    }
}

extension OwnedContext {
    /// Has a client ask which certificate it shows to a server that wants one, or not.
    package func askAboutCertificates(_ asks: Bool) {
        asksAboutCertificates = asks
        if asks { chooseByHand() }
    }
}

extension OwnedSSL {
    /// What the question about a certificate is about.
    package var certificateRequest: CertificateRequest? {
        guard case .clientCertificate = question else { return nil }
        return unsafe CertificateRequest(ssl)
    }
}

/// Gives a client's connection the certificates that the program chooses for it, or none. False when it is to fail.
func chooseCertificate(_ ssl: OpaquePointer) -> Bool {
    guard let answer = unsafe inquiry(of: ssl)?.askAboutCertificate() else { return false }
    unsafe SSL_certs_clear(ssl)
    guard let chosen = answer.identity else { return true }
    for pair in chosen.identity.pairs.all where unsafe !pair.give(to: ssl) { return false }
    return chosen.identity.isComplete
}
