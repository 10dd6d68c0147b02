internal import COpenSSL

/// The letters of ASCII in lower case.
func lowerCase(_ name: some Sequence<UInt8>) -> [UInt8] {
    name.map { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 ? $0 | 0x20 : $0 }
}

/// Pairs by the name that a client asks for. There may be thousands of names, so they are kept in order.
struct IdentityTable {
    private var entries: [(name: [UInt8], pairs: KeyPairs)] = []

    var isEmpty: Bool { entries.isEmpty }
    var all: [KeyPairs] { entries.map { $0.pairs } }

    /// A name as the table has it, and clients ask for it, without a final dot; nil for what is neither a host name nor "*." with one behind it.
    static func entryName(_ text: UnsafePointer<CChar>) -> [UInt8]? {
        var name = unsafe Array(UnsafeBufferPointer(start: text, count: strlen(text)))
        if name.count > 1, name.last == CChar(UInt8(ascii: ".")) { name.removeLast() }
        let isWildcard = unsafe strncmp(text, "*.", 2) == 0
        guard isHostName(name.dropFirst(isWildcard ? 2 : 0)) else { return nil }
        return lowerCase(name.map { UInt8(bitPattern: $0) })
    }

    /// `name` is in lower case; "*.example.org" stands for one label in front of the others.
    mutating func put(_ pair: KeyPair, for name: [UInt8]) {
        let place = place(of: name)
        if place == entries.count || entries[place].name != name { entries.insert((name, KeyPairs()), at: place) }
        entries[place].pairs.put(pair)
    }

    /// What there is for exactly this name, or else for any one label in its place (RFC 9525, 6.3).
    func pairs(for name: [UInt8]) -> KeyPairs? {
        if let exact = entry(name) { return exact }
        guard let dot = name.firstIndex(of: UInt8(ascii: ".")) else { return nil }
        return entry([UInt8(ascii: "*")] + name[dot...])
    }

    private func entry(_ name: [UInt8]) -> KeyPairs? {
        let place = place(of: name)
        return place < entries.count && entries[place].name == name ? entries[place].pairs : nil
    }

    /// Where it is, or would be.
    private func place(of name: [UInt8]) -> Int {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low &+ high) / 2
            if entries[middle].name.lexicographicallyPrecedes(name) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
