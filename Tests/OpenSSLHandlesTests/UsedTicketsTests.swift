import OpenSSLHandles
import TestSupport
import Testing

extension UsedTickets {
    /// Where both clocks say the same.
    fileprivate func use(_ ticket: UInt64, now: Int64) -> Bool { use(ticket, now: now, date: now) }
}

@Suite struct `The note of used tickets` {
    private func tickets(_ most: Int, seconds: Int64 = 20) throws -> UsedTickets {
        try #require(UsedTickets.of(most: most, seconds: seconds))
    }

    @Test func `lets each bring early data once`() throws {
        let used = try tickets(100_000)
        var random = Seeded(8)
        let numbers = [0, 1, 2, .max] + (0..<20_000).map { _ in random.next() }
        #expect(numbers.dropFirst().allSatisfy { used.use($0, now: 1) })
        #expect(numbers.allSatisfy { !used.use($0, now: 1) }, "0 and 1 count as one")
    }

    @Test func `finds those that belong to the same place`() throws {
        let used = try tickets(1000)
        let numbers = (1...600).map { UInt64($0) << 32 | 255 }
        #expect(numbers.allSatisfy { used.use($0, now: 1) })
        #expect(numbers.allSatisfy { !used.use($0, now: 1) })
    }

    @Test func `takes none when it is full of what must be remembered`() throws {
        let used = try tickets(10)
        #expect((1...20).allSatisfy { used.use($0, now: 100) })
        #expect(!used.use(21, now: 100))
        #expect(!used.use(21, now: 120))
        #expect(used.use(21, now: 121))
    }

    @Test func `forgets the oldest only, and none before its time`() throws {
        let used = try tickets(10)
        #expect((1...10).allSatisfy { used.use($0, now: 0) })
        #expect((11...20).allSatisfy { used.use($0, now: 1000) })
        #expect((1...20).allSatisfy { !used.use($0, now: 1020) })
        #expect(used.use(21, now: 1021))
        #expect((11...21).allSatisfy { !used.use($0, now: 1021) })
        #expect(used.use(1, now: 1021))
        #expect((22...29).allSatisfy { used.use($0, now: 1030) })
        #expect(!used.use(30, now: 1041), "the newer set began at 1021")
        #expect(used.use(30, now: 1042))
    }

    @Test func `let a ticket be used again when the time of day had been set back`() throws {
        let used = try tickets(10)
        #expect(used.use(1, now: 0, date: 1_000_000))
        #expect(!used.use(1, now: 30, date: 1_000_000 - 3600))
        #expect(!used.use(2, now: 31, date: 1_000_000 - 3), "nobody knows which one is old")
        #expect(used.use(3, now: 32, date: 1_000_000 - 2), "another thread was quicker")
        #expect(used.use(4, now: 33, date: 1_000_001))
    }

    @Test func `kept all tickets, up to 65536, when those of the last seconds were enough`() throws {
        let used = try tickets(65536)
        for now in 0..<1000 {
            #expect((0..<20).allSatisfy { used.use(UInt64(now * 20 + $0 + 1), now: Int64(now)) })
            #expect(used.count <= 2 * 21 * 20)
        }
    }
}
