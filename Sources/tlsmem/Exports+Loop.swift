public import CTLSMem
internal import CLinux
internal import EventLoop
internal import SocketTransport

@implementation @_cdecl("tlsmem_loop_new")
public func tlsmem_loop_new() -> OpaquePointer! {
    unsafe tlsmem_loop_new_with(nil)
}

@implementation @_cdecl("tlsmem_loop_new_with")
public func tlsmem_loop_new_with(_ options: UnsafePointer<tlsmem_loop_options>!) -> OpaquePointer! {
    do throws(Errno) {
        guard let options = unsafe usable(options) else { throw Errno(code: EINVAL) }
        let most = options.handshakes_per_turn > 0 ? Int(options.handshakes_per_turn) : Registry.patientEventsUsual
        let registry = try Registry(patientEvents: most)
        registry.runsEmpty = options.runs_empty != 0
        let handle = unsafe Handle.handOut(Loop(registry, isEdgeTriggered: options.edge_triggered != 0))
        unsafe registry.handle = unsafe handle
        return unsafe handle
    } catch {
        clinux_set_errno(error.code)
        return nil
    }
}

/// What the program gave, or the defaults; nil for what are no options.
private func usable(_ options: UnsafePointer<tlsmem_loop_options>?) -> tlsmem_loop_options? {
    guard let options = unsafe options?.pointee else { return tlsmem_loop_options() }
    let isUsable = options.size == MemoryLayout<tlsmem_loop_options>.size && options.handshakes_per_turn >= 0
    return isUsable ? options : nil
}

@implementation @_cdecl("tlsmem_loop_free")
public func tlsmem_loop_free(_ loop: OpaquePointer!) {
    guard let handle = unsafe loop, let loop = unsafe Handle.object(handle, Loop.self) else { return }
    loop.end()
    unsafe Handle.takeBack(handle, Loop.self)
}

@implementation @_cdecl("tlsmem_loop_add")
public func tlsmem_loop_add(_ loop: OpaquePointer!, _ c: OpaquePointer!, _ fd: CInt) -> CInt {
    guard let loop = unsafe Handle.object(loop, Loop.self), let connection = unsafe connection(c)
    else { return TLSMEM_EINVAL.code }
    return loop.add(connection, fd)
}

@implementation @_cdecl("tlsmem_loop_remove")
public func tlsmem_loop_remove(_ loop: OpaquePointer!, _ c: OpaquePointer!) -> CInt {
    guard let loop = unsafe Handle.object(loop, Loop.self), let connection = unsafe connection(c)
    else { return TLSMEM_EINVAL.code }
    guard connection.loop === loop else { return TLSMEM_ESTATE.code }
    connection.leaveLoop()
    return TLSMEM_OK.code
}

@implementation @_cdecl("tlsmem_loop_move")
public func tlsmem_loop_move(_ to: OpaquePointer!, _ c: OpaquePointer!) -> CInt {
    guard let loop = unsafe Handle.shared(to, Loop.self), let connection = unsafe connection(c)
    else { return TLSMEM_EINVAL.code }
    return connection.startMoving(to: loop)
}

@implementation @_cdecl("tlsmem_loop_connect")
public func tlsmem_loop_connect(
    _ loop: OpaquePointer!, _ c: OpaquePointer!, _ options: UnsafePointer<tlsmem_connect_options>!
) -> CInt {
    guard let loop = unsafe Handle.object(loop, Loop.self), let connection = unsafe connection(c),
        let options = unsafe options, unsafe options.pointee.size == MemoryLayout<tlsmem_connect_options>.size,
        let plan = unsafe ConnectPlan(options.pointee)
    else { return TLSMEM_EINVAL.code }
    return loop.connect(connection, plan)
}

// MARK: Turns

@implementation @_cdecl("tlsmem_loop_run")
public func tlsmem_loop_run(_ loop: OpaquePointer!) -> CInt {
    unsafe Handle.object(loop, Loop.self)?.run() ?? TLSMEM_EINVAL.code
}

@implementation @_cdecl("tlsmem_loop_run_once")
public func tlsmem_loop_run_once(_ loop: OpaquePointer!, _ timeout_ms: CInt) -> CInt {
    guard let loop = unsafe Handle.object(loop, Loop.self), timeout_ms >= -1 else { return TLSMEM_EINVAL.code }
    return loop.runOnce(timeout_ms)
}

@implementation @_cdecl("tlsmem_loop_stop")
public func tlsmem_loop_stop(_ loop: OpaquePointer!) -> CInt {
    guard let loop = unsafe Handle.shared(loop, Loop.self) else { return TLSMEM_EINVAL.code }
    loop.registry.stop()
    return TLSMEM_OK.code
}

