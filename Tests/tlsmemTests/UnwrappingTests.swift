import CTLSMem
import Glibc
import TestSupport
import Testing

/// What every face and every cut does is in Tests/Conformance/unwraps*.c.
@Suite struct `An unwrapping` {
    private func established(_ version: Version) -> (Subject, Subject) {
        let contexts = Contexts(version)
        let both = (Subject(contexts, \.client), Subject(contexts, \.server))
        carry(both.0, both.1)
        return both
    }

    private func unwrapped(_ subject: Subject, _ most: Int) -> (result: Int, bytes: [UInt8]) {
        var bytes = [UInt8](repeating: 0, count: most)
        let result = tlsmem_unwrapped(subject.c, &bytes, most)
        return (result, Array(bytes.prefix(max(0, result))))
    }

    @Test(arguments: Version.allCases)
    func `hands out what came behind close_notify, once both have closed`(version: Version) {
        let (client, server) = established(version)
        #expect(client.write([1, 2, 3]) == 3)
        #expect(tlsmem_unwrap(client.c) == status(TLSMEM_OK))
        let plain = pattern(5000)
        let fed = client.take() + plain
        #expect(server.feed(fed) == fed.count)
        #expect(server.happenings == [.established, .bytes, .eof] && server.received == [1, 2, 3])
        #expect(server.feed([9]) == count(TLSMEM_AGAIN))
        #expect(unwrapped(server, 1).result == count(TLSMEM_ESTATE))
        #expect(tlsmem_unwrap(server.c) == status(TLSMEM_OK))
        #expect(unwrapped(server, 1).result == count(TLSMEM_AGAIN))
        carry(client, server)
        #expect(server.reports.map(\.status) == [status(TLSMEM_OK)] && client.reports.map(\.status) == [0])
        #expect(unwrapped(server, 1).bytes == [plain[0]])
        #expect(unwrapped(server, 10_000).bytes == Array(plain.dropFirst()))
        #expect(unwrapped(server, 1).result == 0 && unwrapped(client, 1).result == 0)
    }

    @Test func `takes nothing more before it is decided upon, whatever is read`() {
        let contexts = Contexts()
        let (client, server) = (Subject(contexts, \.client), Subject(contexts, \.server, callsBack: false))
        carry(client, server)
        #expect(client.write([1, 2, 3]) == 3)
        #expect(tlsmem_unwrap(client.c) == status(TLSMEM_OK))
        server.feed(client.take() + pattern(10))
        for byte in [1, 2, 3] as [UInt8] {
            #expect(server.feed([9]) == count(TLSMEM_AGAIN) && server.want.needs_ciphertext == 0)
            #expect(server.read(1).bytes == [byte])
        }
        #expect(server.feed([9]) == count(TLSMEM_AGAIN) && server.want.needs_ciphertext == 0)
        #expect(tlsmem_unwrap(server.c) == status(TLSMEM_OK))
        carry(client, server)
        #expect(unwrapped(server, 100).bytes == pattern(10))
    }

    @Test(arguments: Version.allCases)
    func `that is a close after all drops it`(version: Version) {
        let (client, server) = established(version)
        server.reactions[.eof] = { _ = tlsmem_close($0.c) }
        #expect(tlsmem_unwrap(client.c) == status(TLSMEM_OK))
        server.feed(client.take() + pattern(5000))
        #expect(unwrapped(server, 1).result == count(TLSMEM_ESTATE))
        carry(client, server)
        #expect(server.count(.close) == 1 && client.count(.close) == 1)
        #expect(unwrapped(server, 1).result == count(TLSMEM_ESTATE))
    }
}

@Suite struct `A transport that failed` {
    private func established(_ change: (inout tlsmem_limits) -> Void = { _ in }) -> (Subject, Subject) {
        let contexts = Contexts(nil, change)
        let both = (Subject(contexts, \.client), Subject(contexts, \.server))
        carry(both.0, both.1)
        return both
    }

    @Test(arguments: [(ECONNRESET, TLSMEM_ERESET), (EPIPE, TLSMEM_ERESET), (ETIMEDOUT, TLSMEM_ESYSTEM)])
    func `is reported with its errno, after what was received`(errno: CInt, expected: tlsmem_status) {
        let (client, server) = established()
        #expect(client.write(pattern(1000)) == 1000)
        #expect(tlsmem_pause(server.c) == status(TLSMEM_OK))
        server.feed(client.take())
        #expect(server.write([1]) == 1)
        #expect(tlsmem_feed_error(server.c, errno) == status(TLSMEM_OK))
        #expect(server.happenings == [.established] && server.take().isEmpty)
        #expect(server.write([2]) == count(TLSMEM_ERESET))
        #expect(tlsmem_feed_error(server.c, EIO) == status(TLSMEM_OK))
        #expect(tlsmem_resume(server.c) == status(TLSMEM_OK))
        #expect(server.received == pattern(1000) && server.reports.map(\.status) == [status(expected)])
        #expect(server.error.sys_errno == errno)
        #expect(server.reports[0].ciphertext_unsent > 0)
        #expect(tlsmem_feed_error(server.c, EIO) == status(expected))
    }

    @Test func `after the peer's close_notify is harmless, unless something of ours is lost`() {
        for unsent in [false, true] {
            let (client, server) = established()
            _ = tlsmem_close(client.c)
            server.feed(client.take())
            if unsent { #expect(server.write([1]) == 1) }
            _ = tlsmem_close(server.c)
            #expect(server.reports.isEmpty)
            let expected = unsent ? TLSMEM_ERESET : TLSMEM_CLOSED
            #expect(tlsmem_feed_error(server.c, ECONNRESET) == status(expected))
            #expect(server.reports.map(\.status) == [unsent ? status(TLSMEM_ERESET) : status(TLSMEM_OK)])
        }
    }

    @Test func `after both have closed, and in the handshake`() {
        let (client, server) = established()
        _ = tlsmem_close(client.c)
        _ = tlsmem_close(server.c)
        carry(client, server)
        #expect(tlsmem_feed_error(client.c, ECONNRESET) == status(TLSMEM_CLOSED))
        let half = Subject(Contexts(), \.client)
        #expect(!half.take().isEmpty)
        #expect(tlsmem_feed_error(half.c, ECONNRESET) == status(TLSMEM_ERESET))
        #expect(half.happenings == [.close])
    }

    @Test func `after the peer's FIN ends it too`() {
        let (client, server) = established()
        _ = tlsmem_close_write(client.c)
        server.feed(client.take())
        #expect(tlsmem_feed_eof(server.c) == status(TLSMEM_OK))
        #expect(server.write([1]) == 1)
        #expect(tlsmem_feed_error(server.c, EPIPE) == status(TLSMEM_ERESET))
        #expect(server.reports.map(\.status) == [status(TLSMEM_ERESET)])
    }
}
