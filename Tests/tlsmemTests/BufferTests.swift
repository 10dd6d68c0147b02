import CTLSMem
import TestSupport
import Testing

/// What an idle connection owns is counted in Tests/Conformance/idle.c, and what OpenSSL's buffers weigh.
@Suite struct `Record buffers` {
    @Test func `have no deadline unless they are kept`() throws {
        let contexts = Contexts()
        let (client, server) = (Subject(contexts, \.client), Subject(contexts, \.server))
        join(client, server)
        #expect(tlsmem_deadline(client.c) == -1 && tlsmem_deadline(server.c) == -1)
        #expect(tlsmem_trim(client.c) == status(TLSMEM_OK))
    }

    @Test func `are kept until no byte has come or gone for so long, and nothing ends by that`() throws {
        let contexts = Contexts { $0.buffers_ms = 40 }
        let (client, server) = (Subject(contexts, \.client), Subject(contexts, \.server))
        join(client, server)
        let deadline = tlsmem_deadline(server.c)
        #expect(deadline > tlsmem_now() - 1000 && deadline <= tlsmem_now() + 40)
        #expect(tlsmem_tick(server.c, deadline) == status(TLSMEM_OK))
        #expect(tlsmem_deadline(server.c) == -1)
        #expect(client.write(Array("x".utf8)) == 1)
        join(client, server)
        #expect(server.received == Array("x".utf8))
        #expect(tlsmem_deadline(server.c) > 0)
    }

    @Test func `leave the idle deadline where it is`() throws {
        let contexts = Contexts { ($0.buffers_ms, $0.idle_ms) = (40, 5000) }
        let (client, server) = (Subject(contexts, \.client), Subject(contexts, \.server))
        join(client, server)
        let first = tlsmem_deadline(server.c)
        #expect(tlsmem_tick(server.c, first) == status(TLSMEM_OK))
        #expect(tlsmem_deadline(server.c) == first + 4960)
        #expect(tlsmem_tick(server.c, first + 4960) == status(TLSMEM_ETIMEOUT))
    }
}

/// Carries ciphertext to and fro until none waits.
private func join(_ client: Subject, _ server: Subject) {
    while true {
        let (up, down) = (client.take(), server.take())
        if up.isEmpty && down.isEmpty { return }
        server.feed(up)
        client.feed(down)
    }
}
