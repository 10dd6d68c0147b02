import CTLSMem
import TestSupport
import Testing

@Suite struct `A deadline` {
    private func established(_ change: @escaping (inout tlsmem_limits) -> Void) -> (Subject, Subject) {
        let contexts = Contexts(.tls13, change)
        let both = (Subject(contexts, \.client), Subject(contexts, \.server))
        carry(both.0, both.1)
        #expect(both.0.count(.established) == 1)
        return both
    }

    private func expectTimeout(_ subject: Subject, at deadline: Int64) {
        #expect(tlsmem_tick(subject.c, deadline - 1) == status(TLSMEM_OK))
        #expect(subject.count(.close) == 0)
        #expect(tlsmem_tick(subject.c, deadline) == status(TLSMEM_ETIMEOUT))
        #expect(subject.count(.close) == 1)
        #expect(subject.reports.first?.status == status(TLSMEM_ETIMEOUT))
        #expect(subject.error.status == status(TLSMEM_ETIMEOUT))
        #expect(tlsmem_deadline(subject.c) == -1)
        #expect(tlsmem_tick(subject.c, .max) == status(TLSMEM_ETIMEOUT))
        #expect(subject.count(.close) == 1)
    }

    @Test(arguments: [\Contexts.client, \Contexts.server])
    func `of the handshake begins with the first driving call`(role: KeyPath<Contexts, OpaquePointer> & Sendable) {
        let subject = Subject(Contexts { $0.handshake_ms = 1000 }, role)
        #expect(tlsmem_deadline(subject.c) == -1)
        #expect(tlsmem_tick(subject.c, .max) == status(TLSMEM_OK))
        let before = tlsmem_now()
        #expect(tlsmem_handshake(subject.c) == status(TLSMEM_AGAIN))
        let deadline = tlsmem_deadline(subject.c)
        #expect(deadline >= before + 1000 && deadline <= tlsmem_now() + 1000)
        #expect(subject.want.deadline_ms == deadline)
        expectTimeout(subject, at: deadline)
    }

    @Test func `of the handshake is over when the handshake is`() {
        let (client, server) = established { $0.handshake_ms = 1000 }
        #expect(tlsmem_deadline(client.c) == -1 && tlsmem_deadline(server.c) == -1)
        #expect(tlsmem_tick(client.c, .max) == status(TLSMEM_OK))
    }

    @Test func `of idleness moves with every byte in either direction`() {
        let (client, server) = established { $0.idle_ms = 1000 }
        let first = tlsmem_deadline(server.c)
        #expect(first >= 0 && first <= tlsmem_now() + 1000)
        client.write([1])
        carry(client, server)
        let second = tlsmem_deadline(server.c)
        #expect(second >= first)
        expectTimeout(server, at: second)
        #expect(server.reports.first?.close_notify_sent == 1)
        carry(server, client)
        #expect(client.count(.eof) == 1, "the peer was told properly")
    }

    @Test func `of reading counts what comes, not what goes, and only while it reads`() {
        let (client, server) = established { $0.read_ms = 1000 }
        let first = tlsmem_deadline(server.c)
        #expect(first >= 0 && first <= tlsmem_now() + 1000)
        server.write([1])
        _ = server.take()
        #expect(tlsmem_deadline(server.c) == first)
        #expect(tlsmem_pause(server.c) == status(TLSMEM_OK))
        #expect(tlsmem_deadline(server.c) == -1)
        #expect(tlsmem_resume(server.c) == status(TLSMEM_OK))
        client.write([1])
        carry(client, server)
        expectTimeout(server, at: tlsmem_deadline(server.c))
        #expect(server.reports.first?.close_notify_sent == 1)
    }

