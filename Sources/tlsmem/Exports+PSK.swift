public import CTLSMem
internal import OpenSSLHandles
internal import TLSEngine

@implementation @_cdecl("tlsmem_ctx_set_psk")
public func tlsmem_ctx_set_psk(
    _ ctx: OpaquePointer!, _ identity: UnsafePointer<CChar>!, _ key: UnsafeRawPointer!, _ n: Int
) -> CInt {
    guard let identity = unsafe identity, let key = unsafe input(key, n) else { return TLSMEM_EINVAL.code }
    return unsafe set(ctx) { (openSSL) throws(SettingRefused) in try unsafe openSSL.setPresharedKey(identity, key) }
}

@implementation @_cdecl("tlsmem_psk_identity")
public func tlsmem_psk_identity(_ c: OpaquePointer!) -> UnsafePointer<CChar>! {
    unsafe connection(c)?.engine.ask { unsafe $0.keyIdentity }
}

@implementation @_cdecl("tlsmem_ctx_set_psk_cb")
public func tlsmem_ctx_set_psk_cb(
    _ ctx: OpaquePointer!, _ cb: tlsmem_psk_cb!, _ user: UnsafeMutableRawPointer!
) -> CInt {
    guard let context = unsafe Handle.object(ctx, Context.self) else { return TLSMEM_EINVAL.code }
    return unsafe context.set(nil) { (openSSL) throws(SettingRefused) in
        try openSSL.askForKeys(unsafe cb != nil)
        unsafe context.onPSK = unsafe cb.map { unsafe ($0, user) }
    }
}
