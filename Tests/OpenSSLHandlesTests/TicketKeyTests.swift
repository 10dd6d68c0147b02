import TestSupport
import Testing

@testable import OpenSSLHandles

/// A key that is one byte again and again.
private func key(_ byte: UInt8, _ from: Int64, _ until: Int64, _ end: Int64) throws -> TicketKey {
    let times = TicketKeyTimes(sealsFrom: from, sealsUntil: until, opensUntil: end)
    return try TicketKey.checked([UInt8](repeating: byte, count: TicketKey.nameCount), times) { secret in
        for index in secret.indices { secret[index] = byte }
    }
}

/// Whom a name opens with, at a time; 0 for nobody.
private func opener(_ ring: TicketKeyRing, _ byte: UInt8, _ now: Int64) -> (byte: UInt8, isOld: Bool)? {
    let name = [UInt8](repeating: byte, count: TicketKey.nameCount)
    return ring.opener(name, at: now).map { ($0.key.name[0], $0.isOld) }
}

@Suite struct `A ring of ticket keys` {
    @Test func `seals with the key that began last, and opens with all that have not ended`() throws {
        let ring = try #require(TicketKeyRing())
        try ring.add(key(1, 0, 100, 200))
        try ring.add(key(2, 50, 150, 250))
        for (now, sealer) in [(0, 1), (49, 1), (50, 2), (99, 2), (149, 2)] as [(Int64, UInt8)] {
            #expect(ring.sealer(at: now)?.name.first == sealer, "at \(now)")
        }
        #expect(ring.sealer(at: -1) == nil)
        #expect(try #require(opener(ring, 2, 0)) == (2, true), "it opens before it seals, and is to be replaced")
        #expect(try #require(opener(ring, 1, 120)) == (1, true))
        #expect(try #require(opener(ring, 1, 170)) == (1, false), "there is none to replace it by")
        #expect(opener(ring, 1, 200) == nil)
        #expect(opener(ring, 3, 0) == nil)
    }

    @Test func `drops what has ended when a ticket is sealed`() throws {
        let ring = try #require(TicketKeyRing())
        weak var first: TicketKey?
        do {
            let key = try key(1, 0, 100, 200)
            first = key
            try ring.add(key)
        }
        #expect(ring.sealer(at: 199) == nil && first != nil)
        #expect(ring.sealer(at: 200) == nil && first == nil)
    }

    @Test func `refuses a name that is there, and changes nothing`() throws {
        let ring = try #require(TicketKeyRing())
        try ring.add(key(1, 0, 100, 200))
        #expect(refusal { try ring.add(key(1, 0, 300, 400)) } == "there is a key of that name already")
        #expect(ring.sealer(at: 250) == nil)
    }

    @Test func `is changed by one thread while others look`() async throws {
        let ring = try #require(TicketKeyRing())
        let (one, other) = try (key(1, 0, 100, 200), key(2, 10, 100, 200))
        ring.replace(by: [one])
        nonisolated(unsafe) let shared = (ring, one, other)
        await withTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    (0..<2000).count { _ in opener(shared.0, 1, 50) == nil || shared.0.sealer(at: 50) == nil }
                }
            }
            group.addTask {
                for _ in 0..<500 {
                    shared.0.replace(by: [shared.1, shared.2])
                    shared.0.remove(shared.2.name)
                }
                return 0
            }
            for await missed in group { #expect(missed == 0) }
        }
    }
}
