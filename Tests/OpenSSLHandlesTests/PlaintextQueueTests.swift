import COpenSSL
import TestSupport
import Testing

@testable import OpenSSLHandles

extension PlaintextQueue {
    fileprivate func copy() -> [UInt8] { bytes.withUnsafeBytes { [UInt8]($0) } }

    fileprivate var place: UnsafeRawPointer? { bytes.withUnsafeBytes { $0.baseAddress } }
}

@Suite struct `A queue of plaintext` {
    @Test(arguments: 1...60)
    func `is a queue of bytes`(seed: Int) {
        var random = Seeded(UInt64(seed))
        let queue = PlaintextQueue()
        var model: [UInt8] = []
        var position = 0
        for _ in 0..<400 {
            switch Int.random(in: 0..<12, using: &random) {
            case 0..<5:
                let bytes = pattern(random.size(9000), from: position)
                position += bytes.count
                model += bytes
                #expect(queue.put(bytes))
            case 5..<10:
                let count = random.size(9000)
                queue.consume(count)
                model.removeFirst(min(count, model.count))
            case 10:
                queue.consume([0, -1, .min][Int.random(in: 0..<3, using: &random)])
                #expect(queue.put([]))
            default:
                queue.empty(keeping: Int.random(in: 0...20_000, using: &random))
                model = []
            }
            #expect(queue.count == model.count)
            #expect(queue.isEmpty == model.isEmpty)
            #expect(difference(queue.copy(), model) == nil, "seed \(seed)")
        }
    }

    @Test func `is empty at first, and shows an empty span`() {
        let queue = PlaintextQueue()
        #expect(queue.isEmpty && queue.count == 0 && queue.copy() == [])
        queue.consume(.max)
        queue.empty(keeping: 0)
        #expect(queue.put([]) && queue.isEmpty)
    }

    @Test func `takes no more away than it has`() {
        let queue = PlaintextQueue()
        #expect(queue.put([1, 2, 3]))
        queue.consume(.max)
        #expect(queue.isEmpty)
        #expect(queue.put([4]))
        #expect(queue.copy() == [4])
    }

    @Test func `is consumed without moving`() {
        let queue = PlaintextQueue()
        #expect(queue.put(pattern(4000)))
        let before = queue.place
        queue.consume(1000)
        #expect(queue.place == before.map { $0 + 1000 })
        #expect(queue.put([7]))  // there is room behind
        #expect(queue.place == before.map { $0 + 1000 })
        #expect(queue.copy() == Array(pattern(4000)[1000...]) + [7])
    }

    @Test func `that always holds a little stays where it is, and does not move with every append`() {
        let queue = PlaintextQueue()
        #expect(queue.put(pattern(100)))
        var moves = 0
        var places: Set<UnsafeRawPointer> = []
        for _ in 0..<4000 {
            let before = queue.place
            #expect(queue.put(pattern(100)))
            if queue.place != before { moves += 1 }
            if let place = queue.place { places.insert(place) }
            queue.consume(100)
        }
        #expect(moves > 0 && moves < 4000 / 30)  // 4096 bytes take some 40 appends
        let (least, most) = (places.min(), places.max())
        #expect(least != nil && most.map { $0 - least! } ?? .max < 4096, "it has grown")
    }

    @Test func `moves each byte but a few times while it grows`() {
        let queue = PlaintextQueue()
        var moves = 0
        for count in 0..<10_000 {
            let before = queue.place
            #expect(queue.put(pattern(100, from: count * 100)))
            if queue.place != before { moves += 1 }
        }
        #expect(moves < 15)
        #expect(difference(queue.copy(), pattern(1_000_000)) == nil)
    }

    @Test func `gives back only what is more than it may keep`() {
        let queue = PlaintextQueue()
        #expect(queue.put(pattern(1000)))
        let place = queue.place
        queue.empty(keeping: 4096)
        #expect(queue.put([1]))
        #expect(queue.place == place)
        #expect(queue.put(pattern(100_000)))
        queue.empty(keeping: 4096)
        #expect(queue.isEmpty && queue.place == nil)
        #expect(queue.put([2]) && queue.copy() == [2])
    }
}
