import CTLSMem
import TestSupport
import Testing

/// One call of a script, made on a client and a server in the buffers face.
private enum Call {
    case write(Bool, Int), move(Bool, Int), read(Bool, Int), pause(Bool), resume(Bool), close(Bool), closeWrite(Bool)
    case abort(Bool), update(Bool), end(Bool)

    static func any(_ random: inout Seeded) -> Call {
        let isClient = Bool.random(using: &random)
        switch Int.random(in: 0..<40, using: &random) {
        case 0..<8: return .write(isClient, random.size(40_000))
        case 8..<27: return .move(isClient, random.size(40_000))
        case 27..<31: return .read(isClient, random.size(30_000))
        case 31: return .pause(isClient)
        case 32, 33: return .resume(isClient)
        case 34: return .close(isClient)
        case 35: return .closeWrite(isClient)
        case 36: return .update(isClient)
        case 37 where Int.random(in: 0..<4, using: &random) == 0: return .abort(isClient)
        case 37 where Int.random(in: 0..<4, using: &random) == 0: return .end(isClient)
        default: return .move(isClient, 100_000)
        }
    }
}

/// The same script gives the same session, so that a twin can be asked what the first only says it would do.
private final class Session {
    let client: Subject
    let server: Subject

    init(_ version: Version, callsBack: Bool) {
        let contexts = Contexts(version) {
            $0.outgoing_max = 33_000
            $0.outgoing_low = 5000
            $0.incoming_max = 20_000
        }
        client = Subject(contexts, \.client, callsBack: callsBack)
        server = Subject(contexts, \.server, callsBack: callsBack)
    }

    func make(_ call: Call) {
        func whose(_ isClient: Bool) -> (Subject, Subject) { isClient ? (client, server) : (server, client) }
        switch call {
        case .write(let isClient, let size): whose(isClient).0.write(pattern(size))
        case .move(let isClient, let size):
            let (from, to) = whose(isClient)
            let room = to.want.needs_ciphertext == 1 && to.want.state != TLSMEM_STATE_CLOSED
            if room { to.feed(from.take(min(size, 3000))) }  // a session that loses bytes says nothing
        case .read(let isClient, let size): _ = whose(isClient).0.read(size)
        case .pause(let isClient): _ = tlsmem_pause(whose(isClient).0.c)
        case .resume(let isClient): _ = tlsmem_resume(whose(isClient).0.c)
        case .close(let isClient): _ = tlsmem_close(whose(isClient).0.c)
        case .closeWrite(let isClient): _ = tlsmem_close_write(whose(isClient).0.c)
        case .abort(let isClient): _ = tlsmem_abort(whose(isClient).0.c)
        case .update(let isClient): _ = tlsmem_key_update(whose(isClient).0.c, 1)
        case .end(let isClient): _ = tlsmem_feed_eof(whose(isClient).0.c)
        }
    }
}

@Suite struct `The snapshot of what is wanted` {
    private func run(_ calls: ArraySlice<Call>, _ version: Version, callsBack: Bool) -> Session {
        let session = Session(version, callsBack: callsBack)
        for call in calls { session.make(call) }
        return session
    }

    /// What one end says of itself agrees with itself.
    private func checkWithin(_ one: Subject, _ place: String) {
        let want = one.want
        #expect(want.deadline_ms == tlsmem_deadline(one.c), "\(place)")
        #expect(want.has_plaintext == (want.incoming_bytes > 0 ? 1 : 0), "\(place)")
        if want.outgoing_bytes > 0 { #expect(want.has_ciphertext == 1, "\(place)") }
        #expect(want.outgoing_bytes + want.deferred_bytes <= 33_000 + 4096, "\(place)")
        switch want.state {
        case TLSMEM_STATE_NEW: #expect(want.outgoing_bytes == 0 && tlsmem_is_established(one.c) == 0, "\(place)")
        case TLSMEM_STATE_HANDSHAKING: #expect(tlsmem_is_established(one.c) == 0 && want.deadline_ms >= 0, "\(place)")
        case TLSMEM_STATE_OPEN: #expect(tlsmem_is_established(one.c) == 1, "\(place)")
        case TLSMEM_STATE_CLOSED:
            #expect(want.needs_ciphertext == 0 && want.accepts_plaintext == 0 && want.deadline_ms == -1, "\(place)")
        default: break
        }
    }

    @Test(arguments: 1...10)
    func `says after every call what the next would do`(seed: Int) {
        var random = Seeded(UInt64(seed))
        let (version, callsBack): (Version, Bool) = (seed % 2 == 0 ? .tls12 : .tls13, seed % 4 < 2)
        let calls = (0..<24).map { _ in Call.any(&random) }
        for end in 0...calls.count {
            let place = "seed \(seed), after \(end) calls"
            for isClient in [true, false] {
                let session = run(calls[..<end], version, callsBack: callsBack)
                let one = isClient ? session.client : session.server
                checkWithin(one, place)
                let want = one.want
                let reads = one.read(1).result == 1
                #expect(reads == (want.has_plaintext == 1), "\(place)")
                let shows = !one.take(1).isEmpty
                #expect(shows == (want.has_ciphertext == 1), "\(place)")
            }
            let twin = run(calls[..<end], version, callsBack: callsBack)
            for one in [twin.client, twin.server] {
                let accepts = one.want.accepts_plaintext == 1
                #expect((one.write([1]) == 1) == accepts, "\(place)")
            }
        }
    }
}
