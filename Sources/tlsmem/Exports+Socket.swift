public import CTLSMem
internal import EventLoop

// MARK: The fd face

@implementation @_cdecl("tlsmem_set_fd")
public func tlsmem_set_fd(_ c: OpaquePointer!, _ fd: CInt) -> CInt {
    guard let connection = unsafe connection(c) else { return TLSMEM_EINVAL.code }
    return connection.setSocket(fd)
}

@implementation @_cdecl("tlsmem_fd")
public func tlsmem_fd(_ c: OpaquePointer!) -> CInt {
    unsafe use(c) { $0.socket } ?? -1
}

@implementation @_cdecl("tlsmem_take_fd")
public func tlsmem_take_fd(_ c: OpaquePointer!) -> CInt {
    guard let connection = unsafe connection(c) else { return -1 }
    return connection.takeSocket()
}

@implementation @_cdecl("tlsmem_own_fd")
public func tlsmem_own_fd(_ c: OpaquePointer!, _ own: CInt) -> CInt {
    guard let connection = unsafe connection(c) else { return TLSMEM_EINVAL.code }
    connection.ownsSocket = own != 0
    return TLSMEM_OK.code
}

@implementation @_cdecl("tlsmem_on_readable")
public func tlsmem_on_readable(_ c: OpaquePointer!) -> CInt {
    unsafe use(c) { $0.socketIsReady(.read) } ?? TLSMEM_EINVAL.code
}

@implementation @_cdecl("tlsmem_on_writable")
public func tlsmem_on_writable(_ c: OpaquePointer!) -> CInt {
    unsafe use(c) { $0.socketIsReady(.write) } ?? TLSMEM_EINVAL.code
}

@implementation @_cdecl("tlsmem_flush")
public func tlsmem_flush(_ c: OpaquePointer!) -> CInt {
    unsafe use(c) { $0.flushSocket() } ?? TLSMEM_EINVAL.code
}

@implementation @_cdecl("tlsmem_interest")
public func tlsmem_interest(_ c: OpaquePointer!) -> CInt {
    unsafe use(c) { $0.interest } ?? 0
}

// MARK: Reading pace and closing

@implementation @_cdecl("tlsmem_pause")
public func tlsmem_pause(_ c: OpaquePointer!) -> CInt {
    guard let connection = unsafe connection(c) else { return TLSMEM_EINVAL.code }
    connection.pause()
    return TLSMEM_OK.code
}

@implementation @_cdecl("tlsmem_resume")
public func tlsmem_resume(_ c: OpaquePointer!) -> CInt {
    guard let connection = unsafe connection(c) else { return TLSMEM_EINVAL.code }
    connection.resume()
    return TLSMEM_OK.code
}

@implementation @_cdecl("tlsmem_close")
public func tlsmem_close(_ c: OpaquePointer!) -> CInt {
    guard let connection = unsafe connection(c) else { return TLSMEM_EINVAL.code }
    return connection.close()
}

@implementation @_cdecl("tlsmem_close_write")
public func tlsmem_close_write(_ c: OpaquePointer!) -> CInt {
    guard let connection = unsafe connection(c) else { return TLSMEM_EINVAL.code }
    return connection.closeWrite()
}

@implementation @_cdecl("tlsmem_unwrap")
public func tlsmem_unwrap(_ c: OpaquePointer!) -> CInt {
    guard let connection = unsafe connection(c) else { return TLSMEM_EINVAL.code }
    return connection.unwrap()
}

@implementation @_cdecl("tlsmem_unwrapped")
public func tlsmem_unwrapped(_ c: OpaquePointer!, _ bytes: UnsafeMutableRawPointer!, _ n: Int) -> Int {
    guard let connection = unsafe connection(c), unsafe input(bytes, n) != nil else { return TLSMEM_EINVAL.count }
    return unsafe connection.takeUnwrapped(UnsafeMutableRawBufferPointer(start: bytes, count: n))
}

@implementation @_cdecl("tlsmem_abort")
public func tlsmem_abort(_ c: OpaquePointer!) -> CInt {
    guard let connection = unsafe connection(c) else { return TLSMEM_EINVAL.code }
    return connection.abort()
}

@implementation @_cdecl("tlsmem_report")
public func tlsmem_report(_ c: OpaquePointer!, _ report: UnsafeMutablePointer<tlsmem_report_info>!) -> CInt {
    guard let connection = unsafe connection(c), let report = unsafe output(report, { Int($0.size) }) else {
        return TLSMEM_EINVAL.code
    }
    unsafe report.pointee = connection.report
    return TLSMEM_OK.code
}

// MARK: Keys in mid-stream

@implementation @_cdecl("tlsmem_key_update")
public func tlsmem_key_update(_ c: OpaquePointer!, _ ask_peer: CInt) -> CInt {
    guard let connection = unsafe connection(c) else { return TLSMEM_EINVAL.code }
    return connection.updateKey(askPeer: ask_peer != 0)
}

@implementation @_cdecl("tlsmem_renegotiate")
public func tlsmem_renegotiate(_ c: OpaquePointer!) -> CInt {
    guard let connection = unsafe connection(c) else { return TLSMEM_EINVAL.code }
    return connection.renegotiate()
}
