internal import CLinux

/// What a system call failed with.
package struct Errno: Error, Equatable {
    package let code: CInt

    package init(code: CInt) { self.code = code }

    /// The error of the call that has just failed; to be read before anything else can change it.
    package static var last: Errno { Errno(code: clinux_errno()) }

    /// Whether it says "not now", which is no failure.
    var isWouldBlock: Bool { code == EAGAIN || code == EWOULDBLOCK }
}
