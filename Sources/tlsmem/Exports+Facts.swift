public import CTLSMem
internal import OpenSSLHandles
internal import TLSEngine

@implementation @_cdecl("tlsmem_protocol")
public func tlsmem_protocol(_ c: OpaquePointer!) -> CInt {
    guard let connection = unsafe connection(c), connection.wasEstablished else { return 0 }
    return connection.engine.ask { $0.protocolVersion }
}

@implementation @_cdecl("tlsmem_protocol_name")
public func tlsmem_protocol_name(_ c: OpaquePointer!) -> UnsafePointer<CChar>! {
    unsafe name(c) { unsafe $0.protocolName }
}

@implementation @_cdecl("tlsmem_cipher_name")
public func tlsmem_cipher_name(_ c: OpaquePointer!) -> UnsafePointer<CChar>! {
    unsafe name(c) { unsafe $0.cipherName }
}

@implementation @_cdecl("tlsmem_group_name")
public func tlsmem_group_name(_ c: OpaquePointer!) -> UnsafePointer<CChar>! {
    unsafe name(c) { unsafe $0.groupName }
}

@implementation @_cdecl("tlsmem_alpn")
public func tlsmem_alpn(
    _ c: OpaquePointer!, _ name: UnsafeMutablePointer<UnsafePointer<CChar>?>!, _ n: UnsafeMutablePointer<Int>!
) -> CInt {
    guard let connection = unsafe connection(c), let name = unsafe name, let n = unsafe n
    else { return TLSMEM_EINVAL.code }
    let alpn = unsafe connection.engine.ask { unsafe $0.alpn }
    guard let start = alpn.baseAddress, alpn.count > 0 else { return TLSMEM_AGAIN.code }
    unsafe name.pointee = start.assumingMemoryBound(to: CChar.self)
    unsafe n.pointee = alpn.count
    return TLSMEM_OK.code
}

@implementation @_cdecl("tlsmem_server_name")
public func tlsmem_server_name(_ c: OpaquePointer!) -> UnsafePointer<CChar>! {
    unsafe connection(c)?.engine.ask { unsafe $0.serverName }
}

@implementation @_cdecl("tlsmem_is_resumed")
public func tlsmem_is_resumed(_ c: OpaquePointer!) -> CInt {
    guard let connection = unsafe connection(c) else { return 0 }
    return connection.engine.ask { $0.isResumed } ? 1 : 0
}

@implementation @_cdecl("tlsmem_error")
public func tlsmem_error(_ c: OpaquePointer!, _ error: UnsafeMutablePointer<tlsmem_error_info>!) -> CInt {
    guard let connection = unsafe connection(c), let error = unsafe output(error, { Int($0.size) })
    else { return TLSMEM_EINVAL.code }
    unsafe error.pointee = .none
    unsafe connection.currentFailure?.fill(&error.pointee, subject: connection.subjectThatFailed)
    return TLSMEM_OK.code
}

@implementation @_cdecl("tlsmem_stats")
public func tlsmem_stats(_ c: OpaquePointer!, _ stats: UnsafeMutablePointer<tlsmem_stats_info>!) -> CInt {
    guard let connection = unsafe connection(c), let stats = unsafe output(stats, { Int($0.size) })
    else { return TLSMEM_EINVAL.code }
    unsafe connection.fill(&stats.pointee)
    return TLSMEM_OK.code
}

@implementation @_cdecl("tlsmem_trim")
public func tlsmem_trim(_ c: OpaquePointer!) -> CInt {
    guard let connection = unsafe connection(c) else { return TLSMEM_EINVAL.code }
    return connection.trim()
}

/// A name that is known once the handshake is done.
func name(
    _ c: OpaquePointer?, caller: StaticString = #function, _ ask: (borrowing OwnedSSL) -> UnsafePointer<CChar>?
) -> UnsafePointer<CChar>? {
    guard let connection = unsafe connection(c, caller: caller), connection.wasEstablished,
        let name = unsafe connection.engine.ask(ask)
    else { return unsafe cString("") }
    return unsafe name
}
