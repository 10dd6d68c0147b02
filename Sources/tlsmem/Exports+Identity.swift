internal import CTLSMem
internal import OpenSSLHandles

@implementation @_cdecl("tlsmem_ctx_set_cert_file")
public func tlsmem_ctx_set_cert_file(_ ctx: OpaquePointer!, _ path: UnsafePointer<CChar>!) -> CInt {
    unsafe set(ctx, file: path, OwnedContext.setCertificate)
}

@implementation @_cdecl("tlsmem_ctx_set_cert_mem")
public func tlsmem_ctx_set_cert_mem(_ ctx: OpaquePointer!, _ pem: UnsafeRawPointer!, _ n: Int) -> CInt {
    unsafe set(ctx, pem, n, OwnedContext.setCertificate)
}

@implementation @_cdecl("tlsmem_ctx_set_key_file")
public func tlsmem_ctx_set_key_file(_ ctx: OpaquePointer!, _ path: UnsafePointer<CChar>!) -> CInt {
    unsafe set(ctx, file: path, OwnedContext.setKey)
}

@implementation @_cdecl("tlsmem_ctx_set_key_mem")
public func tlsmem_ctx_set_key_mem(_ ctx: OpaquePointer!, _ pem: UnsafeRawPointer!, _ n: Int) -> CInt {
    unsafe set(ctx, pem, n, OwnedContext.setKey)
}
