public import CTLSMem
internal import OpenSSLHandles

@implementation @_cdecl("tlsmem_ctx_new")
public func tlsmem_ctx_new(_ role: tlsmem_role) -> OpaquePointer! {
    guard role == TLSMEM_CLIENT || role == TLSMEM_SERVER else { return nil }
    guard let context = try? OwnedContext(role == TLSMEM_CLIENT ? .client : .server) else { return nil }
    return unsafe Handle.handOut(Context(context))
}

@implementation @_cdecl("tlsmem_ctx_ref")
public func tlsmem_ctx_ref(_ ctx: OpaquePointer!) -> OpaquePointer! {
    guard let context = unsafe Handle.object(ctx, Context.self) else { return nil }
    return unsafe Handle.handOut(context)
}

@implementation @_cdecl("tlsmem_ctx_free")
public func tlsmem_ctx_free(_ ctx: OpaquePointer!) {
    guard let ctx = unsafe ctx else { return }
    unsafe Handle.takeBack(ctx, Context.self)
}

@implementation @_cdecl("tlsmem_ctx_native")
public func tlsmem_ctx_native(_ ctx: OpaquePointer!) -> UnsafeMutableRawPointer! {
    unsafe Handle.object(ctx, Context.self)?.current.openSSL.native
}

@implementation @_cdecl("tlsmem_ctx_error")
public func tlsmem_ctx_error(_ ctx: OpaquePointer!, _ error: UnsafeMutablePointer<tlsmem_error_info>!) -> CInt {
    guard let context = unsafe Handle.object(ctx, Context.self), let error = unsafe output(error, { Int($0.size) })
    else { return TLSMEM_EINVAL.code }
    unsafe error.pointee = .none
    unsafe context.fill(&error.pointee)
    return TLSMEM_OK.code
}

// MARK: Conduct

@implementation @_cdecl("tlsmem_ctx_set_renegotiation")
public func tlsmem_ctx_set_renegotiation(_ ctx: OpaquePointer!, _ allowed: CInt) -> CInt {
    unsafe set(ctx) { (openSSL) throws(SettingRefused) in
        let number = UInt32(bitPattern: allowed)
        let allowed = Renegotiation(tlsmem_renegotiation(rawValue: number))
        openSSL.setRenegotiation(try known(allowed, number, "there is no such tlsmem_renegotiation"))
    }
}

@implementation @_cdecl("tlsmem_ctx_set_keylog")
public func tlsmem_ctx_set_keylog(_ ctx: OpaquePointer!, _ path: UnsafePointer<CChar>!) -> CInt {
    unsafe set(ctx, text: path, OwnedContext.setKeylog)
}

@implementation @_cdecl("tlsmem_ctx_set_limits")
public func tlsmem_ctx_set_limits(_ ctx: OpaquePointer!, _ limits: UnsafePointer<tlsmem_limits>!) -> CInt {
    guard let context = unsafe Handle.object(ctx, Context.self), let limits = unsafe limits
    else { return TLSMEM_EINVAL.code }
    return context.setLimits(unsafe limits.pointee)
}

extension tlsmem_error_info {
    /// As TLSMEM_ERROR_INFO_INIT.
    static var none: tlsmem_error_info {
        var info = tlsmem_error_info()
        info.size = MemoryLayout<tlsmem_error_info>.size
        info.alert_sent = -1
        info.alert_received = -1
        info.verify_depth = -1
        return info
    }
}

extension Renegotiation {
    init?(_ renegotiation: tlsmem_renegotiation) {
        switch renegotiation {
        case TLSMEM_RENEGOTIATE_NEVER: self = .never
        case TLSMEM_RENEGOTIATE_ALWAYS: self = .always
        case TLSMEM_RENEGOTIATE_ONCE: self = .once
        default: return nil
        }
    }
}
