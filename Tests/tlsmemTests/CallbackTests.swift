import CTLSMem
import TestSupport
import Testing

/// What a program may do inside a callback, with the connection that called.
enum Action: CaseIterable { case write, pause, resume, close, closeWrite, abort, free, remove, add, update }

/// A connection and its peer go through everything that calls back: established, bytes, drain, eof, close.
private final class Scene {
    let contexts: Contexts
    let subject: Subject
    let peer: Subject
    var others: [Subject] = []

    init(_ version: Version, subjectIsServer: Bool) {
        contexts = Contexts(version) {
            $0.outgoing_max = 32768
            $0.outgoing_low = 1000
        }
        subject = Subject(contexts, subjectIsServer ? \.server : \.client)
        peer = Subject(contexts, subjectIsServer ? \.client : \.server)
    }

    /// Plays the scene; `settle` lets everything move that can.
    func play(_ settle: () -> Void) {
        settle()
        peer.write(pattern(100))
        settle()
        if subject.c != nil { while subject.write(pattern(10_000)) == 10_000 {} }
        settle()
        _ = tlsmem_close_write(peer.c)
        settle()
        if subject.c != nil {
            _ = tlsmem_resume(subject.c)
            _ = tlsmem_close(subject.c)
        }
        settle()
        if subject.c != nil { _ = tlsmem_abort(subject.c) }
        settle()
    }

    func check(_ at: Happening, _ action: Action) {
        #expect(subject.callsAfterFree == 0)
        #expect(peer.count(.close) <= 1)
        #expect(subject.happenings.contains(at), "the callback never came")
        if action == .free {
            #expect(subject.happenings.last == at)
        } else {
            #expect(subject.count(.close) == 1)
            #expect(subject.happenings.last == .close)
            #expect(subject.want.state == TLSMEM_STATE_CLOSED)
        }
        #expect(subject.count(.established) <= 1 && subject.count(.eof) <= 1)
        if action == .abort, at != .close { #expect(subject.reports.first?.status == status(TLSMEM_EABORTED)) }
        #expect(others.allSatisfy { $0.c == nil || $0.count(.established) == 1 }, "what was added goes its way")
    }
}

@Suite struct `A callback` {
    @Test(arguments: Happening.allCases, Action.allCases)
    func `may do anything in the buffers face`(at: Happening, action: Action) {
        for version in Version.allCases {
            for isServer in [false, true] {
                let scene = Scene(version, subjectIsServer: isServer)
                scene.subject.reactions[at] = { subject in
                    switch action {
                    case .write: subject.write(Array("from a callback".utf8))
                    case .pause: #expect(tlsmem_pause(subject.c) == status(TLSMEM_OK))
                    case .resume: #expect(tlsmem_resume(subject.c) == status(TLSMEM_OK))
                    case .close: #expect(tlsmem_close(subject.c) == status(TLSMEM_OK))
                    case .closeWrite: _ = tlsmem_close_write(subject.c)
                    case .abort: #expect([status(TLSMEM_OK)].contains(tlsmem_abort(subject.c)))
                    case .free: subject.free()
                    case .update: _ = tlsmem_key_update(subject.c, 1)
                    case .remove: #expect(tlsmem_loop_remove(nil, subject.c) == status(TLSMEM_EINVAL))
                    case .add:
                        // Another pair, driven from its first byte to its last inside this callback.
                        let (one, other) = (Subject(scene.contexts, \.client), Subject(scene.contexts, \.server))
                        carry(one, other)
                        scene.others += [one, other]
                    }
                }
                scene.play { carry(scene.subject, scene.peer) }
                scene.check(at, action)
            }
        }
    }

