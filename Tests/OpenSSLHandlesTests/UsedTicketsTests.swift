import OpenSSLHandles
import TestSupport
import Testing

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

    @Test func `forgets the oldest only, and only for others`() throws {
        let used = try tickets(10)
        #expect((1...10).allSatisfy { used.use($0, now: 0) })
        #expect((11...20).allSatisfy { used.use($0, now: 1000) })
        #expect((1...20).allSatisfy { !used.use($0, now: 9999) }, "nobody needs the room")
        #expect(used.use(21, now: 1001))
        #expect((11...21).allSatisfy { !used.use($0, now: 1001) })
        #expect(used.use(1, now: 1001))
        #expect((22...29).allSatisfy { used.use($0, now: 1010) })
        #expect(!used.use(30, now: 1020), "11 to 20 came at 1000")
        #expect(used.use(30, now: 1021))
    }
}
