import CTLSMem
import TestSupport
import Testing

/// What is done with the connection while it is asked about.
private final class Answerer {
    var action: (OpaquePointer?) -> Void = { _ in }
    var asked = 0

    var user: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    static func of(_ user: UnsafeMutableRawPointer?) -> Answerer {
        Unmanaged<Answerer>.fromOpaque(user!).takeUnretainedValue()
    }
}

private let onHello: tlsmem_client_hello_cb = { c, _, user in
    Answerer.of(user).asked += 1
    Answerer.of(user).action(c)
    return status(TLSMEM_OK)
}

private let onVerdict: tlsmem_verify_cb = { c, _, user in
    Answerer.of(user).asked += 1
    Answerer.of(user).action(c)
    return status(TLSMEM_OK)
}

/// In debug builds, and so here, overlapping access to a connection ends the process.
@Suite struct `A question` {
    @Test(arguments: Version.allCases, Action.allCases)
    func `may be answered by doing anything to the connection`(version: Version, action: Action) {
        for ofClient in [false, true] {
            let (contexts, answerer) = (Contexts(version), Answerer())
            if ofClient {
                #expect(tlsmem_ctx_set_verify_cb(contexts.client, onVerdict, answerer.user) == status(TLSMEM_OK))
            } else {
                #expect(tlsmem_ctx_set_client_hello_cb(contexts.server, onHello, answerer.user) == status(TLSMEM_OK))
            }
            let (client, server) = (Subject(contexts, \.client), Subject(contexts, \.server))
            let (subject, peer) = ofClient ? (client, server) : (server, client)
            let loop = tlsmem_loop_new()
            answerer.action = { c in
                switch action {
                case .write: subject.write(pattern(100))
                case .pause: #expect(tlsmem_pause(c) == status(TLSMEM_OK))
                case .resume: #expect(tlsmem_resume(c) == status(TLSMEM_OK))
                case .close: _ = tlsmem_close(c)
                case .closeWrite: _ = tlsmem_close_write(c)
                case .abort: #expect(tlsmem_abort(c) == status(TLSMEM_OK))
                case .free: subject.free()
                case .remove: #expect(tlsmem_loop_remove(loop, c) == status(TLSMEM_ESTATE))
                case .add: #expect(tlsmem_loop_add(loop, c, -1) == status(TLSMEM_EINVAL))
                case .update: #expect(tlsmem_key_update(c, 1) < 0 && tlsmem_handshake(c) == status(TLSMEM_AGAIN))
                }
            }
            _ = tlsmem_handshake(client.c)
            carry(client, server)
            #expect(answerer.asked == 1)
            #expect(subject.callsAfterFree == 0 && subject.count(.close) <= 1)
            switch action {
            case .write, .pause, .resume, .remove, .add, .update:
                #expect(subject.count(.established) == 1 && peer.count(.established) == 1)
                if action == .write { #expect(peer.received == pattern(100)) }
            case .abort:
                #expect(subject.count(.established) == 0 && subject.reports.first?.status == status(TLSMEM_EABORTED))
            case .free:
                #expect(subject.happenings.isEmpty)
            case .close, .closeWrite:
                break
            }
            tlsmem_loop_free(loop)
        }
    }
}
