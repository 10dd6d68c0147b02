public import CTLSMem

@implementation @_cdecl("tlsmem_ctx_set_keylog_cb")
public func tlsmem_ctx_set_keylog_cb(
    _ ctx: OpaquePointer!,
    _ cb: (@convention(c) (OpaquePointer?, UnsafePointer<CChar>?, UnsafeMutableRawPointer?) -> Void)!,
    _ user: UnsafeMutableRawPointer!
) -> CInt {
    guard let context = unsafe Handle.object(ctx, Context.self) else { return TLSMEM_EINVAL.code }
    return context.listen { unsafe ($1.keylog, $1.keylogUser) = (cb, user) }
}

@implementation @_cdecl("tlsmem_ctx_set_trace_cb")
public func tlsmem_ctx_set_trace_cb(
    _ ctx: OpaquePointer!,
    _ cb: (@convention(c) (OpaquePointer?, UnsafePointer<tlsmem_trace_info>?, UnsafeMutableRawPointer?) -> Void)!,
    _ user: UnsafeMutableRawPointer!
) -> CInt {
    guard let context = unsafe Handle.object(ctx, Context.self) else { return TLSMEM_EINVAL.code }
    return context.listen { unsafe ($1.trace, $1.traceUser) = (cb, user) }
}
