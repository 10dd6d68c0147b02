public import CTLSMem
internal import OpenSSLHandles

@implementation @_cdecl("tlsmem_ctx_set_preset")
public func tlsmem_ctx_set_preset(_ ctx: OpaquePointer!, _ preset: tlsmem_preset) -> CInt {
    guard let preset = Preset(preset) else { return TLSMEM_EINVAL.code }
    return unsafe set(ctx) { (openSSL) throws(SettingRefused) in try openSSL.set(preset) }
}

@implementation @_cdecl("tlsmem_ctx_set_min_version")
public func tlsmem_ctx_set_min_version(_ ctx: OpaquePointer!, _ version: CInt) -> CInt {
    guard isVersion(version) else { return TLSMEM_EINVAL.code }
    return unsafe set(ctx) { (openSSL) throws(SettingRefused) in try openSSL.setMinimumVersion(version) }
}

@implementation @_cdecl("tlsmem_ctx_set_max_version")
public func tlsmem_ctx_set_max_version(_ ctx: OpaquePointer!, _ version: CInt) -> CInt {
    guard isVersion(version) else { return TLSMEM_EINVAL.code }
    return unsafe set(ctx) { (openSSL) throws(SettingRefused) in try openSSL.setMaximumVersion(version) }
}

@implementation @_cdecl("tlsmem_ctx_set_ciphers")
public func tlsmem_ctx_set_ciphers(_ ctx: OpaquePointer!, _ list: UnsafePointer<CChar>!) -> CInt {
    unsafe set(ctx, text: list, OwnedContext.setCiphers)
}

@implementation @_cdecl("tlsmem_ctx_set_groups")
public func tlsmem_ctx_set_groups(_ ctx: OpaquePointer!, _ list: UnsafePointer<CChar>!) -> CInt {
    unsafe set(ctx, text: list, OwnedContext.setGroups)
}

@implementation @_cdecl("tlsmem_ctx_set_signature_algorithms")
public func tlsmem_ctx_set_signature_algorithms(_ ctx: OpaquePointer!, _ list: UnsafePointer<CChar>!) -> CInt {
    unsafe set(ctx, text: list, OwnedContext.setSignatureAlgorithms)
}

@implementation @_cdecl("tlsmem_ctx_set_alpn")
public func tlsmem_ctx_set_alpn(_ ctx: OpaquePointer!, _ list: UnsafePointer<CChar>!) -> CInt {
    unsafe set(ctx, text: list ?? cString(""), OwnedContext.setALPN)
}

@implementation @_cdecl("tlsmem_ctx_set_alpn_policy")
public func tlsmem_ctx_set_alpn_policy(_ ctx: OpaquePointer!, _ policy: tlsmem_alpn_policy) -> CInt {
    guard let policy = ALPNPolicy(policy) else { return TLSMEM_EINVAL.code }
    return unsafe set(ctx) { $0.setALPNPolicy(policy) }
}

private func isVersion(_ version: CInt) -> Bool {
    version == CInt(TLSMEM_TLS1_2.rawValue) || version == CInt(TLSMEM_TLS1_3.rawValue)
}

extension Preset {
    init?(_ preset: tlsmem_preset) {
        switch preset {
        case TLSMEM_PRESET_MODERN: self = .modern
        case TLSMEM_PRESET_INTERMEDIATE: self = .intermediate
        default: return nil
        }
    }
}

extension ALPNPolicy {
    init?(_ policy: tlsmem_alpn_policy) {
        switch policy {
        case TLSMEM_ALPN_STRICT: self = .strict
        case TLSMEM_ALPN_LENIENT: self = .lenient
        case TLSMEM_ALPN_REQUIRED: self = .required
        default: return nil
        }
    }
}
