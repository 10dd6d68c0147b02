import COpenSSL
import TestSupport
import Testing

@testable import OpenSSLHandles

@Suite struct `A table of names` {
    private let credentials = Credentials.server

    private func pair() throws -> KeyPair {
        let context = try OwnedContext(.server)
        return try credentials.certificate.withUnsafeBytes { certificate in
            try credentials.key.withUnsafeBytes { key in
                let source = try PEMSource(key)
                return try KeyPair.make(
                    .read(PEMSource(certificate)), PrivateKey.read(source, for: context), source)
            }
        }
    }

    @Test func `finds every name, in whatever order they came`() throws {
        var table = IdentityTable()
        let names = (0..<500).map { Array("n\($0 * 7919 % 500).example".utf8) }
        let pairs = try (0..<500).map { _ in try pair() }
        for (name, pair) in zip(names, pairs) { table.put(pair, for: name) }
        for (name, pair) in zip(names, pairs) { #expect(table.pairs(for: name)?.all.first === pair) }
        for name in ["", "n", "n500.example", "n0.exampl", "n0.example.", "\u{FF}", "a", "zz"] {
            #expect(table.pairs(for: Array(name.utf8)) == nil)
        }
    }

    @Test func `takes a wildcard for one label, and what is exact before it`() throws {
        var table = IdentityTable()
        let (wildcard, exact, longer) = (try pair(), try pair(), try pair())
        table.put(wildcard, for: Array("*.b.example".utf8))
        table.put(exact, for: Array("a.b.example".utf8))
        table.put(longer, for: Array("*.a.b.example".utf8))
        func found(_ name: String) -> KeyPair? { table.pairs(for: Array(name.utf8))?.all.first }
        #expect(found("a.b.example") === exact)
        #expect(found("x.b.example") === wildcard)
        #expect(found(".b.example") === wildcard)  // no client sends that
        #expect(found("x.a.b.example") === longer)
        for name in ["b.example", "x.y.b.example", "example", "*"] { #expect(found(name) == nil, "\(name)") }
    }

    @Test func `has a pair for each type of key`() throws {
        var pairs = KeyPairs()
        let (one, other) = (try pair(), try pair())
        pairs.put(one)
        pairs.put(other)
        #expect(pairs.all.count == 1 && pairs.all.first === other)
        pairs.remove(other.key.type)
        #expect(pairs.all.isEmpty)
    }

    @Test(arguments: ["a.example", "A.EXAMPLE", "*.b.example", "_a.b", "xn--a"])
    func `has host names, and wildcards in front of them`(name: String) {
        #expect(IdentityTable.entryName(name) == Array(name.lowercased().utf8))
    }

    @Test(arguments: ["", "*", "*.", "a.*.b", "*a.b", "a..b", ".a", "*.*.a", "a b", "a\n", "\u{FC}.a"])
    func `has nothing else`(name: String) {
        #expect(IdentityTable.entryName(name) == nil)
    }
}
