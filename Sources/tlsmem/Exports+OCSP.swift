public import CTLSMem
internal import OpenSSLHandles
internal import TLSEngine

// MARK: A server's own

@implementation @_cdecl("tlsmem_ctx_set_ocsp_response")
public func tlsmem_ctx_set_ocsp_response(_ ctx: OpaquePointer!, _ path: UnsafePointer<CChar>!) -> CInt {
    guard let path = unsafe path else { return TLSMEM_EINVAL.code }
    return unsafe renewStaples(ctx, path) { () throws(SettingRefused) in
        try unsafe PEMSource(path: path, bytesMax: PEMSource.identityBytesMax)
    }
}

@implementation @_cdecl("tlsmem_ctx_set_ocsp_response_mem")
public func tlsmem_ctx_set_ocsp_response_mem(_ ctx: OpaquePointer!, _ bytes: UnsafeRawPointer!, _ n: Int) -> CInt {
    guard let bytes = unsafe input(bytes, n) else { return TLSMEM_EINVAL.code }
    return unsafe renewStaples(ctx, nil) { () throws(SettingRefused) in
        try unsafe PEMSource(bytes, bytesMax: PEMSource.identityBytesMax)
    }
}

private func renewStaples(
    _ ctx: OpaquePointer?, _ subject: UnsafePointer<CChar>?, caller: StaticString = #function,
    _ read: () throws(SettingRefused) -> PEMSource
) -> CInt {
    guard let context = unsafe Handle.object(ctx, Context.self, caller) else { return TLSMEM_EINVAL.code }
    return unsafe context.renew(subject) { (openSSL) throws(SettingRefused) in
        try expectServer(openSSL, "ocsp_response", "only a server has a certificate that a response is stapled to")
        try openSSL.setStaples(try read())
    }
}

@implementation @_cdecl("tlsmem_ctx_set_ocsp_cb")
public func tlsmem_ctx_set_ocsp_cb(
    _ ctx: OpaquePointer!, _ cb: tlsmem_ocsp_cb!, _ user: UnsafeMutableRawPointer!
) -> CInt {
    guard let context = unsafe Handle.object(ctx, Context.self) else { return TLSMEM_EINVAL.code }
    return unsafe context.set(nil) { (openSSL) throws(SettingRefused) in
        try expectServer(openSSL, "cb", "only a server has a certificate that a response is stapled to")
        openSSL.askForStaples(unsafe cb != nil)
        unsafe context.onOCSP = unsafe cb.map { unsafe ($0, user) }
    }
}

// MARK: What a client wants

@implementation @_cdecl("tlsmem_ctx_request_ocsp")
public func tlsmem_ctx_request_ocsp(_ ctx: OpaquePointer!) -> CInt {
    unsafe requestStaples(ctx, requires: false)
}

@implementation @_cdecl("tlsmem_ctx_require_ocsp")
public func tlsmem_ctx_require_ocsp(_ ctx: OpaquePointer!) -> CInt {
    unsafe requestStaples(ctx, requires: true)
}

private func requestStaples(_ ctx: OpaquePointer?, requires: Bool, caller: StaticString = #function) -> CInt {
    unsafe set(ctx, caller: caller) { (openSSL) throws(SettingRefused) in
        try expectClient(openSSL, "ctx", "only a client asks for OCSP responses")
        openSSL.requestStaples(requires: requires)
    }
}

// MARK: What came

@implementation @_cdecl("tlsmem_ocsp_info")
public func tlsmem_ocsp_info(_ c: OpaquePointer!, _ info: UnsafeMutablePointer<tlsmem_ocsp_details>!) -> CInt {
    guard let connection = unsafe connection(c), let info = unsafe output(info, { Int($0.size) })
    else { return TLSMEM_EINVAL.code }
    guard let facts = connection.engine.ask({ $0.stapleFacts }) else { return TLSMEM_AGAIN.code }
    unsafe info.pointee.fill(facts)
    return TLSMEM_OK.code
}

@implementation @_cdecl("tlsmem_ocsp_response")
public func tlsmem_ocsp_response(_ c: OpaquePointer!, _ der: UnsafeMutableRawPointer!, _ n: Int) -> Int {
    guard let connection = unsafe connection(c), unsafe input(der, n) != nil else { return TLSMEM_EINVAL.count }
    guard let response = unsafe connection.engine.ask({ unsafe $0.stapledResponse }) else { return TLSMEM_AGAIN.count }
    if n >= response.count { unsafe UnsafeMutableRawBufferPointer(start: der, count: n).copyBytes(from: response) }
    return response.count
}

extension tlsmem_ocsp_details {
    fileprivate mutating func fill(_ facts: StapleFacts) {
        is_good = facts.verdict == .good ? 1 : 0
        status = facts.status ?? -1
        reason = facts.reason
        revoked_at = facts.revokedAt ?? .min
        produced_at = facts.producedAt ?? .min
        this_update = facts.thisUpdate ?? .min
        next_update = facts.nextUpdate ?? .min
        unsafe withUnsafeMutableBytes(of: &sentence) { target in
            var text = unsafe Sentence(target)
            text.append(facts.verdict == .missing ? "the responder had no answer" : facts.verdict.sentence)
        }
    }
}
