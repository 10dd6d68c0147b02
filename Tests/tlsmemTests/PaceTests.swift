import CTLSMem
import TestSupport
import Testing

@Suite struct `The pace` {
    private func pair(callsBack: Bool = true, _ change: (inout tlsmem_limits) -> Void = { _ in }) -> (Subject, Subject)
    {
        let contexts = Contexts(.tls13, change)
        let both = (
            Subject(contexts, \.client, callsBack: callsBack), Subject(contexts, \.server, callsBack: callsBack)
        )
        carry(both.0, both.1)
        #expect(tlsmem_is_established(both.0.c) == 1 && tlsmem_is_established(both.1.c) == 1)
        return both
    }

    @Test func `of writing: on_drain comes once, when what waits has fallen to outgoing_low`() {
        let (client, server) = pair {
            $0.outgoing_max = 40_000
            $0.outgoing_low = 10_000
        }
        let taken = client.write(pattern(100_000))
        #expect(taken > 32_000 && taken < 40_000)
        #expect(client.write([1]) == count(TLSMEM_AGAIN))
        #expect(client.want.accepts_plaintext == 0)
        while client.want.outgoing_bytes > 10_000 {
            #expect(client.count(.drain) == 0)
            server.feed(client.take(1000))
        }
        #expect(client.count(.drain) == 1)
        #expect(client.want.accepts_plaintext == 1)
        carry(client, server)
        #expect(client.count(.drain) == 1)
        #expect(difference(server.received, pattern(taken)) == nil)
    }

    @Test func `of writing: on_drain comes to who left it congested, and goes on when it is no more`() {
        let (client, server) = pair {
            $0.outgoing_high = 30_000
            $0.outgoing_low = 10_000
        }
        #expect(client.write(pattern(20_000)) == 20_000)
        #expect(tlsmem_is_congested(client.c) == 0 && client.want.congested == 0)
        #expect(client.write(pattern(20_000)) == 20_000, "it takes bytes all the same")
        #expect(tlsmem_is_congested(client.c) == 1 && client.want.congested == 1)
        while client.want.outgoing_bytes > 10_000 {
            #expect(client.count(.drain) == 0)
            server.feed(client.take(1000))
        }
        #expect(client.count(.drain) == 1)
        #expect(tlsmem_is_congested(client.c) == 0)
        carry(client, server)
        #expect(client.count(.drain) == 1)
    }

    @Test func `of writing: on_drain comes to who left it congested and never asked`() {
        let (client, server) = pair {
            $0.outgoing_high = 30_000
            $0.outgoing_low = 10_000
        }
        #expect(client.write(pattern(30_000)) == 30_000)
        carry(client, server)
        #expect(client.count(.drain) == 1, "with the records' own bytes it was more than outgoing_high")
        #expect(client.write(pattern(29_000)) == 29_000)
        carry(client, server)
        #expect(client.count(.drain) == 1)
    }

    @Test func `of writing: outgoing_high from outgoing_max on means never congested`() {
        let (client, server) = pair {
            $0.outgoing_max = 40_000
            $0.outgoing_low = 10_000
            $0.outgoing_high = 40_000
        }
        #expect(client.write(pattern(39_000)) > 38_000)
        #expect(tlsmem_is_congested(client.c) == 0)
        carry(client, server)
    }

