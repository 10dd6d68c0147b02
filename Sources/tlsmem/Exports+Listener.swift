public import CTLSMem
internal import CLinux
internal import OpenSSLHandles
internal import SocketTransport

@implementation @_cdecl("tlsmem_loop_listen")
public func tlsmem_loop_listen(
    _ loop: OpaquePointer!, _ ctx: OpaquePointer!, _ options: UnsafePointer<tlsmem_listen_options>!,
    _ listener: UnsafeMutablePointer<OpaquePointer?>!
) -> CInt {
    guard let loop = unsafe Handle.object(loop, Loop.self), let context = unsafe Handle.object(ctx, Context.self),
        let options = unsafe options, unsafe options.pointee.isUsable, let place = unsafe options.pointee.place
    else { return TLSMEM_EINVAL.code }
    guard context.openSSL.role == .server, loop.isOpen else { return TLSMEM_ESTATE.code }
    guard context.openSSL.mayServe else { return TLSMEM_ENOIDENTITY.code }
    do {
        let made = try unsafe Listener.listen(loop, context, options.pointee, place)
        unsafe listener?.pointee = Handle.of(made)
        return TLSMEM_OK.code
    } catch {
        clinux_set_errno(error.code)
        return TLSMEM_ESYSTEM.code
    }
}

extension tlsmem_listen_options {
    /// Memory of a connection that is more than this is a mistake.
    private static var userSizeMax: Int { 1_048_576 }

    fileprivate var isUsable: Bool {
        unsafe size == MemoryLayout<tlsmem_listen_options>.size && (0...65535).contains(port) && backlog >= 0
            && connections_max >= 0 && accepts_per_turn >= 0 && (0...Self.userSizeMax).contains(user_size)
            && on_accept != nil
    }

    /// Where to listen; nil for two places at once, and for what the place has no use for.
    fileprivate var place: ListeningSocket.Place? {
        let isForPorts = unsafe host != nil || port != 0 || reuse_port != 0 || ipv6_only != 0
        if unsafe fd != -1 {
            return unsafe fd >= 0 && !isForPorts && path == nil && backlog == 0 ? .descriptor(fd) : nil
        }
        guard let path = unsafe path else {
            return unsafe .host(
                host, port: UInt16(clamping: port), reusePort: reuse_port != 0, ipv6Only: ipv6_only != 0)
        }
        return isForPorts ? nil : unsafe SocketAddress(path: path).map { .unix($0) }
    }
}

@implementation @_cdecl("tlsmem_listener_port")
public func tlsmem_listener_port(_ listener: OpaquePointer!) -> CInt {
    unsafe Handle.shared(listener, Listener.self)?.port ?? TLSMEM_EINVAL.code
}

@implementation @_cdecl("tlsmem_listener_add_loop")
public func tlsmem_listener_add_loop(_ listener: OpaquePointer!, _ loop: OpaquePointer!) -> CInt {
    guard let listener = unsafe Handle.object(listener, Listener.self), let loop = unsafe Handle.shared(loop, Loop.self)
    else { return TLSMEM_EINVAL.code }
    return (listener.addLoop(loop) ? TLSMEM_OK : TLSMEM_ESTATE).code
}

@implementation @_cdecl("tlsmem_listener_free")
public func tlsmem_listener_free(_ listener: OpaquePointer!) {
    guard let listener = unsafe Handle.object(listener, Listener.self) else { return }
    listener.owner.release(listener)
}

@implementation @_cdecl("tlsmem_inherited_fd")
public func tlsmem_inherited_fd(_ index: CInt) -> CInt {
    guard index >= 0 else { return TLSMEM_EINVAL.code }
    return Socket.inherited(index) ?? TLSMEM_AGAIN.code
}
