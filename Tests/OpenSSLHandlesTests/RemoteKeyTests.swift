import COpenSSL
import Testing

@testable import OpenSSLHandles

@Suite struct `A key that is held elsewhere` {
    /// What OpenSSL reads of a list, later than it was made.
    private func names(_ list: UnsafePointer<OSSL_PARAM>) -> [String] {
        var (names, place) = ([String](), list)
        while let name = place.pointee.key {
            names.append(String(cString: name))
            place += 1
        }
        return names
    }

    @Test func `has lists whose names outlive the call that made them`() {
        let lists = RemoteParameters()
        #expect(names(lists.ofParts) == ["n", "e", "group", "pub"])
        #expect(names(lists.ofSignatures) == ["digest", "pad-mode", "saltlen", "mgf1-digest"])
        #expect(
            names(lists.ofKeys) == [
                "bits", "security-bits", "max-size", "default-digest", "mandatory-digest", "group", "point-format",
                "pub",
                "n", "e",
            ])
    }
}
