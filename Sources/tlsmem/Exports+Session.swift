internal import CTLSMem
internal import OpenSSLHandles
internal import TLSEngine

@implementation @_cdecl("tlsmem_session_get")
public func tlsmem_session_get(_ c: OpaquePointer!) -> OpaquePointer! {
    guard let connection = unsafe connection(c),
        let session = connection.engine.newestSession(offered: connection.session)
    else { return nil }
    return unsafe Handle.handOut(session)
}

@implementation @_cdecl("tlsmem_session_set")
public func tlsmem_session_set(_ c: OpaquePointer!, _ session: OpaquePointer!) -> CInt {
    guard let connection = unsafe connection(c), let session = unsafe Handle.object(session, Session.self)
    else { return TLSMEM_EINVAL.code }
    return connection.offer(session)
}

@implementation @_cdecl("tlsmem_session_expires")
public func tlsmem_session_expires(_ session: OpaquePointer!) -> Int64 {
    Int64(unsafe Handle.object(session, Session.self)?.expires ?? 0)
}

@implementation @_cdecl("tlsmem_session_to_bytes")
public func tlsmem_session_to_bytes(_ session: OpaquePointer!, _ bytes: UnsafeMutableRawPointer!, _ n: Int) -> Int {
    guard let session = unsafe Handle.object(session, Session.self), unsafe input(bytes, n) != nil
    else { return TLSMEM_EINVAL.count }
    let count = unsafe session.write(to: UnsafeMutableRawBufferPointer(start: bytes, count: n)) ?? TLSMEM_ENOMEM.count
    return count > Session.bytesMax ? TLSMEM_ELIMIT.count : count
}

@implementation @_cdecl("tlsmem_session_from_bytes")
public func tlsmem_session_from_bytes(
    _ bytes: UnsafeRawPointer!, _ n: Int, _ session: UnsafeMutablePointer<OpaquePointer?>!
) -> CInt {
    guard let source = unsafe input(bytes, n), let target = unsafe session else { return TLSMEM_EINVAL.code }
    guard let session = unsafe Session.read(source) else { return TLSMEM_ESESSION.code }
    unsafe target.pointee = Handle.handOut(session)
    return TLSMEM_OK.code
}

@implementation @_cdecl("tlsmem_session_free")
public func tlsmem_session_free(_ session: OpaquePointer!) {
    guard let session = unsafe session else { return }
    unsafe Handle.takeBack(session, Session.self)
}

extension Connection {
    /// Offers a session in the handshake to come; from now on the server's name stays as it is.
    fileprivate func offer(_ session: Session) -> CInt {
        guard !isOver, case .going = course, engine.role == .client, engine.phase == .new, engine.earlyBytes == 0
        else { return TLSMEM_ESTATE.code }
        do {
            self.session = try engine.offer(session)
            return TLSMEM_OK.code
        } catch {
            return error.kind.status.code
        }
    }
}
