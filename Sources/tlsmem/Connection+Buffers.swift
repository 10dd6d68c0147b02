internal import CTLSMem
internal import EventLoop
internal import TLSEngine

/// OpenSSL's record buffers, 16 to 33 KB of a connection: given back after each record, or, with `buffers_ms`, once the
/// connection has been idle for a while, so that a busy one does not ask for them again and again.
extension Connection {
    /// When they are to be given back; -1 for never.
    var buffersDeadline: Int64 {
        guard engine.holdsBuffers, engine.phase == .open, case .going = course else { return -1 }
        return lastMoved &+ Int64(limits.bufferMilliseconds)
    }

    /// Gives them back if it is time. Without a drive, which would ask for them again.
    func giveBuffersBack(_ now: Int64) {
        let deadline = buffersDeadline
        guard deadline >= 0, now >= deadline else { return }
        _ = trim()
    }

    /// Gives back what it may need again and does not need now. The rest goes by itself at the end of each drive.
    func trim() -> CInt {
        let isDone = engine.releaseBuffers()
        loop?.updateDeadline(self)
        return (isDone ? TLSMEM_OK : TLSMEM_AGAIN).code
    }
}

extension Loop {
    /// Gives back what the connections, the loop and its thread keep for later.
    func trim() {
        forEachConnection { _ = $0.trim() }
        registry.trim()
        Benches.withCurrent { $0.trim() }
    }
}
