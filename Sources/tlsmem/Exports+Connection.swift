public import CTLSMem
internal import OpenSSLHandles
internal import TLSEngine

@implementation @_cdecl("tlsmem_new")
public func tlsmem_new(
    _ ctx: OpaquePointer!, _ cb: UnsafePointer<tlsmem_callbacks>!, _ user: UnsafeMutableRawPointer!
) -> OpaquePointer! {
    guard let context = unsafe Handle.object(ctx, Context.self), let callbacks = unsafe copy(cb),
        let connection = unsafe Connection(context.current, callbacks, user)
    else { return nil }
    return unsafe Handle.handOut(connection)
}

@implementation @_cdecl("tlsmem_free")
public func tlsmem_free(_ c: OpaquePointer!) {
    unsafe connection(c)?.free()
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
    guard connection.engine.role == .client, connection.engine.phase == .new, !connection.hasSession
    else { return TLSMEM_ESTATE.code }
    let isTaken = unsafe InternationalName.withASCII(name) { ascii in
        guard let ascii = unsafe ascii else { return false }
        return connection.engine.setServerName { unsafe $0.setServerName(ascii) }
    }
    guard isTaken else { return TLSMEM_EINVAL.code }
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
    guard let want = unsafe output(want, { Int($0.size) }) else { return TLSMEM_EINVAL.code }
    return unsafe use(c) {
        unsafe $0.fill(&want.pointee)
        return TLSMEM_OK.code
    } ?? TLSMEM_EINVAL.code
}

@implementation @_cdecl("tlsmem_is_established")
public func tlsmem_is_established(_ c: OpaquePointer!) -> CInt {
    unsafe use(c) { $0.wasEstablished ? 1 : 0 } ?? 0
}

@implementation @_cdecl("tlsmem_deadline")
public func tlsmem_deadline(_ c: OpaquePointer!) -> Int64 {
    unsafe use(c) { $0.deadline } ?? -1
}

@implementation @_cdecl("tlsmem_tick")
public func tlsmem_tick(_ c: OpaquePointer!, _ now_ms: Int64) -> CInt {
    unsafe use(c) { $0.tick(now_ms) } ?? TLSMEM_EINVAL.code
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
    guard let ciphertext = unsafe input(bytes, n) else { return TLSMEM_EINVAL.count }
    return unsafe use(c) { unsafe $0.feed(ciphertext) } ?? TLSMEM_EINVAL.count
}

@implementation @_cdecl("tlsmem_feed_eof")
public func tlsmem_feed_eof(_ c: OpaquePointer!) -> CInt {
    guard let connection = unsafe connection(c) else { return TLSMEM_EINVAL.code }
    return connection.feedEnd()
}

@implementation @_cdecl("tlsmem_feed_error")
public func tlsmem_feed_error(_ c: OpaquePointer!, _ sys_errno: CInt) -> CInt {
    guard let connection = unsafe connection(c) else { return TLSMEM_EINVAL.code }
    return connection.feedError(sys_errno)
}

@implementation @_cdecl("tlsmem_outgoing_peek")
public func tlsmem_outgoing_peek(
    _ c: OpaquePointer!, _ bytes: UnsafeMutablePointer<UnsafeRawPointer?>!, _ n: UnsafeMutablePointer<Int>!
) -> CInt {
    guard let bytes = unsafe bytes, let n = unsafe n else { return TLSMEM_EINVAL.code }
    return unsafe use(c) {
        guard !$0.hasTransport else { return TLSMEM_ESTATE.code }
        return $0.showOutgoing { unsafe show($0, bytes, n) } ?? TLSMEM_AGAIN.code
    } ?? TLSMEM_EINVAL.code
}

@implementation @_cdecl("tlsmem_outgoing_consume")
public func tlsmem_outgoing_consume(_ c: OpaquePointer!, _ n: Int) -> CInt {
    unsafe use(c) { $0.consumeOutgoing(n) } ?? TLSMEM_EINVAL.code
}

// MARK: Plaintext

@implementation @_cdecl("tlsmem_write")
public func tlsmem_write(_ c: OpaquePointer!, _ bytes: UnsafeRawPointer!, _ n: Int) -> Int {
    guard let plaintext = unsafe input(bytes, n) else { return TLSMEM_EINVAL.count }
    return unsafe use(c) { unsafe $0.write(plaintext) } ?? TLSMEM_EINVAL.count
}

@implementation @_cdecl("tlsmem_writev")
public func tlsmem_writev(_ c: OpaquePointer!, _ pieces: UnsafePointer<iovec>!, _ count: CInt) -> Int {
    guard let pieces = unsafe inputs(pieces, count) else { return TLSMEM_EINVAL.count }
    return unsafe use(c) { unsafe $0.write(pieces) } ?? TLSMEM_EINVAL.count
}

@implementation @_cdecl("tlsmem_cork")
public func tlsmem_cork(_ c: OpaquePointer!) -> CInt {
    unsafe use(c) { $0.cork() } ?? TLSMEM_EINVAL.code
}

@implementation @_cdecl("tlsmem_uncork")
public func tlsmem_uncork(_ c: OpaquePointer!) -> CInt {
    unsafe use(c) { $0.uncork() } ?? TLSMEM_EINVAL.code
}

@implementation @_cdecl("tlsmem_read")
public func tlsmem_read(_ c: OpaquePointer!, _ bytes: UnsafeMutableRawPointer!, _ n: Int) -> Int {
    guard unsafe input(bytes, n) != nil else { return TLSMEM_EINVAL.count }
    return unsafe use(c) { unsafe $0.read(UnsafeMutableRawBufferPointer(start: bytes, count: n)) }
        ?? TLSMEM_EINVAL.count
}

@implementation @_cdecl("tlsmem_read_peek")
public func tlsmem_read_peek(
    _ c: OpaquePointer!, _ bytes: UnsafeMutablePointer<UnsafeRawPointer?>!, _ n: UnsafeMutablePointer<Int>!
) -> CInt {
    guard let bytes = unsafe bytes, let n = unsafe n else { return TLSMEM_EINVAL.code }
    return unsafe use(c) {
        $0.showWaiting { unsafe show($0, bytes, n) } ?? $0.nothingToRead(atEnd: TLSMEM_CLOSED).code
    } ?? TLSMEM_EINVAL.code
}

@implementation @_cdecl("tlsmem_read_consume")
public func tlsmem_read_consume(_ c: OpaquePointer!, _ n: Int) -> CInt {
    unsafe use(c) { $0.consumeRead(n) } ?? TLSMEM_EINVAL.code
}

@implementation @_cdecl("tlsmem_is_congested")
public func tlsmem_is_congested(_ c: OpaquePointer!) -> CInt {
    unsafe use(c) { $0.tellCongestion() ? 1 : 0 } ?? 0
}

/// Uses the connection behind a handle without counting the reference: for what calls nothing back, and for what does not
/// touch the connection after its drive, which lives to the end of that (`Connection.Grip`). Nil for NULL.
@inline(__always)
func use<Result>(
    _ handle: OpaquePointer?, caller: StaticString = #function, _ body: (Connection) -> Result
) -> Result? {
    unsafe Handle.use(handle, Connection.self, caller, body)
}

/// The connection behind a handle, counted.
func connection(_ handle: OpaquePointer?, caller: StaticString = #function) -> Connection? {
    unsafe Handle.object(handle, Connection.self, caller)
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
