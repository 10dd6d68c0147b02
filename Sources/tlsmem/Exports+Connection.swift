public import CTLSMem
internal import OpenSSLHandles
internal import TLSEngine

@implementation @_cdecl("tlsmem_new")
public func tlsmem_new(
    _ ctx: OpaquePointer!, _ cb: UnsafePointer<tlsmem_callbacks>!, _ user: UnsafeMutableRawPointer!
) -> OpaquePointer! {
    guard let context = unsafe Handle.object(ctx, Context.self), let callbacks = unsafe copy(cb),
        let connection = unsafe Connection(context, callbacks, user)
    else { return nil }
    return unsafe Handle.handOut(connection)
}

@implementation @_cdecl("tlsmem_free")
public func tlsmem_free(_ c: OpaquePointer!) {
    guard let c = unsafe c, let connection = unsafe Handle.object(c, Connection.self) else { return }
    connection.free()
    unsafe Handle.takeBack(c, Connection.self)
}

@implementation @_cdecl("tlsmem_set_callbacks")
public func tlsmem_set_callbacks(
    _ c: OpaquePointer!, _ cb: UnsafePointer<tlsmem_callbacks>!, _ user: UnsafeMutableRawPointer!
) -> CInt {
    guard let connection = unsafe connection(c), let callbacks = unsafe copy(cb) else { return TLSMEM_EINVAL.code }
    connection.callbacks = callbacks
    unsafe connection.user = user
    connection.attend()
    return TLSMEM_OK.code
}

@implementation @_cdecl("tlsmem_user")
public func tlsmem_user(_ c: OpaquePointer!) -> UnsafeMutableRawPointer! {
    unsafe connection(c)?.user
}

@implementation @_cdecl("tlsmem_native")
public func tlsmem_native(_ c: OpaquePointer!) -> UnsafeMutableRawPointer! {
    unsafe connection(c)?.engine.ask { unsafe $0.native }
}

@implementation @_cdecl("tlsmem_set_server_name")
public func tlsmem_set_server_name(_ c: OpaquePointer!, _ name: UnsafePointer<CChar>!) -> CInt {
    guard let connection = unsafe connection(c), let name = unsafe name, unsafe name.pointee != 0
    else { return TLSMEM_EINVAL.code }
    guard connection.engine.role == .client, connection.engine.phase == .new else { return TLSMEM_ESTATE.code }
    guard connection.engine.setServerName({ unsafe $0.setServerName(name) }) else { return TLSMEM_EINVAL.code }
    connection.nameIsHosts = false
    return TLSMEM_OK.code
}

// MARK: State and deadlines

@implementation @_cdecl("tlsmem_handshake")
public func tlsmem_handshake(_ c: OpaquePointer!) -> CInt {
    guard let connection = unsafe connection(c) else { return TLSMEM_EINVAL.code }
    return connection.handshake()
}

@implementation @_cdecl("tlsmem_want")
public func tlsmem_want(_ c: OpaquePointer!, _ want: UnsafeMutablePointer<tlsmem_want_info>!) -> CInt {
    guard let connection = unsafe connection(c), let want = unsafe output(want, { Int($0.size) }) else {
        return TLSMEM_EINVAL.code
    }
    unsafe connection.fill(&want.pointee)
    return TLSMEM_OK.code
}

@implementation @_cdecl("tlsmem_is_established")
public func tlsmem_is_established(_ c: OpaquePointer!) -> CInt {
    guard let connection = unsafe connection(c) else { return 0 }
    return connection.wasEstablished ? 1 : 0
}

@implementation @_cdecl("tlsmem_deadline")
public func tlsmem_deadline(_ c: OpaquePointer!) -> Int64 {
    guard let connection = unsafe connection(c) else { return -1 }
    return connection.deadline
}

@implementation @_cdecl("tlsmem_tick")
public func tlsmem_tick(_ c: OpaquePointer!, _ now_ms: Int64) -> CInt {
    guard let connection = unsafe connection(c) else { return TLSMEM_EINVAL.code }
    return connection.tick(now_ms)
}

@implementation @_cdecl("tlsmem_set_timeout")
public func tlsmem_set_timeout(_ c: OpaquePointer!, _ which: tlsmem_timeout, _ ms: UInt32) -> CInt {
    guard let connection = unsafe connection(c), let which = Connection.Timeout(which) else {
        return TLSMEM_EINVAL.code
    }
    connection.setTimeout(which, ms)
    return TLSMEM_OK.code
}

// MARK: The buffers face

@implementation @_cdecl("tlsmem_feed")
public func tlsmem_feed(_ c: OpaquePointer!, _ bytes: UnsafeRawPointer!, _ n: Int) -> Int {
    guard let connection = unsafe connection(c), let ciphertext = unsafe input(bytes, n) else {
        return TLSMEM_EINVAL.count
    }
    return unsafe connection.feed(unsafe ciphertext)
}

@implementation @_cdecl("tlsmem_feed_eof")
public func tlsmem_feed_eof(_ c: OpaquePointer!) -> CInt {
    guard let connection = unsafe connection(c) else { return TLSMEM_EINVAL.code }
    return connection.feedEnd()
}

