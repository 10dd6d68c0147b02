import CTLSMem
import TestSupport
import Testing

@Suite struct `An end` {
    private func established(_ version: Version = .tls13) -> (Subject, Subject) {
        let contexts = Contexts(version)
        let both = (Subject(contexts, \.client), Subject(contexts, \.server))
        carry(both.0, both.1)
        return both
    }

    @Test(arguments: Version.allCases)
    func `by both is reported once to each, whoever closes how often`(version: Version) {
        let (client, server) = established(version)
        #expect(client.write([1, 2, 3]) == 3)
        for _ in 0..<3 { #expect(tlsmem_close(client.c) == status(TLSMEM_OK)) }
        #expect(client.write([4]) == count(TLSMEM_ESTATE))
        carry(client, server)
        #expect(server.received == [1, 2, 3] && server.count(.eof) == 1)
        for _ in 0..<3 { #expect(tlsmem_close(server.c) == status(TLSMEM_OK)) }
        carry(client, server)
        for one in [client, server] {
            #expect(one.count(.close) == 1 && one.happenings.last == .close)
            let report = one.reports[0]
            #expect(report.status == status(TLSMEM_OK))
            #expect(report.close_notify_sent == 1 && report.close_notify_received == 1)
            #expect(report.ciphertext_unsent == 0)
            for _ in 0..<2 { #expect(tlsmem_close(one.c) == status(TLSMEM_OK)) }
            #expect(one.write([5]) == count(TLSMEM_CLOSED))
            #expect(one.feed([1]) == count(TLSMEM_CLOSED))
            #expect(tlsmem_feed_eof(one.c) == status(TLSMEM_CLOSED))
            #expect(tlsmem_close_write(one.c) == status(TLSMEM_ESTATE))
            #expect(tlsmem_abort(one.c) == status(TLSMEM_OK))
            #expect(tlsmem_set_fd(one.c, 0) == status(TLSMEM_ESTATE))
            #expect(one.count(.close) == 1)
        }
        #expect(client.reports[0].bytes_accepted == 3 && client.reports[0].bytes_encrypted == 3)
        #expect(server.reports[0].bytes_received == 3)
        #expect(client.reports[0].ciphertext_sent == server.reports[0].ciphertext_received)
        #expect(server.reports[0].ciphertext_sent == client.reports[0].ciphertext_received)
    }

    @Test func `by an abort says how much was lost`() {
        let (client, server) = established()
        #expect(client.write(pattern(1000)) == 1000)
        let waiting = client.want.outgoing_bytes
        #expect(tlsmem_abort(client.c) == status(TLSMEM_OK))
        #expect(client.count(.close) == 1)
        let report = client.reports[0]
        #expect(report.status == status(TLSMEM_EABORTED))
        #expect(report.bytes_accepted == 1000 && report.ciphertext_unsent == UInt64(waiting))
        #expect(report.close_notify_sent == 0)
        #expect(client.take().isEmpty)
        #expect(tlsmem_feed_eof(server.c) == status(TLSMEM_ETRUNCATED))
        #expect(server.reports[0].status == status(TLSMEM_ETRUNCATED))
    }

    @Test func `before the handshake is told from one within it`() {
        let contexts = Contexts()
        let unbegun = Subject(contexts, \.client)
        #expect(tlsmem_close(unbegun.c) == status(TLSMEM_OK))
        #expect(unbegun.reports.first?.status == status(TLSMEM_EABORTED))
        let half = Subject(contexts, \.client)
        #expect(!half.take().isEmpty)
        #expect(tlsmem_feed_eof(half.c) == status(TLSMEM_EHANDSHAKEEOF))
        #expect(half.happenings == [.close])
    }

    @Test func `by the peer's fault leaves the alert to be sent, and says everything`() throws {
        let contexts = Contexts()
        let (client, server) = (Subject(contexts, \.client), Subject(contexts, \.server))
        #expect(tlsmem_set_server_name(client.c, "elsewhere.example") == status(TLSMEM_OK))
        carry(client, server)
        #expect(client.happenings == [.close] && server.happenings == [.close])
        let (here, there) = (client.error, server.error)
        #expect(here.status == status(TLSMEM_EHOST) && here.alert_sent == 42 && here.verify_depth == 0)
        #expect(there.status == status(TLSMEM_EREJECTED) && there.alert_received == 42 && there.alert_sent == -1)
        let sentence = withUnsafeBytes(of: here.sentence) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        #expect(sentence.contains("another host"))
        #expect(client.want.state == TLSMEM_STATE_CLOSED)
    }

    @Test func `makes every call answer, and changes nothing any more`() {
        let (client, server) = established()
        _ = tlsmem_abort(client.c)
        let before = client.happenings
        let aborted = status(TLSMEM_EABORTED)
        #expect(tlsmem_handshake(client.c) == aborted)
        #expect(tlsmem_tick(client.c, .max) == aborted)
        #expect(client.write([1]) == Int(aborted) && client.feed([1]) == Int(aborted))
        #expect(client.read(1).result == Int(aborted))
        #expect(tlsmem_on_readable(client.c) == aborted && tlsmem_on_writable(client.c) == aborted)
        #expect(tlsmem_flush(client.c) == aborted)
        #expect(tlsmem_key_update(client.c, 1) == status(TLSMEM_ESTATE))
        #expect(tlsmem_renegotiate(client.c) == status(TLSMEM_ESTATE))
        #expect(tlsmem_pause(client.c) == status(TLSMEM_OK) && tlsmem_resume(client.c) == status(TLSMEM_OK))
        #expect(tlsmem_is_established(client.c) == 1)
        #expect(client.happenings == before)
        #expect(server.count(.close) == 0)
    }
}
