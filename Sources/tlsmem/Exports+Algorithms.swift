internal import CTLSMem
internal import OpenSSLHandles
internal import TLSEngine

@implementation @_cdecl("tlsmem_cipher_id")
public func tlsmem_cipher_id(_ c: OpaquePointer!) -> CInt {
    unsafe number(c) { $0.cipherID }
}

@implementation @_cdecl("tlsmem_group_id")
public func tlsmem_group_id(_ c: OpaquePointer!) -> CInt {
    unsafe number(c) { $0.groupID }
}

@implementation @_cdecl("tlsmem_signature_id")
public func tlsmem_signature_id(_ c: OpaquePointer!) -> CInt {
    unsafe number(c) { $0.peerSignature?.id }
}

@implementation @_cdecl("tlsmem_signature_name")
public func tlsmem_signature_name(_ c: OpaquePointer!) -> UnsafePointer<CChar>! {
    unsafe name(c) { unsafe cString($0.peerSignature?.name ?? "") }
}

@implementation @_cdecl("tlsmem_own_signature_id")
public func tlsmem_own_signature_id(_ c: OpaquePointer!) -> CInt {
    unsafe number(c) { $0.ownSignature?.id }
}

@implementation @_cdecl("tlsmem_own_signature_name")
public func tlsmem_own_signature_name(_ c: OpaquePointer!) -> UnsafePointer<CChar>! {
    unsafe name(c) { unsafe cString($0.ownSignature?.name ?? "") }
}

/// A number that is known once the handshake is done.
private func number(
    _ c: OpaquePointer?, caller: StaticString = #function, _ ask: (borrowing OwnedSSL) -> UInt16?
) -> CInt {
    guard let connection = unsafe connection(c, caller: caller), connection.wasEstablished else { return 0 }
    return CInt(connection.engine.ask(ask) ?? 0)
}
