internal import CLinux
internal import CTLSMem
internal import EventLoop
internal import OpenSSLHandles
internal import SocketTransport
internal import TLSEngine

/// The end of the pipe that goes out: flush -> send.
extension Connection {
    func socketIsWritable() {
        if case .full = transport { transport = .working }
    }

    /// Sends in the middle of something when so much waits that gathering more would gain nothing.
    func flushIfMuch(_ bench: Bench) {
        if engine.outgoing.count >= min(BufferPool.sliceBytesMax, limits.outgoingMax / 2) { flush(bench) }
    }

    /// Sends what the socket takes. What it does not take stays in the engine's outgoing queue, the only one.
    ///
    /// Nothing after the end: the program may have closed the fd, and its number be another's.
    @inline(never)
    func flush(_ bench: Bench) {
        guard socket >= 0, !isOver else { return discardBehindHole(bench) }
        while !engine.outgoing.isEmpty, sendsFirst(bench) {}
    }

    /// Sends from what waits first. Returns whether there may be more that the socket takes.
    @inline(__always)
    private func sendsFirst(_ bench: Bench) -> Bool {
        switch transport {
        case .working: break
        case .full: return false
        case .broken:
            engine.discardOutgoing(incoming: bench.incoming, bench.pool)
            return false
        }
        var errno: CInt = 0
        let socket = self.socket
        let sent: (count: Int, of: Int)? = engine.outgoing.withFirst { bytes in
            do throws(Errno) {
                guard case .moved(let count) = try Socket.send(socket, bytes) else { return (-1, bytes.byteCount) }
                return (count, bytes.byteCount)
            } catch {
                errno = error.code
                return (-1, bytes.byteCount)
            }
        }
        guard let sent else { return false }
        sendCalls &+= 1
        unsafe clinux_probe_flush(UnsafeRawPointer(handle), socket, Int64(sent.count), Int64(sent.of))
        if sent.count >= 0 {
            noteSent(bench)
            consumeOutgoing(sent.count, bench.pool)
            if sent.count < sent.of, manner != .edge { transport = .full }
            return true
        }
        if errno == 0 {
            transport = .full
            exhausted(.write)
        } else {
            sendFailed(errno, bench)
        }
        return false
    }

    /// It stops the sending, not the reading: what the peer sent before it went is still to be had. One that has not gone
    /// hears that no more comes, or both would wait for ever: without memory or leave to send there is no reset.
    @inline(never)
    func sendFailed(_ errno: CInt, _ bench: Bench) {
        transport = .broken
        note { $0.breakage = (errno, owesMore) }
        sendFIN()
        engine.discardOutgoing(incoming: bench.incoming, bench.pool)
    }
}