    @Test func `of writing counts while bytes wait and none is taken`() {
        let (client, server) = established { $0.write_ms = 1000 }
        #expect(tlsmem_deadline(server.c) == -1)
        server.write(pattern(5000))
        #expect(tlsmem_deadline(server.c) >= 0)
        #expect(!server.take().isEmpty)
        #expect(tlsmem_deadline(server.c) == -1)
        server.write(pattern(5000))
        expectTimeout(server, at: tlsmem_deadline(server.c))
        #expect(server.reports.first?.close_notify_sent == 0)
        #expect((server.reports.first?.ciphertext_unsent ?? 0) > 5000)
        #expect(client.count(.close) == 0)
    }

    @Test func `of its own is measured from when it began, and 0 takes it away`() {
        let subject = Subject(Contexts { $0.handshake_ms = 1000 }, \.client)
        _ = tlsmem_handshake(subject.c)
        let deadline = tlsmem_deadline(subject.c)
        #expect(tlsmem_set_timeout(subject.c, TLSMEM_TIMEOUT_HANDSHAKE, 5000) == status(TLSMEM_OK))
        #expect(tlsmem_deadline(subject.c) == deadline + 4000)
        #expect(tlsmem_set_timeout(subject.c, TLSMEM_TIMEOUT_HANDSHAKE, 0) == status(TLSMEM_OK))
        #expect(tlsmem_deadline(subject.c) == -1)
        #expect(tlsmem_set_timeout(subject.c, tlsmem_timeout(6), 1) == status(TLSMEM_EINVAL))
        #expect(tlsmem_set_timeout(subject.c, TLSMEM_TIMEOUT_HANDSHAKE, 20) == status(TLSMEM_OK))
        expectTimeout(subject, at: deadline - 980)
    }

    @Test func `of closing begins with the close`() {
        let (client, server) = established { $0.close_ms = 1000 }
        let before = tlsmem_now()
        #expect(tlsmem_close(client.c) == status(TLSMEM_OK))
        #expect(client.want.state == TLSMEM_STATE_CLOSING)
        let deadline = tlsmem_deadline(client.c)
        #expect(deadline >= before + 1000 && deadline <= tlsmem_now() + 1000)
        #expect(tlsmem_close(client.c) == status(TLSMEM_OK))
        #expect(tlsmem_deadline(client.c) == deadline, "a second close does not move it")
        expectTimeout(client, at: deadline)
        #expect(server.count(.close) == 0)
    }

    @Test func `of 0 is none`() {
        let contexts = Contexts {
            $0.handshake_ms = 0
            $0.idle_ms = 0
            $0.close_ms = 0
        }
        let (client, server) = (Subject(contexts, \.client), Subject(contexts, \.server))
        _ = tlsmem_handshake(client.c)
        #expect(tlsmem_deadline(client.c) == -1)
        carry(client, server)
        #expect(tlsmem_deadline(client.c) == -1)
        _ = tlsmem_close(client.c)
        #expect(tlsmem_deadline(client.c) == -1)
        #expect(tlsmem_tick(client.c, .max) == status(TLSMEM_OK))
        #expect(client.count(.close) == 0)
    }

    @Test func `is not disturbed by a clock that says anything`() {
        let subject = Subject(Contexts { $0.handshake_ms = .max }, \.client)
        _ = tlsmem_handshake(subject.c)
        for now in [Int64.min, -1, 0, 1] { #expect(tlsmem_tick(subject.c, now) == status(TLSMEM_OK)) }
        #expect(tlsmem_tick(subject.c, .max) == status(TLSMEM_ETIMEOUT))
    }

    @Test func `may be met inside a callback, and is reported after it`() {
        let contexts = Contexts()
        let (client, server) = (Subject(contexts, \.client), Subject(contexts, \.server))
        client.reactions[.established] = { client in
            _ = tlsmem_close(client.c)
            _ = tlsmem_tick(client.c, .max)
            #expect(client.count(.close) == 0)
        }
        carry(client, server)
        #expect(client.happenings == [.established, .close])
        #expect(client.reports.first?.status == status(TLSMEM_ETIMEOUT))
    }
}