@implementation @_cdecl("tlsmem_loop_wake")
public func tlsmem_loop_wake(_ loop: OpaquePointer!) -> CInt {
    guard let loop = unsafe Handle.shared(loop, Loop.self) else { return TLSMEM_EINVAL.code }
    loop.registry.wake()
    return TLSMEM_OK.code
}

@implementation @_cdecl("tlsmem_loop_drain")
public func tlsmem_loop_drain(_ loop: OpaquePointer!, _ grace_ms: Int64) -> CInt {
    guard let loop = unsafe Handle.shared(loop, Loop.self), grace_ms >= -1 else { return TLSMEM_EINVAL.code }
    _ = loop.registry.posts.post(Drain(loop, grace_ms))
    return TLSMEM_OK.code
}

@implementation @_cdecl("tlsmem_loop_post")
public func tlsmem_loop_post(
    _ loop: OpaquePointer!, _ fn: (@convention(c) (UnsafeMutableRawPointer?) -> Void)!,
    _ arg: UnsafeMutableRawPointer!
) -> CInt {
    guard let loop = unsafe Handle.shared(loop, Loop.self), let fn = unsafe fn else { return TLSMEM_EINVAL.code }
    unsafe loop.registry.post(fn, arg)
    return TLSMEM_OK.code
}

@implementation @_cdecl("tlsmem_loop_fd")
public func tlsmem_loop_fd(_ loop: OpaquePointer!) -> CInt {
    unsafe Handle.object(loop, Loop.self)?.registry.fd ?? -1
}

@implementation @_cdecl("tlsmem_loop_stats")
public func tlsmem_loop_stats(_ loop: OpaquePointer!, _ stats: UnsafeMutablePointer<tlsmem_loop_stats_info>!) -> CInt {
    guard let loop = unsafe Handle.object(loop, Loop.self), let stats = unsafe output(stats, { Int($0.size) })
    else { return TLSMEM_EINVAL.code }
    unsafe loop.fill(&stats.pointee)
    return TLSMEM_OK.code
}

@implementation @_cdecl("tlsmem_loop_trim")
public func tlsmem_loop_trim(_ loop: OpaquePointer!) -> CInt {
    guard let loop = unsafe Handle.object(loop, Loop.self) else { return TLSMEM_EINVAL.code }
    loop.trim()
    return TLSMEM_OK.code
}

@implementation @_cdecl("tlsmem_loop_timeout")
public func tlsmem_loop_timeout(_ loop: OpaquePointer!) -> CInt {
    unsafe Handle.object(loop, Loop.self)?.registry.timeout ?? -1
}

// MARK: Plain descriptors and timers

@implementation @_cdecl("tlsmem_loop_watch")
public func tlsmem_loop_watch(
    _ loop: OpaquePointer!, _ fd: CInt, _ events: CInt,
    _ fn: (@convention(c) (OpaquePointer?, CInt, CInt, UnsafeMutableRawPointer?) -> Void)!,
    _ user: UnsafeMutableRawPointer!
) -> CInt {
    guard let loop = unsafe Handle.object(loop, Loop.self), fd >= 0, events & ~CInt(POLLIN | POLLOUT) == 0
    else { return TLSMEM_EINVAL.code }
    var interest: Interest = events & CInt(POLLIN) != 0 ? .read : []
    if events & CInt(POLLOUT) != 0 { interest.insert(.write) }
    if interest.isEmpty { return loop.endWatch(fd) }
    guard let fn = unsafe fn else { return TLSMEM_EINVAL.code }
    return loop.watch(fd, interest, unsafe PlainWatch.Call(function: fn, user: user))
}

@implementation @_cdecl("tlsmem_loop_timer")
public func tlsmem_loop_timer(
    _ loop: OpaquePointer!, _ delay_ms: Int64,
    _ fn: (@convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> Void)!, _ user: UnsafeMutableRawPointer!
) -> OpaquePointer! {
    guard let loop = unsafe Handle.object(loop, Loop.self), let fn = unsafe fn, delay_ms >= 0, !loop.isEnding
    else { return nil }
    let timer = unsafe Timer(loop, fn, user)
    loop.adopt(timer)
    timer.set(delay_ms)
    return unsafe Handle.of(timer)
}

@implementation @_cdecl("tlsmem_timer_set")
public func tlsmem_timer_set(_ timer: OpaquePointer!, _ delay_ms: Int64) -> CInt {
    guard let timer = unsafe Handle.object(timer, Timer.self), delay_ms >= 0 else { return TLSMEM_EINVAL.code }
    timer.set(delay_ms)
    return TLSMEM_OK.code
}

@implementation @_cdecl("tlsmem_timer_free")
public func tlsmem_timer_free(_ timer: OpaquePointer!) {
    guard let timer = unsafe Handle.object(timer, Timer.self) else { return }
    timer.owner.release(timer)
}
