internal import COpenSSL

/// What can be asked of keys that are held elsewhere, and said of their signatures: OpenSSL wants lists of that beside the
/// functions. Made with the provider's tables, for as long as the process lasts.
@safe struct RemoteParameters {
    /// What a key is made of: public parts only.
    let ofParts: UnsafePointer<OSSL_PARAM> = unsafe forever([
        number(OSSL_PKEY_PARAM_RSA_N), number(OSSL_PKEY_PARAM_RSA_E),
        text(OSSL_PKEY_PARAM_GROUP_NAME), octets(OSSL_PKEY_PARAM_PUB_KEY),
        copenssl_param_end(),
    ])
    let ofKeys: UnsafePointer<OSSL_PARAM> = unsafe forever([
        integer(OSSL_PKEY_PARAM_BITS), integer(OSSL_PKEY_PARAM_SECURITY_BITS),
        integer(OSSL_PKEY_PARAM_MAX_SIZE), text(OSSL_PKEY_PARAM_DEFAULT_DIGEST),
        text(OSSL_PKEY_PARAM_MANDATORY_DIGEST), text(OSSL_PKEY_PARAM_GROUP_NAME),
        text(OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT),
        octets(OSSL_PKEY_PARAM_PUB_KEY), number(OSSL_PKEY_PARAM_RSA_N),
        number(OSSL_PKEY_PARAM_RSA_E), copenssl_param_end(),
    ])
    let ofSignatures: UnsafePointer<OSSL_PARAM> = unsafe forever([
        text(OSSL_SIGNATURE_PARAM_DIGEST), text(OSSL_SIGNATURE_PARAM_PAD_MODE),
        text(OSSL_SIGNATURE_PARAM_PSS_SALTLEN), text(OSSL_SIGNATURE_PARAM_MGF1_DIGEST),
        copenssl_param_end(),
    ])
}

private func integer(_ name: String) -> OSSL_PARAM { unsafe copenssl_param_integer(kept(name)) }
private func number(_ name: String) -> OSSL_PARAM { unsafe copenssl_param_number(kept(name)) }
private func text(_ name: String) -> OSSL_PARAM { unsafe copenssl_param_text(kept(name)) }
private func octets(_ name: String) -> OSSL_PARAM { unsafe copenssl_param_octets(kept(name)) }

/// A copy: what Swift makes of a string for a call of C's is gone when the call returns, and OpenSSL reads the name later.
private func kept(_ name: String) -> UnsafePointer<CChar> {
    unsafe forever(name.utf8.map { CChar(bitPattern: $0) } + [0])
}
