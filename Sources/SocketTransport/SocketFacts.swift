internal import CLinux

/// What the kernel knows of a socket, for whoever asks why nothing moves. Nil is what it does not know.
package struct SocketFacts {
    /// Bytes that have come, and that nobody has received.
    package let unread: Int?
    /// Bytes that were sent, and that the peer has not acknowledged.
    package let unacknowledged: Int?
    /// It would take more.
    package let isWritable: Bool
    /// Milliseconds since data last came, and since data last went; TCP alone knows.
    package let silence: (received: Int64, sent: Int64)?

    package init(of fd: CInt) {
        let errno = clinux_errno()  // the program's, which has asked for nothing that could fail
        defer { clinux_set_errno(errno) }
        unread = Self.known(clinux_unread(fd))
        unacknowledged = Self.known(clinux_unacknowledged(fd))
        var asked = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
        isWritable = unsafe poll(&asked, 1, 0) == 1 && asked.revents & Int16(POLLOUT) != 0
        var info = tcp_info()
        var size = socklen_t(MemoryLayout<tcp_info>.size)
        let isTCP = unsafe getsockopt(fd, CInt(clamping: IPPROTO_TCP), TCP_INFO, &info, &size) == 0
        silence = isTCP ? (Int64(info.tcpi_last_data_recv), Int64(info.tcpi_last_data_sent)) : nil
    }

    private static func known(_ count: CInt) -> Int? { count < 0 ? nil : Int(count) }
}
