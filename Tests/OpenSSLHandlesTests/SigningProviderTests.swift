import COpenSSL
import Testing

@testable import OpenSSLHandles

@Suite struct `The provider of keys that are held elsewhere` {
    /// They were strings of Swift's once, passed to C and gone when the list was made.
    @Test func `tells names that last`() throws {
        let library = try #require(unsafe SigningProvider.library)
        let signature = try #require(unsafe EVP_SIGNATURE_fetch(library, "RSA", nil))
        defer { unsafe EVP_SIGNATURE_free(signature) }
        #expect(
            unsafe names(EVP_SIGNATURE_settable_ctx_params(signature)) == [
                "digest", "pad-mode", "saltlen", "mgf1-digest",
            ])

        let keys = try #require(unsafe EVP_KEYMGMT_fetch(library, "EC", nil))
        defer { unsafe EVP_KEYMGMT_free(keys) }
        #expect(
            unsafe names(EVP_KEYMGMT_gettable_params(keys)) == [
                "bits", "security-bits", "max-size", "default-digest", "mandatory-digest", "group", "point-format",
                "pub",
                "n", "e",
            ])
    }

    private func names(_ list: UnsafePointer<OSSL_PARAM>?) -> [String] {
        var (names, next): ([String], UnsafePointer<OSSL_PARAM>?) = unsafe ([], list)
        while let entry = unsafe next, let key = unsafe entry.pointee.key {
            names.append(unsafe String(cString: key))
            unsafe next = entry + 1
        }
        return names
    }
}
