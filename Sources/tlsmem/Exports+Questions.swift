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
    guard let c = unsafe c, status != TLSMEM_LATER.code, let given = unsafe GivenReply(reply)
    else { return TLSMEM_EINVAL.code }
    guard let copy = given.copy(status) else { return TLSMEM_ENOMEM.code }
    return (unsafe Decision.answer(token, of: c, copy) ? TLSMEM_OK : TLSMEM_ESTATE).code
}

/// A reply as C gives it.
@safe private struct GivenReply {
    private var reply = unsafe tlsmem_reply()
    private let bytes: UnsafeRawBufferPointer

    /// Nil when it is none.
    init?(_ reply: UnsafePointer<tlsmem_reply>?) {
        if let reply = unsafe reply?.pointee {
            guard unsafe reply.size == MemoryLayout<tlsmem_reply>.size else { return nil }
            unsafe self.reply = reply
        }
        guard let bytes = unsafe input(self.reply.bytes, self.reply.length) else { return nil }
        unsafe self.bytes = bytes
    }

    /// Nil without memory.
    func copy(_ status: CInt) -> Reply? {
        var copy = Reply(status: status)
        if unsafe bytes.count > 0 {
            guard let secret = unsafe SecretBytes.copy(bytes) else { return nil }
            copy.bytes = secret
        }
        copy.context = unsafe Handle.object(reply.ctx, Context.self)
        copy.alpn = unsafe reply.alpn.map { unsafe Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
        copy.identity =
            unsafe reply.identity.map { unsafe Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) } ?? []
        copy.accepts = unsafe reply.insecure_accept == 1
        return copy
    }
}
