internal import COpenSSL

/// What was agreed upon, by its numbers in IANA's registries.
extension OwnedSSL {
    /// 0 before there is one.
    package var cipherID: UInt16 {
        guard let cipher = unsafe SSL_get_current_cipher(ssl) else { return 0 }
        return unsafe SSL_CIPHER_get_protocol_id(cipher)
    }

    /// 0 when there is none.
    package var groupID: UInt16 {
        let group = unsafe copenssl_negotiated_group(ssl)
        if group & TLSEXT_nid_unknown != 0 { return UInt16(truncatingIfNeeded: group) }
        return groupNumbers.first { $0.nid == group }?.number ?? 0
    }

    /// The signature by which the peer has proved that the certificate is its own; nil when there was none.
    package var peerSignature: SignatureScheme? {
        var (type, hash): (CInt, CInt) = (0, 0)
        guard unsafe SSL_get_peer_signature_type_nid(ssl, &type) == 1,
            unsafe copenssl_peer_signature_hash(ssl, &hash) == 1
        else { return nil }
        let key = unsafe SSL_get0_peer_certificate(ssl).flatMap { unsafe X509_get0_pubkey($0) }
        return unsafe SignatureScheme.of(type, hash, key)
    }

    /// Ours. OpenSSL chooses one for a server that decrypts instead, too; and has no cipher any more, but a signature still,
    /// when a renegotiation has failed.
    package var ownSignature: SignatureScheme? {
        var (type, hash): (CInt, CInt) = (0, 0)
        guard unsafe SSL_get_signature_type_nid(ssl, &type) == 1, unsafe copenssl_signature_hash(ssl, &hash) == 1,
            let cipher = unsafe SSL_get_current_cipher(ssl),
            unsafe SSL_is_server(ssl) == 0 || SSL_CIPHER_get_kx_nid(cipher) != NID_kx_rsa
        else { return nil }
        return unsafe SignatureScheme.of(type, hash, SSL_get_privatekey(ssl))
    }
}

/// An entry of the registry of signature schemes (RFC 8446, 4.2.3), by the name that it has there.
package struct SignatureScheme {
    package let id: UInt16
    package let name: StaticString
    fileprivate let type: CInt
    fileprivate let hash: CInt
    /// The key may be used for nothing else (RSASSA-PSS in the certificate): OpenSSL gives both kinds one name.
    fileprivate let isOfPSSKey: Bool

    private init(_ id: UInt16, _ name: StaticString, _ type: CInt, _ hash: CInt, isOfPSSKey: Bool = false) {
        (self.id, self.name, self.type, self.hash, self.isOfPSSKey) = (id, name, type, hash, isOfPSSKey)
    }

    static func of(_ type: CInt, _ hash: CInt, _ key: OpaquePointer?) -> SignatureScheme? {
        let isOfPSSKey = unsafe EVP_PKEY_is_a(key, "RSA-PSS") == 1
        return all.first { $0.type == type && $0.hash == hash && $0.isOfPSSKey == isOfPSSKey }
    }

    private static var all: [SignatureScheme] {
        [
            .init(0x0403, "ecdsa_secp256r1_sha256", NID_X9_62_id_ecPublicKey, NID_sha256),
            .init(0x0503, "ecdsa_secp384r1_sha384", NID_X9_62_id_ecPublicKey, NID_sha384),
            .init(0x0603, "ecdsa_secp521r1_sha512", NID_X9_62_id_ecPublicKey, NID_sha512),
            .init(0x0303, "ecdsa_sha224", NID_X9_62_id_ecPublicKey, NID_sha224),  // TLS 1.2 only, as the two below
            .init(0x0203, "ecdsa_sha1", NID_X9_62_id_ecPublicKey, NID_sha1),
            .init(0x0804, "rsa_pss_rsae_sha256", NID_rsassaPss, NID_sha256),
            .init(0x0805, "rsa_pss_rsae_sha384", NID_rsassaPss, NID_sha384),
            .init(0x0806, "rsa_pss_rsae_sha512", NID_rsassaPss, NID_sha512),
            .init(0x0809, "rsa_pss_pss_sha256", NID_rsassaPss, NID_sha256, isOfPSSKey: true),
            .init(0x080a, "rsa_pss_pss_sha384", NID_rsassaPss, NID_sha384, isOfPSSKey: true),
            .init(0x080b, "rsa_pss_pss_sha512", NID_rsassaPss, NID_sha512, isOfPSSKey: true),
            .init(0x0807, "ed25519", NID_ED25519, NID_undef),
            .init(0x0808, "ed448", NID_ED448, NID_undef),
            .init(0x0401, "rsa_pkcs1_sha256", NID_rsaEncryption, NID_sha256),
            .init(0x0501, "rsa_pkcs1_sha384", NID_rsaEncryption, NID_sha384),
            .init(0x0601, "rsa_pkcs1_sha512", NID_rsaEncryption, NID_sha512),
            .init(0x0301, "rsa_pkcs1_sha224", NID_rsaEncryption, NID_sha224),
            .init(0x0201, "rsa_pkcs1_sha1", NID_rsaEncryption, NID_sha1),
        ]
    }
}

/// The groups for which OpenSSL has a number of its own; for any other it answers with that of IANA.
private var groupNumbers: [(nid: CInt, number: UInt16)] {
    [
        (NID_X25519, 29), (NID_X9_62_prime256v1, 23), (NID_X448, 30), (NID_secp521r1, 25), (NID_secp384r1, 24),
        (NID_ffdhe2048, 256), (NID_ffdhe3072, 257), (NID_ffdhe4096, 258), (NID_ffdhe6144, 259), (NID_ffdhe8192, 260),
        (NID_secp256k1, 22), (NID_secp224r1, 21), (NID_secp224k1, 20), (NID_X9_62_prime192v1, 19),
        (NID_secp192k1, 18), (NID_secp160r2, 17), (NID_secp160r1, 16), (NID_secp160k1, 15),
        (NID_brainpoolP256r1, 26), (NID_brainpoolP384r1, 27), (NID_brainpoolP512r1, 28),
        (NID_sect571r1, 14), (NID_sect571k1, 13), (NID_sect409r1, 12), (NID_sect409k1, 11), (NID_sect283r1, 10),
        (NID_sect283k1, 9), (NID_sect239k1, 8), (NID_sect233r1, 7), (NID_sect233k1, 6), (NID_sect193r2, 5),
        (NID_sect193r1, 4), (NID_sect163r2, 3), (NID_sect163r1, 2), (NID_sect163k1, 1),
        (NID_id_tc26_gost_3410_2012_256_paramSetA, 34), (NID_id_tc26_gost_3410_2012_256_paramSetB, 35),
        (NID_id_tc26_gost_3410_2012_256_paramSetC, 36), (NID_id_tc26_gost_3410_2012_256_paramSetD, 37),
        (NID_id_tc26_gost_3410_2012_512_paramSetA, 38), (NID_id_tc26_gost_3410_2012_512_paramSetB, 39),
        (NID_id_tc26_gost_3410_2012_512_paramSetC, 40),
    ]
}
