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

@Suite struct `A memory BIO` {
    @Test(arguments: 1...60)
    func `is a queue of bytes`(seed: Int) throws {
        var random = Seeded(UInt64(seed))
        let bio = try MemoryBIO()
        var model: [UInt8] = []
        var position = 0
        for _ in 0..<400 {
            switch Int.random(in: 0..<12, using: &random) {
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

    @Test func `is empty at first, and shows an empty span`() throws {
        let bio = try MemoryBIO()
        #expect(bio.isEmpty && bio.count == 0)
        #expect(bio.copy() == [])
        #expect(bio.next == nil)
    }

    @Test func `takes no more away than it has`() throws {
        let bio = try MemoryBIO()
        bio.consume(.max)
        #expect(bio.put([1, 2, 3]))
        bio.consume(.max)
        #expect(bio.isEmpty)
        #expect(bio.put([4]))
        #expect(bio.copy() == [4])
    }

    @Test(arguments: [1, 5000, 16384])
    func `shows what waits at the same place until something changes`(consumed: Int) throws {
        let bio = try MemoryBIO()
        #expect(bio.put(pattern(20_000)))
        let before = bio.bytes.withUnsafeBytes { $0.baseAddress }
        let count = bio.count  // asking is no change
        let same = bio.bytes.withUnsafeBytes { $0.baseAddress }
        #expect(before == same && count == 20_000)
        bio.consume(consumed)
        let after = bio.bytes.withUnsafeBytes { $0.baseAddress }
        #expect(after == before.map { $0 + consumed }, "nothing is copied or moved")
    }

    @Test func `says "not yet" to OpenSSL when it is empty, never "end of file"`() throws {
        let bio = try MemoryBIO()
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

    @Test func `gives its peak memory back, and keeps what it may keep`() throws {
        let bio = try MemoryBIO()
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

    @Test func `that drains all the time does not grow`() throws {
        let bio = try MemoryBIO()
        for _ in 0..<2000 {
            #expect(bio.put(pattern(1000)))
            bio.consume(1000)
        }
        #expect(bio.capacity < 100_000)
    }
}
