internal import CLinux
internal import CTLSMem
internal import EventLoop
internal import SocketTransport

/// A plain fd of the program's in the loop.
final class PlainWatch: Loop.Owned {
    @safe struct Call {
        let function: @convention(c) (OpaquePointer?, CInt, CInt, UnsafeMutableRawPointer?) -> Void
        let user: UnsafeMutableRawPointer?
    }

    var call: Call

    init(_ owner: Loop, _ call: Call) {
        self.call = call
        super.init(owner)
    }

    override var asPlainWatch: PlainWatch? { self }

    override func ready(_ readiness: Readiness) {
        let events = (readiness.contains(.read) ? POLLIN : 0) | (readiness.contains(.write) ? POLLOUT : 0)
        unsafe call.function(owner.handle, fd, CInt(events), call.user)
    }
}

/// A `tlsmem_timer`.
@safe final class Timer: Loop.Owned {
    typealias Function = @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> Void

    private let function: Function
    private let user: UnsafeMutableRawPointer?

    init(_ owner: Loop, _ function: Function, _ user: UnsafeMutableRawPointer?) {
        unsafe self.function = unsafe function
        unsafe self.user = user
        super.init(owner)
    }

    func set(_ delay: Int64) {
        owner.registry.setDeadline(self, MonotonicClock.moment(in: delay))
    }

    override func deadlinePassed(now: Int64) {
        unsafe function(Handle.of(self), user)
    }
}
