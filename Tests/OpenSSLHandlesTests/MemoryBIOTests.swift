import COpenSSL
import TestSupport
import Testing

@testable import OpenSSLHandles

extension MemoryBIO {
    /// Bytes of memory that it holds now.
    var capacity: Int {
        var memory: UnsafeMutablePointer<BUF_MEM>?
        copenssl_get_mem_ptr(bio, &memory)
        return memory?.pointee.max ?? 0
    }
}

/// What OpenSSL does with a BIO that is attached.
extension MemoryBIO {
    func writeByOpenSSL(_ bytes: [UInt8]) -> Bool { BIO_write(bio, bytes, CInt(bytes.count)) == bytes.count }

    func readByOpenSSL(_ most: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: most)
        let count = BIO_read(bio, &bytes, CInt(most))
        return Array(bytes[..<max(0, Int(count))])
    }

    /// Puts bytes where `recv` would, with room for more of them. False when there was none.
    func receive(_ bytes: [UInt8], room size: Int) -> Bool {
        guard let room = room(size), room.count == size else { return false }
        room.copyBytes(from: bytes)
        return appended(bytes.count)
    }

    /// Writes as OpenSSL would when so many bytes are expected.
    func write(_ bytes: [UInt8], expecting size: Int, pieces: Int = 1) -> Bool {
        var isWritten = true
        let result = expecting(size, behind: count) {
            var rest = bytes[...]
            while !rest.isEmpty {
                let piece = rest.prefix(max(1, bytes.count / pieces))
                isWritten = isWritten && writeByOpenSSL(Array(piece))
                rest = rest.dropFirst(piece.count)
            }
            return bytes.isEmpty ? .wantsCiphertext : .done(bytes.count)
        }
        switch result {
        case .done(let count): return isWritten && count == bytes.count
        default: return bytes.isEmpty
        }
    }
}

/// Whether a BIO's memory is used directly, or by the documented calls only: both have to do the same.
@Suite struct `A memory BIO` {
    static let ways = [true, false]

    @Test(arguments: ways) func `leaves no memory behind with an SSL that stays attached`(isDirect: Bool) throws {
        var owner: MemoryBIO? = try MemoryBIO(isDirect: isDirect)
        let bio = try #require(owner?.bio)
        #expect(owner?.put(pattern(50_000)) == true)
        BIO_up_ref(bio)  // as an SSL has it
        owner = nil
        var memory: UnsafeMutablePointer<BUF_MEM>?
        copenssl_get_mem_ptr(bio, &memory)
        #expect(memory?.pointee.max == 0)
        BIO_free(bio)
    }

    @Test func `of the OpenSSL at hand may be used directly`() throws {
        #expect(try MemoryBIO(isDirect: true).behavesAsExpected())
        #expect(directIsSafe())
        #expect(try MemoryBIO().isDirect)
        expectEmptyQueue()
    }

    @Test(arguments: 1...60, ways)
    func `is a queue of bytes`(seed: Int, isDirect: Bool) throws {
        var random = Seeded(UInt64(seed))
        let bio = try MemoryBIO(isDirect: isDirect)
        var model: [UInt8] = []
        var position = 0
        for _ in 0..<400 {
            switch Int.random(in: 0..<16, using: &random) {
            case 12:
                let bytes = pattern(random.size(5000), from: position)
                position += bytes.count
                model += bytes
                #expect(bio.receive(bytes, room: bytes.count + random.size(5000) - 1))
            case 13:
                let bytes = pattern(random.size(5000) - 1, from: position)
                position += bytes.count
                model += bytes
                #expect(bio.write(bytes, expecting: random.size(6000), pieces: random.size(5)))
            case 14:
                let bytes = bio.readByOpenSSL(random.size(6000))
                #expect(difference(bytes, Array(model.prefix(bytes.count))) == nil, "seed \(seed)")
                model.removeFirst(bytes.count)
            case 15:
                #expect(bio.room(random.size(5000)) != nil)  // and nothing was received
            case 0..<5:
                let bytes = pattern(random.size(5000), from: position)
                position += bytes.count
                model += bytes
                #expect(bio.put(bytes))
            case 5..<10:
                let count = random.size(6000)
                bio.consume(count)
                model.removeFirst(min(count, model.count))
            case 10:
                bio.consume([0, -1, .min][Int.random(in: 0..<3, using: &random)])
                #expect(bio.put([]))
            default:
                bio.empty(keeping: Int.random(in: 0...20_000, using: &random))
                model = []
            }
            #expect(bio.count == model.count)
            #expect(bio.isEmpty == model.isEmpty)
            #expect(difference(bio.copy(), model) == nil, "seed \(seed)")
        }
        expectEmptyQueue()
    }

    @Test(arguments: ways)
    func `has room behind what waits`(isDirect: Bool) throws {
        let bio = try MemoryBIO(isDirect: isDirect)
        var model: [UInt8] = []
        for (consumed, size, received) in [
            (0, 10, 10), (0, 10, 0), (4, 65536, 65536), (1, 65536, 1), (65541, 100, 40), (40, 200_000, 100_000),
        ] {
            bio.consume(consumed)
            model.removeFirst(consumed)
            let bytes = pattern(received, stream: size)
            #expect(bio.receive(bytes, room: size))
            model += bytes
            #expect(bio.count == model.count)
            #expect(difference(bio.copy(), model) == nil)
        }
        #expect(difference(bio.readByOpenSSL(200_000), model) == nil)
        #expect(bio.isEmpty)
    }

    @Test func `does not take more than its room where there is a buffer in between`() throws {
        let bio = try MemoryBIO(isDirect: false)
        #expect(!bio.appended(1))
        #expect(bio.room(10) != nil)
        #expect(!bio.appended(11))
        #expect(bio.appended(0) && bio.isEmpty)
    }

