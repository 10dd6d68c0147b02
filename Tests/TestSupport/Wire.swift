/// A generator with a seed: same seed, same run.
package struct Seeded: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(_ seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A size from 1 to `most`; small ones are as likely as large ones.
    package mutating func size(_ most: Int) -> Int {
        let bits = UInt64(64 - most.leadingZeroBitCount)
        return min(most, 1 + Int(next() % (1 << (next() % (bits + 1)))))
    }
}

/// How a stream of bytes is cut on its way.
package enum Wire: Sendable, Hashable, CustomStringConvertible {
    case whole
    case oneByte
    case seeded(UInt64)

    package static let all: [Wire] = [.whole, .oneByte, .seeded(1), .seeded(2), .seeded(3)]

    package var description: String {
        switch self {
        case .whole: "whole"
        case .oneByte: "one byte at a time"
        case .seeded(let seed): "cut by seed \(seed)"
        }
    }

    /// The cutting of one stream.
    package func cuts() -> Cuts { Cuts(wire: self) }
}

package struct Cuts {
    private let wire: Wire
    private var random = Seeded(0)

    init(wire: Wire) {
        self.wire = wire
        if case .seeded(let seed) = wire { random = Seeded(seed) }
    }

    /// The size of the next piece, at most so many bytes.
    package mutating func next(_ most: Int) -> Int {
        switch wire {
        case .whole: most
        case .oneByte: min(1, most)
        case .seeded: most == 0 ? 0 : random.size(most)
        }
    }
}

/// Bytes that depend on their position, so that loss, repetition and reordering all show.
package func pattern(_ count: Int, from start: Int = 0, stream: Int = 0) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    while bytes.count < count {
        let place = (start + stream * 7919 + bytes.count) % table.count
        bytes += table[place..<min(table.count, place + count - bytes.count)]
    }
    return bytes
}

/// As many as a prime, so that no size of a record or of a buffer divides it.
private let table: [UInt8] = {
    var random = Seeded(65521)
    return (0..<65521).map { _ in UInt8(truncatingIfNeeded: random.next()) }
}()

/// Cuts ciphertext into TLS records, by their headers; the last may be unfinished.
package func records(in ciphertext: [UInt8]) -> [[UInt8]] {
    var found: [[UInt8]] = []
    var start = 0
    while start < ciphertext.count {
        var end = ciphertext.count
        if start + 5 <= end {
            end = min(end, start + 5 + Int(ciphertext[start + 3]) << 8 + Int(ciphertext[start + 4]))
        }
        found.append(Array(ciphertext[start..<end]))
        start = end
    }
    return found
}

/// Where two streams of bytes differ, in a line; nil when they do not.
package func difference(_ found: [UInt8], _ expected: [UInt8]) -> String? {
    if found == expected { return nil }
    let place = zip(found, expected).enumerated().first { $0.element.0 != $0.element.1 }?.offset
    return "\(found.count) bytes for \(expected.count), other at \(place.map(String.init) ?? "the end of the shorter")"
}
