internal import CLinux
public import CTLSMem
internal import OpenSSLHandles

@implementation @_cdecl("tlsmem_ctx_set_client_hello_cb")
public func tlsmem_ctx_set_client_hello_cb(
    _ ctx: OpaquePointer!, _ cb: tlsmem_client_hello_cb!, _ user: UnsafeMutableRawPointer!
) -> CInt {
    guard let context = unsafe Handle.object(ctx, Context.self), context.openSSL.role == .server
    else { return TLSMEM_EINVAL.code }
    return unsafe context.set(nil) { (openSSL) throws(SettingRefused) in
        try openSSL.askAboutHellos(unsafe cb != nil)
        unsafe context.onClientHello = unsafe cb.map { unsafe ($0, user) }
    }
}

@implementation @_cdecl("tlsmem_ctx_set_verify_cb")
public func tlsmem_ctx_set_verify_cb(
    _ ctx: OpaquePointer!, _ cb: tlsmem_verify_cb!, _ user: UnsafeMutableRawPointer!
) -> CInt {
    guard let context = unsafe Handle.object(ctx, Context.self) else { return TLSMEM_EINVAL.code }
    return unsafe context.set(nil) { (openSSL) throws(SettingRefused) in
        try openSSL.askAboutVerdicts(unsafe cb != nil)
        unsafe context.onVerify = unsafe cb.map { unsafe ($0, user) }
    }
}

@implementation @_cdecl("tlsmem_set_ctx")
public func tlsmem_set_ctx(_ c: OpaquePointer!, _ ctx: OpaquePointer!) -> CInt {
    guard let connection = unsafe connection(c), let context = unsafe Handle.object(ctx, Context.self)
    else { return TLSMEM_EINVAL.code }
    return connection.change(to: context)
}

@implementation @_cdecl("tlsmem_select_alpn")
public func tlsmem_select_alpn(_ c: OpaquePointer!, _ name: UnsafePointer<CChar>!) -> CInt {
    guard let connection = unsafe connection(c), let name = unsafe name else { return TLSMEM_EINVAL.code }
    return connection.selectALPN(unsafe UnsafeRawBufferPointer(start: name, count: strlen(name)).bytes)
}
