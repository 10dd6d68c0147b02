internal import CLinux

/// The socket calls, each wrapped once. Descriptors are borrowed: only `close` ends one.
///
/// EINTR is retried everywhere but in `close`; EAGAIN is an answer; nothing here raises SIGPIPE.
package enum Socket {
    /// Takes what the kernel has, up to the size of the buffer.
    package static func receive(
        _ fd: CInt, into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Transfer {
        // recv answers 0 for no room as it does for the end of the stream.
        guard let base = buffer.baseAddress, buffer.count > 0 else { return .moved(0) }
        while true {
            let count = unsafe recv(fd, base, buffer.count, 0)
            if count > 0 { return .moved(count) }
            if count == 0 { return .endOfStream }
            let error = Errno.last
            if error.isWouldBlock { return .wouldBlock }
            if error.code != EINTR { throw error }
        }
    }

    /// Gives the kernel as much as it takes now.
    package static func send(_ fd: CInt, _ bytes: RawSpan) throws(Errno) -> Transfer {
        guard !bytes.isEmpty else { return .moved(0) }
        while true {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe CLinux.send(fd, $0.baseAddress, $0.count, CInt(clamping: MSG_NOSIGNAL))
            }
            if count >= 0 { return .moved(count) }
            let error = Errno.last
            if error.isWouldBlock { return .wouldBlock }
            if error.code != EINTR { throw error }
        }
    }

    /// Has what was received acknowledged now. The kernel otherwise waits a while for data to send along, and the peer's
    /// may hold small segments back until then (RFC 896, RFC 9293 3.8.6.3). Only TCP knows of it.
    package static func acknowledge(_ fd: CInt) {
        _ = enable(TCP_QUICKACK, at: CInt(clamping: IPPROTO_TCP), on: fd)
    }

    /// Sends FIN: we write no more, and still read. A socket that is gone already is as good.
    package static func shutdownWriting(_ fd: CInt) {
        _ = shutdown(fd, CInt(clamping: SHUT_WR))
    }

    /// Gives the descriptor back. Never retried: after EINTR it is closed already, and its number may be another's.
    package static func close(_ fd: CInt) {
        _ = CLinux.close(fd)
    }
}