@implementation @_cdecl("tlsmem_outgoing_peek")
public func tlsmem_outgoing_peek(
    _ c: OpaquePointer!, _ bytes: UnsafeMutablePointer<UnsafeRawPointer?>!, _ n: UnsafeMutablePointer<Int>!
) -> CInt {
    guard let connection = unsafe connection(c), let bytes = unsafe bytes, let n = unsafe n
    else { return TLSMEM_EINVAL.code }
    guard !connection.hasTransport else { return TLSMEM_ESTATE.code }
    return connection.showOutgoing { unsafe show($0, bytes, n) } ?? TLSMEM_AGAIN.code
}

@implementation @_cdecl("tlsmem_outgoing_consume")
public func tlsmem_outgoing_consume(_ c: OpaquePointer!, _ n: Int) -> CInt {
    guard let connection = unsafe connection(c) else { return TLSMEM_EINVAL.code }
    return connection.consumeOutgoing(n)
}

// MARK: Plaintext

@implementation @_cdecl("tlsmem_write")
public func tlsmem_write(_ c: OpaquePointer!, _ bytes: UnsafeRawPointer!, _ n: Int) -> Int {
    guard let plaintext = unsafe input(bytes, n) else { return TLSMEM_EINVAL.count }
    return unsafe Handle.use(c, Connection.self) { unsafe $0.write(plaintext) } ?? TLSMEM_EINVAL.count
}

@implementation @_cdecl("tlsmem_writev")
public func tlsmem_writev(_ c: OpaquePointer!, _ pieces: UnsafePointer<iovec>!, _ count: CInt) -> Int {
    guard let connection = unsafe connection(c), let pieces = unsafe inputs(pieces, count) else {
        return TLSMEM_EINVAL.count
    }
    return unsafe connection.write(pieces)
}

@implementation @_cdecl("tlsmem_cork")
public func tlsmem_cork(_ c: OpaquePointer!) -> CInt {
    guard let connection = unsafe connection(c) else { return TLSMEM_EINVAL.code }
    return connection.cork()
}

@implementation @_cdecl("tlsmem_uncork")
public func tlsmem_uncork(_ c: OpaquePointer!) -> CInt {
    guard let connection = unsafe connection(c) else { return TLSMEM_EINVAL.code }
    return connection.uncork()
}

@implementation @_cdecl("tlsmem_read")
public func tlsmem_read(_ c: OpaquePointer!, _ bytes: UnsafeMutableRawPointer!, _ n: Int) -> Int {
    guard let connection = unsafe connection(c), unsafe input(bytes, n) != nil else { return TLSMEM_EINVAL.count }
    return unsafe connection.read(unsafe UnsafeMutableRawBufferPointer(start: bytes, count: n))
}

@implementation @_cdecl("tlsmem_read_peek")
public func tlsmem_read_peek(
    _ c: OpaquePointer!, _ bytes: UnsafeMutablePointer<UnsafeRawPointer?>!, _ n: UnsafeMutablePointer<Int>!
) -> CInt {
    guard let connection = unsafe connection(c), let bytes = unsafe bytes, let n = unsafe n
    else { return TLSMEM_EINVAL.code }
    guard let queue = connection.waiting, !queue.isEmpty
    else { return connection.nothingToRead(atEnd: TLSMEM_CLOSED).code }
    return unsafe show(queue.bytes, bytes, n)
}

@implementation @_cdecl("tlsmem_read_consume")
public func tlsmem_read_consume(_ c: OpaquePointer!, _ n: Int) -> CInt {
    guard let connection = unsafe connection(c) else { return TLSMEM_EINVAL.code }
    return connection.consumeRead(n)
}

@implementation @_cdecl("tlsmem_is_congested")
public func tlsmem_is_congested(_ c: OpaquePointer!) -> CInt {
    guard let connection = unsafe connection(c) else { return 0 }
    return connection.tellCongestion() ? 1 : 0
}

/// The connection behind a handle.
func connection(_ handle: OpaquePointer?) -> Connection? {
    unsafe Handle.object(handle, Connection.self)
}

/// Callbacks as C gave them: none for NULL; nil for a size that we do not know.
func copy(_ callbacks: UnsafePointer<tlsmem_callbacks>?) -> tlsmem_callbacks? {
    guard let callbacks = unsafe callbacks else { return tlsmem_callbacks() }
    return unsafe callbacks.pointee.size == MemoryLayout<tlsmem_callbacks>.size ? callbacks.pointee : nil
}

/// Shows what waits, in place.
private func show(
    _ waiting: borrowing RawSpan, _ bytes: UnsafeMutablePointer<UnsafeRawPointer?>, _ n: UnsafeMutablePointer<Int>
) -> CInt {
    unsafe waiting.withUnsafeBytes {
        unsafe bytes.pointee = $0.baseAddress
        unsafe n.pointee = $0.count
    }
    return TLSMEM_OK.code
}
