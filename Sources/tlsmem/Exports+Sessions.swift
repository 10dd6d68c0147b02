public import CTLSMem
internal import OpenSSLHandles

@implementation @_cdecl("tlsmem_ctx_set_session_callbacks")
public func tlsmem_ctx_set_session_callbacks(
    _ ctx: OpaquePointer!, _ callbacks: UnsafePointer<tlsmem_session_callbacks>!, _ user: UnsafeMutableRawPointer!
) -> CInt {
    guard let context = unsafe Handle.object(ctx, Context.self) else { return TLSMEM_EINVAL.code }
    return unsafe context.keepSessions(callbacks?.pointee, user)
}

extension Context {
    /// Has the program keep the sessions of its connections, or not.
    fileprivate func keepSessions(_ callbacks: tlsmem_session_callbacks?, _ user: UnsafeMutableRawPointer?) -> CInt {
        listen { (openSSL, listeners) throws(SettingRefused) in
            try expectServer(openSSL, "callbacks", "only a server keeps sessions")
            if let callbacks { try callbacks.expectSense() }
            unsafe (listeners.sessions, listeners.sessionsUser) = (callbacks, user)
            openSSL.keepSessions(elsewhere: callbacks != nil)
        }
    }
}

extension tlsmem_session_callbacks {
    fileprivate func expectSense() throws(SettingRefused) {
        guard size == MemoryLayout<tlsmem_session_callbacks>.size else {
            throw SettingRefused(
                argument: "size", "it is not that of the struct: begin with TLSMEM_SESSION_CALLBACKS_INIT")
        }
        guard unsafe on_new != nil else { throw SettingRefused(argument: "on_new", "it is NULL") }
        guard unsafe on_find != nil else { throw SettingRefused(argument: "on_find", "it is NULL") }
    }
}
