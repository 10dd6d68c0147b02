internal import COpenSSL

/// What can be asked of keys that are held elsewhere, and said of their signatures: OpenSSL wants lists of that beside the
/// functions. Made with the provider's tables, for as long as the process lasts.
@safe struct RemoteParameters {
    /// What a key is made of: public parts only.
    let ofParts: UnsafePointer<OSSL_PARAM> = unsafe forever([
        copenssl_param_number(OSSL_PKEY_PARAM_RSA_N), copenssl_param_number(OSSL_PKEY_PARAM_RSA_E),
        copenssl_param_text(OSSL_PKEY_PARAM_GROUP_NAME), copenssl_param_octets(OSSL_PKEY_PARAM_PUB_KEY),
        copenssl_param_end(),
    ])
    let ofKeys: UnsafePointer<OSSL_PARAM> = unsafe forever([
        copenssl_param_integer(OSSL_PKEY_PARAM_BITS), copenssl_param_integer(OSSL_PKEY_PARAM_SECURITY_BITS),
        copenssl_param_integer(OSSL_PKEY_PARAM_MAX_SIZE), copenssl_param_text(OSSL_PKEY_PARAM_DEFAULT_DIGEST),
        copenssl_param_text(OSSL_PKEY_PARAM_MANDATORY_DIGEST), copenssl_param_text(OSSL_PKEY_PARAM_GROUP_NAME),
        copenssl_param_text(OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT),
        copenssl_param_octets(OSSL_PKEY_PARAM_PUB_KEY), copenssl_param_number(OSSL_PKEY_PARAM_RSA_N),
        copenssl_param_number(OSSL_PKEY_PARAM_RSA_E), copenssl_param_end(),
    ])
    let ofSignatures: UnsafePointer<OSSL_PARAM> = unsafe forever([
        copenssl_param_text(OSSL_SIGNATURE_PARAM_DIGEST), copenssl_param_text(OSSL_SIGNATURE_PARAM_PAD_MODE),
        copenssl_param_text(OSSL_SIGNATURE_PARAM_PSS_SALTLEN), copenssl_param_text(OSSL_SIGNATURE_PARAM_MGF1_DIGEST),
        copenssl_param_end(),
    ])
}
