public import CTLSMem
internal import OpenSSLHandles

@implementation @_cdecl("tlsmem_ctx_set_sign_cb")
public func tlsmem_ctx_set_sign_cb(
    _ ctx: OpaquePointer!, _ cb: tlsmem_sign_cb!, _ user: UnsafeMutableRawPointer!
) -> CInt {
    guard let context = unsafe Handle.object(ctx, Context.self) else { return TLSMEM_EINVAL.code }
    return unsafe context.set(nil) { (openSSL) throws(SettingRefused) in
        try openSSL.askForSignatures(unsafe cb != nil)
        unsafe context.onSign = unsafe cb.map { unsafe ($0, user) }
    }
}

@implementation @_cdecl("tlsmem_ctx_set_client_cert_cb")
public func tlsmem_ctx_set_client_cert_cb(
    _ ctx: OpaquePointer!, _ cb: tlsmem_client_cert_cb!, _ user: UnsafeMutableRawPointer!
) -> CInt {
    guard let context = unsafe Handle.object(ctx, Context.self) else { return TLSMEM_EINVAL.code }
    return unsafe context.set(nil) { (openSSL) throws(SettingRefused) in
        guard openSSL.role == .client else { throw SettingRefused(argument: "cb", "only a client chooses so") }
        openSSL.askAboutCertificates(unsafe cb != nil)
        unsafe context.onCertificate = unsafe cb.map { unsafe ($0, user) }
    }
}