    @Test(arguments: Happening.allCases, Action.allCases)
    func `may do anything in a loop`(at: Happening, action: Action) {
        for version in Version.allCases {
            for isServer in [false, true] {
                let sockets = Sockets()
                var more: [Sockets] = []
                let scene = Scene(version, subjectIsServer: isServer)
                let loop = tlsmem_loop_new()
                #expect(tlsmem_loop_add(loop, scene.subject.c, sockets.near) == status(TLSMEM_OK))
                #expect(tlsmem_loop_add(loop, scene.peer.c, sockets.far) == status(TLSMEM_OK))
                scene.subject.reactions[at] = { subject in
                    switch action {
                    case .write: subject.write(Array("from a callback".utf8))
                    case .pause: #expect(tlsmem_pause(subject.c) == status(TLSMEM_OK))
                    case .resume: #expect(tlsmem_resume(subject.c) == status(TLSMEM_OK))
                    case .close: #expect(tlsmem_close(subject.c) == status(TLSMEM_OK))
                    case .closeWrite: _ = tlsmem_close_write(subject.c)
                    case .abort: #expect(tlsmem_abort(subject.c) == status(TLSMEM_OK))
                    case .free: subject.free()
                    case .update: _ = tlsmem_key_update(subject.c, 1)
                    case .remove:
                        // It has left by itself when it closes.
                        let expected = at == .close ? TLSMEM_ESTATE : TLSMEM_OK
                        #expect(tlsmem_loop_remove(loop, subject.c) == status(expected))
                    case .add:
                        more.append(Sockets())
                        let (one, other) = (Subject(scene.contexts, \.client), Subject(scene.contexts, \.server))
                        #expect(tlsmem_loop_add(loop, one.c, more[0].near) == status(TLSMEM_OK))
                        #expect(tlsmem_loop_add(loop, other.c, more[0].far) == status(TLSMEM_OK))
                        scene.others += [one, other]
                    }
                }
                scene.play {
                    while tlsmem_loop_run_once(loop, 0) > 0 {}
                    // Whoever was taken out is put back, and goes on.
                    if scene.subject.c != nil, tlsmem_loop_add(loop, scene.subject.c, -1) == status(TLSMEM_OK) {
                        while tlsmem_loop_run_once(loop, 0) > 0 {}
                    }
                }
                scene.check(at, action)
                tlsmem_loop_free(loop)
                for other in scene.others { #expect(other.count(.close) == 1) }
            }
        }
    }

    @Test func `of a loop may not run it or free what it stands on`() {
        let (sockets, contexts) = (Sockets(), Contexts())
        let (client, server) = (Subject(contexts, \.client), Subject(contexts, \.server))
        let loop = tlsmem_loop_new()
        #expect(tlsmem_loop_add(loop, client.c, sockets.near) == status(TLSMEM_OK))
        #expect(tlsmem_loop_add(loop, server.c, sockets.far) == status(TLSMEM_OK))
        client.reactions[.established] = { _ in
            #expect(tlsmem_loop_run(loop) == status(TLSMEM_ESTATE))
            #expect(tlsmem_loop_run_once(loop, 0) == status(TLSMEM_ESTATE))
            #expect(tlsmem_on_readable(client.c) == status(TLSMEM_ESTATE))
        }
        while tlsmem_loop_run_once(loop, 0) > 0 {}
        #expect(client.count(.established) == 1)
        // Both leave inside one callback, also for what the loop has already collected.
        server.reactions[.bytes] = { _ in
            client.free()
            server.free()
        }
        #expect(client.write([1]) == 1)
        while tlsmem_loop_run_once(loop, 0) > 0 {}
        #expect(client.callsAfterFree + server.callsAfterFree == 0)
        #expect(server.received == [1])
        tlsmem_loop_free(loop)
    }

    @Test func `that frees is the last one, whatever else was due`() {
        let contexts = Contexts()
        let (client, server) = (Subject(contexts, \.client), Subject(contexts, \.server))
        carry(client, server)
        server.write(pattern(100_000))
        _ = tlsmem_close(server.c)
        client.reactions[.bytes] = { $0.free() }
        carry(client, server)
        #expect(client.happenings == [.established, .bytes])
        #expect(client.callsAfterFree == 0)
    }
}
