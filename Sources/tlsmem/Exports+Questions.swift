internal import CLinux
public import CTLSMem
internal import OpenSSLHandles

@implementation @_cdecl("tlsmem_ctx_set_client_hello_cb")
public func tlsmem_ctx_set_client_hello_cb(
    _ ctx: OpaquePointer!, _ cb: tlsmem_client_hello_cb!, _ user: UnsafeMutableRawPointer!
) -> CInt {
    guard let context = unsafe Handle.object(ctx, Context.self) else { return TLSMEM_EINVAL.code }
    return unsafe context.set(nil) { (openSSL) throws(SettingRefused) in
        try expectServer(openSSL, "cb", "only a server sees a ClientHello")
        openSSL.askAboutHellos(unsafe cb != nil)
        unsafe context.onClientHello = unsafe cb.map { unsafe ($0, user) }
    }
}

@implementation @_cdecl("tlsmem_ctx_set_verify_cb")
public func tlsmem_ctx_set_verify_cb(
    _ ctx: OpaquePointer!, _ cb: tlsmem_verify_cb!, _ user: UnsafeMutableRawPointer!
) -> CInt {
    guard let context = unsafe Handle.object(ctx, Context.self) else { return TLSMEM_EINVAL.code }
    return unsafe context.set(nil) { openSSL in
        openSSL.askAboutVerdicts(unsafe cb != nil)
        unsafe context.onVerify = unsafe cb.map { unsafe ($0, user) }
    }
}

@implementation @_cdecl("tlsmem_set_ctx")
public func tlsmem_set_ctx(_ c: OpaquePointer!, _ ctx: OpaquePointer!) -> CInt {
    guard let connection = unsafe connection(c), let context = unsafe Handle.object(ctx, Context.self)
    else { return TLSMEM_EINVAL.code }
    return connection.change(to: context.current)
}

@implementation @_cdecl("tlsmem_select_alpn")
public func tlsmem_select_alpn(_ c: OpaquePointer!, _ name: UnsafePointer<CChar>!) -> CInt {
    guard let connection = unsafe connection(c), let name = unsafe name else { return TLSMEM_EINVAL.code }
    return connection.selectALPN(unsafe UnsafeRawBufferPointer(start: name, count: strlen(name)).bytes)
}

@implementation @_cdecl("tlsmem_answer")
public func tlsmem_answer(
    _ c: OpaquePointer!, _ token: UInt64, _ status: CInt, _ reply: UnsafePointer<tlsmem_reply>!
) -> CInt {
    guard let c = unsafe c, status != TLSMEM_LATER.code, let reply = unsafe Reply(status, reply)
    else { return TLSMEM_EINVAL.code }
    return (unsafe Decision.answer(token, of: c, reply) ? TLSMEM_OK : TLSMEM_ESTATE).code
}

extension Reply {
    /// Copies what C gave us; nil when that is no reply.
    fileprivate init?(_ status: CInt, _ reply: UnsafePointer<tlsmem_reply>?) {
        self.init(status: status)
        guard let reply = unsafe reply?.pointee else { return }
        guard unsafe reply.size == MemoryLayout<tlsmem_reply>.size, let bytes = unsafe input(reply.bytes, reply.length)
        else { return nil }
        self.bytes = unsafe Array(bytes)
        context = unsafe Handle.object(reply.ctx, Context.self)
        alpn = unsafe reply.alpn.map { unsafe Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
        identity =
            unsafe reply.identity.map { unsafe Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) } ?? []
        accepts = unsafe reply.insecure_accept == 1
    }
}
