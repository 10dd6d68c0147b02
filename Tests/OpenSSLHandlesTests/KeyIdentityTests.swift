import Testing

@testable import OpenSSLHandles

/// The name of a key in common, as a client sends it: bytes, of which C sees those before a zero only.
@Suite struct `The name of a key` {
    private func isOne(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { KeyIdentity.isOne($0) } }

    @Test func `is text without a zero in it, of one byte at least`() {
        #expect(isOne(Array("a".utf8)) && isOne(Array("bücher 🔑".utf8)))
        #expect(!isOne([]) && !isOne([0]) && !isOne(Array("a\0b".utf8)) && !isOne(Array("a\0".utf8)))
    }

    @Test(arguments: [[0xff], [0xc3], [0x61, 0x80], [0xc0, 0x80], [0xe2, 0x82]] as [[UInt8]])
    func `is UTF-8`(bytes: [UInt8]) {
        #expect(!isOne(bytes))
    }

    @Test func `is no longer than OpenSSL takes`() {
        #expect(isOne(Array(repeating: 97, count: KeyIdentity.bytesMax)))
        #expect(!isOne(Array(repeating: 97, count: KeyIdentity.bytesMax + 1)))
    }
}
