internal import COpenSSL

/// How strictly the peer's chain is verified.
extension OwnedContext {
    /// It looks at what the peer shows: verifies its chain, or compares its key with the pins.
    package var examinesPeer: Bool { trust.verifies || !trust.pins.isEmpty }

    /// Its connections' chains are looked at, if only by OpenSSL, and without consequences. Where verification is off, our
    /// own does not: it compares keys, or asks the program.
    package var verifiesOrWould: Bool { trust.verifies || (trust.pins.isEmpty && !asksAboutVerdicts) }

    /// What a server asks of its clients; a client always verifies.
    package func setVerification(asks: Bool, requires: Bool, later: Bool = false) {
        (trust.verifies, trust.requires, trust.asksLater) = (asks, requires, later)
        applyVerification()
    }

    /// There has to be a certificate: any pin is one of a key that the peer shows.
    var requiresCertificate: Bool { trust.requires || !trust.pins.isEmpty }

    func applyVerification() {
        var mode = examinesPeer ? SSL_VERIFY_PEER : SSL_VERIFY_NONE
        if requiresCertificate { mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT }
        if trust.asksLater { mode |= SSL_VERIFY_POST_HANDSHAKE }
        unsafe SSL_CTX_set_verify(ctx, mode, noteVerifyDepth)
        unsafe SSL_CTX_set_cert_verify_callback(ctx, verifyChain, nil)
    }

    /// Leaves verification to OpenSSL, for who keeps the SSL_CTX when its owner goes; not where OpenSSL's is not enough.
    func giveUpVerification() {
        if trust.pins.isEmpty, !asksAboutVerdicts { unsafe SSL_CTX_set_cert_verify_callback(ctx, nil, nil) }
    }

    /// What OpenSSL has by default, said aloud: a connection that changes to this context would keep what is left open.
    func applyVerificationDefaults() {
        applyVerification()
        setVerifyDepth(100)
        _ = unsafe SSL_CTX_set_purpose(ctx, purposeOfPeer)
        // Its own default may be 1, which takes keys of 1024 bits.
        securityLevel = max(2, unsafe SSL_CTX_get_security_level(ctx))
        unsafe SSL_CTX_set_security_level(ctx, securityLevel)
    }

    private var purposeOfPeer: CInt { role == .client ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT }

    /// How many certificates may stand between the peer's and one that is trusted.
    package func setVerifyDepth(_ count: CInt) {
        unsafe SSL_CTX_set_verify_depth(ctx, count)
    }

    /// A certificate that is trusted ends the chain, whether or not it is its own issuer.
    package func setPartialChain(_ isEnough: Bool) {
        let parameters = unsafe SSL_CTX_get0_param(ctx)
        let flag = UInt(X509_V_FLAG_PARTIAL_CHAIN)
        _ =
            unsafe isEnough
            ? X509_VERIFY_PARAM_set_flags(parameters, flag) : X509_VERIFY_PARAM_clear_flags(parameters, flag)
    }

    package func setPurpose(isAny: Bool) throws(SettingRefused) {
        guard unsafe SSL_CTX_set_purpose(ctx, isAny ? X509_PURPOSE_ANY : purposeOfPeer) == 1 else {
            throw SettingRefused("OpenSSL does not take this purpose", .drain())
        }
        trust.takesAnyPurpose = isAny
    }

    package func setSecurityLevel(_ level: CInt) throws(SettingRefused) {
        guard level > 0 else { throw SettingRefused(SettingRefused.levelZero) }
        securityLevel = level
        unsafe SSL_CTX_set_security_level(ctx, level)
    }
}

extension SettingRefused {
    static var levelZero: StaticString { "level 0 takes keys of any size, and signatures that anybody can forge" }
}

/// Sets what a chain of the peer's is verified by: what is usual, and then, which counts, what the connection says. The order
/// is OpenSSL's. False without memory.
func setParameters(of check: OpaquePointer, _ ssl: OpaquePointer, _ usual: StaticString) -> Bool {
    let parameters = unsafe X509_STORE_CTX_get0_param(check)
    unsafe X509_VERIFY_PARAM_set_auth_level(parameters, SSL_get_security_level(ssl))
    return unsafe X509_STORE_CTX_set_default(check, cString(usual)) == 1
        && X509_VERIFY_PARAM_set1(parameters, SSL_get0_param(ssl)) == 1
}

/// Verifies a chain by everything that a context asks for. Returns 1, or 0 with the reason in `check`.
func verify(_ check: OpaquePointer, _ context: OwnedContext) -> CInt {
    if context.verifiesOrWould {
        guard unsafe X509_verify_cert(check) == 1 else { return 0 }
    } else {
        unsafe X509_STORE_CTX_set_error(check, X509_V_OK)
    }
    if unsafe context.trust.pins.isEmpty || hasPinnedKey(check, context.trust) { return 1 }
    unsafe X509_STORE_CTX_set_error(check, X509_V_ERR_DANE_NO_MATCH)
    unsafe X509_STORE_CTX_set_error_depth(check, 0)
    return unsafe noteVerifyDepth(0, check)
}

/// In place of OpenSSL's own verification, which knows of no pins, asks nobody, and has alerts of its own. Whoever steps a
/// connection keeps its context.
private let verifyChain: @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> CInt = { check, _ in
    guard let check = unsafe check,
        let found = unsafe X509_STORE_CTX_get_ex_data(check, SSL_get_ex_data_X509_STORE_CTX_idx()),
        let context = unsafe context(of: OpaquePointer(found))
    else { return 0 }
    let ssl = OpaquePointer(found)
    var isGood = unsafe verify(check, context)
    guard unsafe SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE else { return isGood }  // it has no consequences
    if context.asksAboutVerdicts, let inquiry = unsafe inquiry(of: ssl) {
        let verdict = unsafe inquiry.askAboutVerdict(check)
        unsafe X509_STORE_CTX_set_error(check, verdict)
        isGood = verdict == X509_V_OK ? 1 : 0
    }
    if isGood != 1 { unsafe chooseAlert(check, ssl) }
    return isGood
}