    @Test func `of writing: who is told that it is congested is owed on_drain, though no write left it so`() {
        let contexts = Contexts(.tls13) {
            $0.outgoing_high = 40_000
            $0.outgoing_low = 10_000
        }
        let (client, server) = (Subject(contexts, \.client), Subject(contexts, \.server))
        #expect(client.write(pattern(40_000)) == 40_000)  // put off: exactly as much as may wait
        #expect(tlsmem_is_congested(client.c) == 0)
        client.reactions[.established] = { #expect(tlsmem_is_congested($0.c) == 1, "records are longer") }
        carry(client, server)
        #expect(client.count(.drain) == 1)
    }

    @Test func `of writing: on_drain never comes to who was never refused`() {
        let (client, server) = pair { $0.outgoing_low = 0 }
        #expect(client.write(pattern(500_000)) == 500_000)
        carry(client, server)
        #expect(client.count(.drain) == 0)
        #expect(server.received.count == 500_000)
    }

    @Test func `of writing: who writes again in on_drain sends everything`() {
        let (client, server) = pair {
            $0.outgoing_max = 32768
            $0.outgoing_low = 100
        }
        let all = pattern(400_000)
        var sent = 0
        func more(_ subject: Subject) {
            while sent < all.count {
                let taken = subject.write(Array(all[sent...]))
                if taken < 0 { break }
                sent += taken
            }
            subject.reactions[.drain] = more
        }
        more(client)
        carry(client, server)
        #expect(sent == all.count)
        #expect(difference(server.received, all) == nil)
        client.reactions = [:]
    }

    @Test func `of reading: no more waits than incoming_max and a record`() {
        let (client, server) = pair(callsBack: false) { $0.incoming_max = 20_000 }
        let all = pattern(200_000)
        #expect(client.write(all) == all.count)
        var ciphertext: [UInt8] = []
        while true {
            let slice = client.take()
            if slice.isEmpty { break }
            ciphertext += slice
        }
        var (fed, received) = (0, [UInt8]())
        var refused = 0
        while received.count < all.count {
            let taken = fed < ciphertext.count ? server.feed(Array(ciphertext[fed...])) : 0
            #expect(taken >= 0 || taken == count(TLSMEM_AGAIN))
            fed += max(0, taken)
            #expect(server.want.incoming_bytes <= 20_000 + 16384)
            if server.want.needs_ciphertext == 0 {
                refused += 1
                #expect(server.feed([0]) == count(TLSMEM_AGAIN))
            }
            let (result, bytes) = server.read(7000)
            #expect(result >= 0 || result == count(TLSMEM_AGAIN))
            received += bytes
            if result < 0, taken <= 0 { break }
        }
        #expect(refused > 5)
        #expect(difference(received, all) == nil)
    }

    @Test func `of reading: after incoming_max it wants no more before incoming_low`() {
        let (client, server) = pair(callsBack: false) {
            $0.incoming_max = 50_000
            $0.incoming_low = 20_000
        }
        client.write(pattern(200_000))
        while client.want.has_ciphertext == 1, server.want.needs_ciphertext == 1 { server.feed(client.take(5000)) }
        #expect(server.want.incoming_bytes >= 50_000)
        while server.want.incoming_bytes > 20_000 {
            #expect(server.want.needs_ciphertext == 0)
            #expect(server.feed([0]) == count(TLSMEM_AGAIN))
            #expect(server.read(min(5000, server.want.incoming_bytes - 20_000)).result > 0)
        }
        #expect(server.want.needs_ciphertext == 1)
    }

    @Test func `of reading: what comes while it is paused waits, and so does everything behind it`() {
        let (client, server) = pair()
        #expect(tlsmem_pause(server.c) == status(TLSMEM_OK))
        client.write([1, 2])
        client.write([3])
        _ = tlsmem_close(client.c)
        carry(client, server)
        #expect(server.happenings == [.established])
        let want = server.want
        #expect(want.paused == 1 && want.has_plaintext == 1 && want.incoming_bytes == 3 && want.peer_closed == 1)
        #expect(tlsmem_resume(server.c) == status(TLSMEM_OK))
        #expect(server.received == [1, 2, 3])
        #expect(server.happenings.suffix(2) == [.bytes, .eof])
        #expect(server.want.paused == 0 && server.want.has_plaintext == 0)
        _ = tlsmem_close(server.c)
        carry(client, server)
        #expect(server.happenings.suffix(3) == [.bytes, .eof, .close])
        #expect(client.happenings.suffix(2) == [.eof, .close])
    }

    @Test func `of reading: a pause inside on_data holds the next record back`() {
        let (client, server) = pair()
        server.reactions[.bytes] = { _ = tlsmem_pause($0.c) }
        for byte in 1...5 as ClosedRange<UInt8> { client.write([byte]) }
        carry(client, server)
        #expect(server.received == [1])
        #expect(server.read(2).bytes == [2, 3])
        server.reactions[.bytes] = { _ = tlsmem_pause($0.c) }
        _ = tlsmem_resume(server.c)
        #expect(server.received == [1, 4, 5])
        #expect(server.want.paused == 1)
    }

    @Test func `of reading: a pause does not hold the handshake up, nor an end by the peer's fault`() {
        let contexts = Contexts()
        let (client, server) = (Subject(contexts, \.client), Subject(contexts, \.server))
        for one in [client, server] { #expect(tlsmem_pause(one.c) == status(TLSMEM_OK)) }
        carry(client, server)
        #expect(client.happenings == [.established] && server.happenings == [.established])
        client.write([9])
        carry(client, server)
        server.feed(pattern(100))  // no record
        #expect(server.happenings == [.established, .close])
        #expect(server.reports.first?.status == status(TLSMEM_EPROTOCOL))
        #expect(server.read(10).bytes == [9], "what came before the failure is still to be had")
        #expect(server.read(10).result == count(TLSMEM_EPROTOCOL))
    }

    @Test func `of reading: peek shows what read would give`() {
        let (client, server) = pair(callsBack: false)
        client.write(pattern(1000))
        carry(client, server)
        var (start, length): (UnsafeRawPointer?, Int) = (nil, 0)
        #expect(tlsmem_read_peek(server.c, &start, &length) == status(TLSMEM_OK))
        #expect(Array(UnsafeRawBufferPointer(start: start, count: length)) == pattern(1000))
        #expect(tlsmem_write(server.c, start, length) == 1000, "it may be written back as it is")
        #expect(tlsmem_read_consume(server.c, 1001) == status(TLSMEM_EINVAL))
        #expect(tlsmem_read_consume(server.c, 999) == status(TLSMEM_OK))
        #expect(server.read(5).bytes == Array(pattern(1000).suffix(1)))
        #expect(tlsmem_read_peek(server.c, &start, &length) == status(TLSMEM_AGAIN))
        #expect(server.read(5).result == count(TLSMEM_AGAIN))
        _ = tlsmem_close(client.c)
        carry(client, server)
        #expect(tlsmem_read_peek(server.c, &start, &length) == status(TLSMEM_CLOSED))
        #expect(server.read(5).result == 0)
        #expect(client.read(1000).bytes == pattern(1000))
    }
}
