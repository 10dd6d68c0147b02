public import CTLSMem
internal import OpenSSLHandles

// MARK: Whom we trust

@implementation @_cdecl("tlsmem_ctx_set_ca_file")
public func tlsmem_ctx_set_ca_file(_ ctx: OpaquePointer!, _ path: UnsafePointer<CChar>!) -> CInt {
    unsafe set(ctx, file: path, OwnedContext.addTrust(_:))
}

@implementation @_cdecl("tlsmem_ctx_set_ca_mem")
public func tlsmem_ctx_set_ca_mem(_ ctx: OpaquePointer!, _ pem: UnsafeRawPointer!, _ n: Int) -> CInt {
    unsafe set(ctx, pem, n, OwnedContext.addTrust(_:))
}

@implementation @_cdecl("tlsmem_ctx_set_ca_dir")
public func tlsmem_ctx_set_ca_dir(_ ctx: OpaquePointer!, _ path: UnsafePointer<CChar>!) -> CInt {
    unsafe set(ctx, text: path, OwnedContext.addTrust(directory:))
}

@implementation @_cdecl("tlsmem_ctx_set_ca_system")
public func tlsmem_ctx_set_ca_system(_ ctx: OpaquePointer!) -> CInt {
    unsafe set(ctx) { (openSSL) throws(SettingRefused) in try openSSL.addSystemTrust() }
}

@implementation @_cdecl("tlsmem_ctx_set_accepted_ca_file")
public func tlsmem_ctx_set_accepted_ca_file(_ ctx: OpaquePointer!, _ path: UnsafePointer<CChar>!) -> CInt {
    unsafe set(ctx, file: path, OwnedContext.setAcceptedAuthorities)
}

@implementation @_cdecl("tlsmem_ctx_set_accepted_ca_mem")
public func tlsmem_ctx_set_accepted_ca_mem(_ ctx: OpaquePointer!, _ pem: UnsafeRawPointer!, _ n: Int) -> CInt {
    unsafe set(ctx, pem, n, OwnedContext.setAcceptedAuthorities)
}

// MARK: What was taken back

@implementation @_cdecl("tlsmem_ctx_add_crl")
public func tlsmem_ctx_add_crl(_ ctx: OpaquePointer!, _ path: UnsafePointer<CChar>!) -> CInt {
    unsafe set(ctx, file: path, OwnedContext.addRevocations)
}

@implementation @_cdecl("tlsmem_ctx_add_crl_mem")
public func tlsmem_ctx_add_crl_mem(_ ctx: OpaquePointer!, _ crl: UnsafeRawPointer!, _ n: Int) -> CInt {
    unsafe set(ctx, crl, n, OwnedContext.addRevocations)
}

@implementation @_cdecl("tlsmem_ctx_set_crl_check")
public func tlsmem_ctx_set_crl_check(_ ctx: OpaquePointer!, _ check: tlsmem_crl_check) -> CInt {
    unsafe set(ctx) { (openSSL) throws(SettingRefused) in
        let wanted = UInt8(exactly: check.rawValue).flatMap { RevocationCheck(rawValue: $0) }
        openSSL.setRevocationCheck(try known(wanted, check.rawValue, "there is no such tlsmem_crl_check"))
    }
}

// MARK: Verification

@implementation @_cdecl("tlsmem_ctx_set_verify")
public func tlsmem_ctx_set_verify(_ ctx: OpaquePointer!, _ verify: tlsmem_verify) -> CInt {
    let (asks, isLater) = (verify != TLSMEM_VERIFY_NONE, verify == TLSMEM_VERIFY_LATER)
    let requires = verify == TLSMEM_VERIFY_REQUIRED
    let isKnown = verify.rawValue <= TLSMEM_VERIFY_LATER.rawValue
    return unsafe set(ctx) { (openSSL) throws(SettingRefused) in
        _ = try known(isKnown ? verify : nil, verify.rawValue, "there is no such tlsmem_verify")
        _ = try known(
            openSSL.role == .server || requires ? verify : nil, verify.rawValue,
            "a client's tlsmem_verify is TLSMEM_VERIFY_REQUIRED (2) always")
        openSSL.setVerification(asks: asks, requires: requires || isLater, later: isLater)
    }
}

@implementation @_cdecl("tlsmem_ctx_insecure_no_verify")
public func tlsmem_ctx_insecure_no_verify(_ ctx: OpaquePointer!) -> CInt {
    unsafe set(ctx) { $0.setVerification(asks: false, requires: false) }
}

@implementation @_cdecl("tlsmem_ctx_add_pin")
public func tlsmem_ctx_add_pin(_ ctx: OpaquePointer!, _ sha256: UnsafePointer<UInt8>!) -> CInt {
    guard let digest = unsafe input(sha256, 32) else { return TLSMEM_EINVAL.code }
    return unsafe set(ctx) { $0.addPin(unsafe [UInt8](digest)) }
}

@implementation @_cdecl("tlsmem_ctx_set_verify_depth")
public func tlsmem_ctx_set_verify_depth(_ ctx: OpaquePointer!, _ count: CInt) -> CInt {
    unsafe set(ctx) { (openSSL) throws(SettingRefused) in
        try expect(count, in: 0...100, "the number of intermediates is not 0 to 100")
        openSSL.setVerifyDepth(count)
    }
}

@implementation @_cdecl("tlsmem_ctx_set_partial_chain")
public func tlsmem_ctx_set_partial_chain(_ ctx: OpaquePointer!, _ enough: CInt) -> CInt {
    unsafe set(ctx) { $0.setPartialChain(enough != 0) }
}

@implementation @_cdecl("tlsmem_ctx_set_purpose")
public func tlsmem_ctx_set_purpose(_ ctx: OpaquePointer!, _ purpose: tlsmem_purpose) -> CInt {
    unsafe set(ctx) { (openSSL) throws(SettingRefused) in
        let isKnown = purpose.rawValue <= TLSMEM_PURPOSE_INSECURE_ANY.rawValue
        let isAny = isKnown ? purpose == TLSMEM_PURPOSE_INSECURE_ANY : nil
        try openSSL.setPurpose(isAny: try known(isAny, purpose.rawValue, "there is no such tlsmem_purpose"))
    }
}

@implementation @_cdecl("tlsmem_ctx_set_security_level")
public func tlsmem_ctx_set_security_level(_ ctx: OpaquePointer!, _ level: CInt) -> CInt {
    unsafe set(ctx) { (openSSL) throws(SettingRefused) in
        try expect(level, in: 0...5, "the security level is not 1 to 5")
        try openSSL.setSecurityLevel(level)
    }
}
