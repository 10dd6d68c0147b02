internal import CTLSMem
internal import OpenSSLHandles
internal import TLSEngine

@implementation @_cdecl("tlsmem_ctx_set_key_update")
public func tlsmem_ctx_set_key_update(_ ctx: OpaquePointer!, _ bytes: UInt64, _ seconds: UInt32) -> CInt {
    guard let context = unsafe Handle.object(ctx, Context.self) else { return TLSMEM_EINVAL.code }
    return unsafe context.set(nil) { _ in context.limits.keyLife = KeyLife(bytes: bytes, seconds: seconds) }
}

@implementation @_cdecl("tlsmem_ctx_set_post_handshake_auth")
public func tlsmem_ctx_set_post_handshake_auth(_ ctx: OpaquePointer!, _ offered: CInt) -> CInt {
    unsafe set(ctx) { (openSSL) throws(SettingRefused) in
        try expectClient(openSSL, "offered", "a server asks: tlsmem_request_certificate")
        openSSL.setAuthenticatesLater(offered != 0)
    }
}

@implementation @_cdecl("tlsmem_request_certificate")
public func tlsmem_request_certificate(
    _ c: OpaquePointer!, _ done: (@convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> Void)!,
    _ user: UnsafeMutableRawPointer!
) -> CInt {
    guard let connection = unsafe connection(c) else { return TLSMEM_EINVAL.code }
    return connection.request(unsafe ToldRequest(done, user))
}
