public import CTLSMem
internal import OpenSSLHandles
internal import TLSEngine

@implementation @_cdecl("tlsmem_peer_certificate")
public func tlsmem_peer_certificate(_ c: OpaquePointer!, _ der: UnsafeMutableRawPointer!, _ n: Int) -> Int {
    unsafe copy(c, to: der, n, { $0.peer }, { $0.der })
}

@implementation @_cdecl("tlsmem_peer_subject")
public func tlsmem_peer_subject(_ c: OpaquePointer!, _ text: UnsafeMutablePointer<CChar>!, _ n: Int) -> Int {
    unsafe copy(c, text: text, n) { $0.peer?.subject }
}

@implementation @_cdecl("tlsmem_peer_issuer")
public func tlsmem_peer_issuer(_ c: OpaquePointer!, _ text: UnsafeMutablePointer<CChar>!, _ n: Int) -> Int {
    unsafe copy(c, text: text, n) { $0.peer?.issuer }
}

@implementation @_cdecl("tlsmem_peer_serial")
public func tlsmem_peer_serial(_ c: OpaquePointer!, _ text: UnsafeMutablePointer<CChar>!, _ n: Int) -> Int {
    unsafe copy(c, text: text, n) { $0.peer?.serial }
}

@implementation @_cdecl("tlsmem_peer_pem")
public func tlsmem_peer_pem(_ c: OpaquePointer!, _ text: UnsafeMutablePointer<CChar>!, _ n: Int) -> Int {
    unsafe copy(c, text: text, n) { $0.peerPEM }
}

@implementation @_cdecl("tlsmem_peer_chain")
public func tlsmem_peer_chain(_ c: OpaquePointer!, _ index: Int, _ der: UnsafeMutableRawPointer!, _ n: Int) -> Int {
    unsafe copy(c, to: der, n, { $0.peer(at: index) }, { $0.der })
}

@implementation @_cdecl("tlsmem_peer_verified_chain")
public func tlsmem_peer_verified_chain(
    _ c: OpaquePointer!, _ index: Int, _ der: UnsafeMutableRawPointer!, _ n: Int
) -> Int {
    unsafe copy(c, to: der, n, { $0.verifiedPeer(at: index) }, { $0.der })
}

@implementation @_cdecl("tlsmem_peer_san")
public func tlsmem_peer_san(_ c: OpaquePointer!, _ index: Int, _ text: UnsafeMutablePointer<CChar>!, _ n: Int) -> Int {
    guard let connection = unsafe connection(c), unsafe input(text, n) != nil else { return TLSMEM_EINVAL.count }
    guard let name = connection.peer?.name(at: index) else { return TLSMEM_AGAIN.count }
    return unsafe hand(name + [0], UnsafeMutableRawBufferPointer(start: text, count: n)) - 1
}

@implementation @_cdecl("tlsmem_peer_info")
public func tlsmem_peer_info(_ c: OpaquePointer!, _ info: UnsafeMutablePointer<tlsmem_peer_details>!) -> CInt {
    guard let connection = unsafe connection(c), let info = unsafe output(info, { Int($0.size) })
    else { return TLSMEM_EINVAL.code }
    guard let peer = connection.peer else { return TLSMEM_AGAIN.code }
    return unsafe connection.fill(&info.pointee, peer).code
}

@implementation @_cdecl("tlsmem_verify_result")
public func tlsmem_verify_result(_ c: OpaquePointer!, _ details: UnsafeMutablePointer<tlsmem_verify_details>!) -> CInt {
    guard let connection = unsafe connection(c), let details = unsafe output(details, { Int($0.size) })
    else { return TLSMEM_EINVAL.code }
    guard connection.peer != nil, connection.engine.configuration.context.verifiesOrWould else {
        return TLSMEM_AGAIN.code
    }
    unsafe connection.fill(&details.pointee)
    return TLSMEM_OK.code
}

// MARK: What they share

/// Copies bytes of a certificate.
private func copy(
    _ c: OpaquePointer?, to target: UnsafeMutableRawPointer?, _ n: Int, caller: StaticString = #function,
    _ which: (Connection) -> PeerCertificate?, _ what: (PeerCertificate) -> [UInt8]?
) -> Int {
    guard let connection = unsafe connection(c, caller: caller), unsafe input(target, n) != nil
    else { return TLSMEM_EINVAL.count }
    guard let certificate = which(connection) else { return TLSMEM_AGAIN.count }
    guard let bytes = what(certificate) else { return TLSMEM_ENOMEM.count }
    return unsafe hand(bytes, UnsafeMutableRawBufferPointer(start: target, count: n))
}

/// Copies text about the peer's certificate, with a NUL that does not count.
private func copy(
    _ c: OpaquePointer?, text target: UnsafeMutablePointer<CChar>?, _ n: Int, caller: StaticString = #function,
    _ what: (Connection) -> [UInt8]?
) -> Int {
    guard let connection = unsafe connection(c, caller: caller), unsafe input(target, n) != nil
    else { return TLSMEM_EINVAL.count }
    guard connection.peer != nil else { return TLSMEM_AGAIN.count }
    guard let text = what(connection) else { return TLSMEM_ENOMEM.count }
    return unsafe hand(text + [0], UnsafeMutableRawBufferPointer(start: target, count: n)) - 1
}

/// Copies if there is room, and returns the length in any case.
private func hand(_ bytes: [UInt8], _ target: UnsafeMutableRawBufferPointer) -> Int {
    if target.count >= bytes.count { unsafe target.copyBytes(from: bytes) }
    return bytes.count
}
