internal import COpenSSL

/// What stands between BEGIN and END in a PEM text, decoded; wiped in the end.
@safe struct PEMBlock: ~Copyable {
    private let name: UnsafeMutablePointer<CChar>
    private let header: UnsafeMutablePointer<CChar>?
    private let start: UnsafeMutablePointer<UInt8>
    private var count: Int
    private let room: Int

    /// The next one of a text; nil at its end, and when it is damaged: OpenSSL's queue says which.
    static func next(_ text: OpaquePointer) -> PEMBlock? {
        var (name, header): (UnsafeMutablePointer<CChar>?, UnsafeMutablePointer<CChar>?)
        var start: UnsafeMutablePointer<UInt8>?
        var count = 0
        let flags = UInt32(PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE)
        guard unsafe PEM_read_bio_ex(text, &name, &header, &start, &count, flags) == 1, let name = unsafe name,
            let start = unsafe start
        else { return nil }
        return unsafe PEMBlock(name: name, header: header, start: start, count: count, room: count)
    }

    deinit {
        unsafe copenssl_secure_clear_free(name, 0)
        unsafe copenssl_secure_clear_free(header, 0)
        unsafe copenssl_secure_clear_free(start, room)
    }

    var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: start, count: count) }

    /// "PRIVATE KEY", or with words in front that say of which kind, or that it is encrypted.
    var isPrivateKey: Bool {
        let kind: StaticString = "PRIVATE KEY"
        let length = unsafe strlen(name)
        guard length >= kind.utf8CodeUnitCount else { return false }
        return unsafe memcmp(name + length - kind.utf8CodeUnitCount, kind.utf8Start, kind.utf8CodeUnitCount) == 0
    }

    func isCalled(_ other: StaticString) -> Bool {
        unsafe cString(other).map { unsafe strcmp(name, $0) == 0 } ?? false
    }

    /// How it is encrypted, if that is said in its header (RFC 1421); else there is no cipher in it. Nil for a header that
    /// OpenSSL does not understand.
    var encryption: EVP_CIPHER_INFO? {
        var encryption = unsafe EVP_CIPHER_INFO()
        return unsafe PEM_get_EVP_CIPHER_INFO(header, &encryption) == 1 ? encryption : nil
    }

    var isEncrypted: Bool { unsafe encryption.map { unsafe $0.cipher != nil } ?? true }

    /// Decrypts it in place. Whether that can be right.
    mutating func decrypt(_ encryption: EVP_CIPHER_INFO, _ password: borrowing Password) -> Bool {
        var encryption = unsafe encryption
        var text = unsafe UnsafeRawBufferPointer(start: password.text, count: password.count)
        return unsafe PEM_do_header(&encryption, start, &count, copyPassword, &text) == 1
    }
}

private let copyPassword: @convention(c) (UnsafeMutablePointer<CChar>?, CInt, CInt, UnsafeMutableRawPointer?) -> CInt =
    {
        target, size, _, text in
        guard let target = unsafe target,
            let text = unsafe text?.assumingMemoryBound(to: UnsafeRawBufferPointer.self).pointee,
            let start = text.baseAddress
        else { return -1 }
        let count = min(text.count, Int(size))
        unsafe memcpy(target, start, count)
        return CInt(clamping: count)
    }