    /// Fewer bytes than expected, as many, more, none; behind nothing, and behind what waits.
    @Test(arguments: ways, [0, 1, 99, 100, 101, 5000])
    func `has what was written, whatever was expected`(isDirect: Bool, written: Int) throws {
        for (waiting, consumed, capacity) in [(0, 0, 0), (0, 0, 20_000), (70, 0, 20_000), (70, 30, 20_000)] {
            let bio = try MemoryBIO(isDirect: isDirect)
            #expect(bio.put(pattern(capacity, stream: 9)))  // what was there before must not show
            bio.consume(capacity)
            #expect(bio.put(pattern(waiting, stream: 1)))
            bio.consume(consumed)
            let model = Array(pattern(waiting, stream: 1)[consumed...]) + pattern(written, stream: 2)
            #expect(bio.write(pattern(written, stream: 2), expecting: 100, pieces: written % 2 + 1))
            #expect(bio.count == model.count)
            #expect(difference(bio.copy(), model) == nil)
            #expect(bio.put([1, 2, 3]))
            #expect(bio.write([4], expecting: 1))
            #expect(difference(bio.readByOpenSSL(6000), model + [1, 2, 3, 4]) == nil)
            #expect(bio.isEmpty)
        }
    }

    @Test func `is not cleared before a record is written`() throws {
        // What is there beyond the bytes that were written stays as it was: nobody has touched it.
        let bio = try MemoryBIO(isDirect: true)
        #expect(bio.put(pattern(1000)))
        bio.consume(1000)
        #expect(bio.write([0xAA], expecting: 1))
        let beyond = bio.bytes.withUnsafeBytes { $0.baseAddress.map { ($0 + 1).load(as: UInt8.self) } }
        #expect(beyond == pattern(2)[1])
    }

    @Test func `is empty at first, and shows an empty span`() throws {
        let bio = try MemoryBIO()
        #expect(bio.isEmpty && bio.count == 0)
        #expect(bio.copy() == [])
        #expect(bio.next == nil)
    }

    @Test(arguments: ways)
    func `takes no more away than it has`(isDirect: Bool) throws {
        let bio = try MemoryBIO(isDirect: isDirect)
        bio.consume(.max)
        #expect(bio.put([1, 2, 3]))
        bio.consume(.max)
        #expect(bio.isEmpty)
        #expect(bio.put([4]))
        #expect(bio.copy() == [4])
    }

    @Test(arguments: [1, 5000, 16384], ways)
    func `shows what waits at the same place until something changes`(consumed: Int, isDirect: Bool) throws {
        let bio = try MemoryBIO(isDirect: isDirect)
        #expect(bio.put(pattern(20_000)))
        let before = bio.bytes.withUnsafeBytes { $0.baseAddress }
        let count = bio.count  // asking is no change
        let same = bio.bytes.withUnsafeBytes { $0.baseAddress }
        #expect(before == same && count == 20_000)
        bio.consume(consumed)
        let after = bio.bytes.withUnsafeBytes { $0.baseAddress }
        #expect(after == before.map { $0 + consumed }, "nothing is copied or moved")
    }

    @Test(arguments: ways)
    func `says "not yet" to OpenSSL when it is empty, never "end of file"`(isDirect: Bool) throws {
        let bio = try MemoryBIO(isDirect: isDirect)
        for emptied in [false, true] {
            if emptied {
                #expect(bio.put(pattern(100_000)))
                bio.empty(keeping: 0)
            }
            var byte: UInt8 = 0
            #expect(BIO_read(bio.bio, &byte, 1) == -1)
            #expect(BIO_test_flags(bio.bio, BIO_FLAGS_SHOULD_RETRY) != 0)
        }
    }

    @Test(arguments: ways)
    func `gives its peak memory back, and keeps what it may keep`(isDirect: Bool) throws {
        let bio = try MemoryBIO(isDirect: isDirect)
        #expect(bio.put(pattern(1_000_000)))
        #expect(bio.capacity >= 1_000_000)
        bio.empty(keeping: 4_000_000)
        #expect(bio.capacity >= 1_000_000)
        #expect(bio.put([1]))
        bio.empty(keeping: 100_000)
        #expect(bio.isEmpty)
        #expect(bio.capacity <= 100_000)
        #expect(bio.put([2, 3]))
        #expect(bio.copy() == [2, 3])
    }

    @Test(arguments: ways)
    func `that drains all the time does not grow`(isDirect: Bool) throws {
        let bio = try MemoryBIO(isDirect: isDirect)
        for _ in 0..<2000 {
            #expect(bio.put(pattern(1000)))
            bio.consume(1000)
        }
        #expect(bio.capacity < 100_000)
    }

    @Test(arguments: ways) func `drops the last bytes, and goes on behind the others`(isDirect: Bool) throws {
        let bio = try MemoryBIO(isDirect: isDirect)
        #expect(bio.writeByOpenSSL([1, 2, 3]) && bio.readByOpenSSL(1) == [1])
        #expect(bio.writeByOpenSSL([4, 5, 6]))
        #expect(bio.drop(last: 3) && bio.count == 2)
        #expect(bio.drop(last: 0) && bio.count == 2)
        #expect(bio.writeByOpenSSL([7]))
        #expect(bio.readByOpenSSL(10) == [2, 3, 7])
        #expect(bio.writeByOpenSSL([8]) && bio.drop(last: 1) && bio.isEmpty)
        #expect(bio.writeByOpenSSL([9]) && bio.drop(last: 2) && bio.isEmpty)
    }
}
