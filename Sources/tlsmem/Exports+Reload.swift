public import CTLSMem
internal import OpenSSLHandles

@implementation @_cdecl("tlsmem_ctx_reload")
public func tlsmem_ctx_reload(_ ctx: OpaquePointer!, _ fresh: OpaquePointer!) -> CInt {
    guard let context = unsafe Handle.object(ctx, Context.self), let fresh = unsafe Handle.object(fresh, Context.self)
    else { return TLSMEM_EINVAL.code }
    return context.reload(fresh)
}

@implementation @_cdecl("tlsmem_ctx_stats")
public func tlsmem_ctx_stats(_ ctx: OpaquePointer!, _ stats: UnsafeMutablePointer<tlsmem_ctx_stats_info>!) -> CInt {
    guard let context = unsafe Handle.object(ctx, Context.self), let stats = unsafe output(stats, { Int($0.size) })
    else { return TLSMEM_EINVAL.code }
    unsafe context.fill(&stats.pointee)
    return TLSMEM_OK.code
}

@implementation @_cdecl("tlsmem_generation")
public func tlsmem_generation(_ c: OpaquePointer!) -> UInt64 {
    unsafe connection(c).map { UInt64(clamping: $0.context.generation) } ?? 0
}
