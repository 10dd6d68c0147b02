internal import COpenSSL

/// Mozilla's guide "Server Side TLS", version 5.7 of 2023-05-15: what it calls modern and intermediate.
/// Without DHE, which version 5.8 has no more.
package enum Preset {
    case modern, intermediate

    var versions: ClosedRange<CInt> {
        switch self {
        case .modern: TLS1_3_VERSION...TLS1_3_VERSION
        case .intermediate: TLS1_2_VERSION...TLS1_3_VERSION
        }
    }

    static var suites: StaticString { "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256" }

    /// The modern configuration has none; there they are for a program that allows TLS 1.2 again.
    static var ciphers: StaticString {
        """
        ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:\
        ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305
        """
    }
}

extension OwnedContext {
    /// Sets versions, ciphers and groups together. All ciphers are good ones, so the client may have the one that it is
    /// fastest with. What words of a list of ciphers have set beside them goes with that list: Suite B, and a security level.
    package func set(_ preset: Preset) throws(SettingRefused) {
        unsafe copenssl_ctx_end_suite_b(ctx)
        guard setUsualGroups(), unsafe SSL_CTX_set_ciphersuites(ctx, cString(Preset.suites)) == 1,
            unsafe SSL_CTX_set_cipher_list(ctx, cString(Preset.ciphers)) == 1,
            unsafe copenssl_ctx_set_min(ctx, preset.versions.lowerBound) == 1, unsafe copenssl_ctx_set_max(ctx, 0) == 1
        else { throw SettingRefused("OpenSSL does not take the preset", .drain()) }
        versions = preset.versions
        versionsOfCiphers = nil
        _ = unsafe SSL_CTX_clear_options(ctx, copenssl_op_server_preference())
        unsafe SSL_CTX_set_security_level(ctx, securityLevel)
        if usesKeys { try offerKeyCiphers() }
    }
}
