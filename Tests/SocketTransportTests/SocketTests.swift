import CLinux
import Glibc
import SocketTransport
import Testing

@Suite struct `A socket` {
    @Test func `moves bytes, and says when there are none`() throws {
        let pair = Sockets()
        #expect(try pair.receive() == .wouldBlock)
        #expect(try pair.send([1, 2, 3]) == .moved(3))
        #expect(try pair.receive(room: 2) == .moved(2))
        #expect(pair.received == [1, 2])
        #expect(try pair.receive() == .moved(1))
        #expect(pair.received == [3])
        #expect(try pair.receive() == .wouldBlock)
    }

    @Test func `takes a part, then nothing, from a sender that outruns the reader`() throws {
        let pair = Sockets()
        let much = [UInt8](repeating: 7, count: 1 << 20)
        var sent = 0
        var answer = try pair.send(much)
        while case .moved(let count) = answer {
            #expect(count > 0)
            sent += count
            answer = try pair.send(much)
        }
        #expect(answer == .wouldBlock)
        var taken = 0
        while case .moved(let count) = try pair.receive(room: 1 << 16) { taken += count }
        #expect(taken == sent)
    }

    @Test func `ends after what was sent before the FIN`() throws {
        let pair = Sockets()
        #expect(try pair.send([9]) == .moved(1))
        Socket.shutdownWriting(pair.far)
        #expect(try pair.receive() == .moved(1))
        #expect(try pair.receive() == .endOfStream)
        #expect(try pair.receive() == .endOfStream)
    }

    @Test func `does not take an empty buffer for the end of the stream`() throws {
        let pair = Sockets()
        #expect(try pair.receive(room: 0) == .moved(0))
        #expect(try pair.send([]) == .moved(0))
        #expect(try Socket.receive(-1, into: UnsafeMutableRawBufferPointer(start: nil, count: 0)) == .moved(0))
    }

    @Test func `answers a write to a closed peer by an error, not by SIGPIPE`() throws {
        let pair = Sockets()
        pair.closeNear()
        #expect(throws: Errno(code: EPIPE)) { try pair.send([1]) }
    }

    @Test func `reports a reset`() throws {
        let listener = try Socket.listen(host: "127.0.0.1", port: 0, backlog: 0, reusePort: false)
        defer { Socket.close(listener) }
        let client = try connected(toPort: Socket.localPort(listener))
        let server = try #require(try waitAndAccept(listener))
        defer { Socket.close(server.fd) }
        var hard = linger(l_onoff: 1, l_linger: 0)
        #expect(setsockopt(client, SOL_SOCKET, SO_LINGER, &hard, socklen_t(MemoryLayout<linger>.size)) == 0)
        Socket.close(client)
        waitReadable(server.fd)
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1, alignment: 1)
        defer { room.deallocate() }
        #expect(throws: Errno(code: ECONNRESET)) { try Socket.receive(server.fd, into: room) }
    }

    @Test func `goes on after a signal`() throws {
        let pair = Sockets(blocking: true)
        signal(SIGUSR2) { _ in interruptions.add(1, ordering: .relaxed) }
        let reader = pthread_self()
        let before = interruptions.load(ordering: .relaxed)
        let far = pair.far
        // Sends the byte only after the reader has been interrupted many times.
        let thread = Joined {
            while interruptions.load(ordering: .relaxed) < before + 50 {
                pthread_kill(reader, SIGUSR2)
                sched_yield()
            }
            var byte: UInt8 = 5
            _ = write(far, &byte, 1)
        }
        let answer = try hearing(SIGUSR2) { try pair.receive() }
        #expect(answer == .moved(1))
        thread.join()
    }

    @Test func `that is not one gives EBADF or ENOTSOCK`() throws {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1, alignment: 1)
        defer { room.deallocate() }
        #expect(throws: Errno(code: EBADF)) { try Socket.receive(-1, into: room) }
        #expect(throws: Errno(code: EBADF)) { try Socket.send(-1, [1].span.bytes) }
        #expect(throws: Errno(code: EBADF)) { try Socket.accept(-1) }
        let file = try #require(tmpfile())
        defer { fclose(file) }
        #expect(throws: Errno(code: ENOTSOCK)) { try Socket.receive(fileno(file), into: room) }
        #expect(Socket.localPort(fileno(file)) == -1)
        Socket.shutdownWriting(-1)
        Socket.close(-1)
    }
}

@Suite struct `The clock` {
    @Test func `never goes back`() {
        var last = MonotonicClock.milliseconds()
        #expect(last > 0)
        for _ in 0..<10_000 {
            let now = MonotonicClock.milliseconds()
            #expect(now >= last)
            last = now
        }
    }
}
