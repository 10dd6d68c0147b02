internal import COpenSSL

/// What a setter reads, PEM or DER: a file, read whole and wiped afterwards, or memory that stays the caller's.
@safe @frozen @usableFromInline package struct PEMSource: ~Copyable {
    /// As much as certificates and keys of our own may have, and as much as a bundle of others' may.
    package static var identityBytesMax: Int { 1 << 20 }
    package static var bundleBytesMax: Int { 16 << 20 }

    let bytes: UnsafeRawBufferPointer
    let bio: OpaquePointer
    /// Nil for memory.
    let path: UnsafePointer<CChar>?

    package init(path: UnsafePointer<CChar>, bytesMax: Int = bundleBytesMax) throws(SettingRefused) {
        ERR_clear_error()
        let contents = try unsafe contents(of: path, bytesMax)
        guard let bio = unsafe BIO_new_mem_buf(contents.baseAddress, CInt(clamping: contents.count)) else {
            unsafe copenssl_clear_free(contents.baseAddress, contents.count)
            throw unsafe SettingRefused.outOfMemory(about: path)
        }
        unsafe bytes = UnsafeRawBufferPointer(contents)
        unsafe self.bio = bio
        unsafe self.path = path
    }

    package init(_ text: UnsafeRawBufferPointer, bytesMax: Int = bundleBytesMax) throws(SettingRefused) {
        ERR_clear_error()
        if let reason = unfit(text.count, bytesMax) { throw SettingRefused(reason) }
        guard let bio = unsafe BIO_new_mem_buf(text.baseAddress, CInt(clamping: text.count)) else {
            throw unsafe SettingRefused.outOfMemory()
        }
        unsafe bytes = text
        unsafe self.bio = bio
        unsafe path = nil
    }

    @inlinable deinit {
        release()
    }

    @usableFromInline borrowing func release() {
        unsafe BIO_free(bio)
        if unsafe path != nil {
            unsafe copenssl_clear_free(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
        }
    }

    /// DER begins with the byte of a SEQUENCE, which in a text is the digit 0; PEM may have any text in front.
    var isPEM: Bool { unsafe bytes.first != 0x30 || hasBeginning }

    private var hasBeginning: Bool {
        let mark: StaticString = "-----BEGIN "
        guard let start = unsafe bytes.baseAddress else { return false }
        for place in 0..<max(0, unsafe bytes.count - mark.utf8CodeUnitCount) where unsafe bytes[place] == 0x2D {
            if unsafe memcmp(start + place, mark.utf8Start, mark.utf8CodeUnitCount) == 0 { return true }
        }
        return false
    }

    var outOfMemory: SettingRefused { unsafe .outOfMemory(about: path) }

    /// A refusal that names the file.
    func refused(_ sentence: StaticString, _ cause: OpenSSLError = .none) -> SettingRefused {
        unsafe SettingRefused(sentence, cause, about: path)
    }
}

/// Why a source of this size is not read.
private func unfit(_ count: Int, _ bytesMax: Int) -> StaticString? {
    if count <= 0 { return "it is empty" }
    if count <= bytesMax { return nil }
    return bytesMax == PEMSource.identityBytesMax ? "it is larger than 1 MiB" : "it is larger than 16 MiB"
}

/// Reads a regular file: what could block, or has no end, is none.
private func contents(
    of path: UnsafePointer<CChar>, _ bytesMax: Int
) throws(SettingRefused) -> UnsafeMutableRawBufferPointer {
    let file = unsafe copenssl_open_read(path)
    guard file >= 0 else {
        throw unsafe SettingRefused("the file cannot be opened", .system(copenssl_errno()), about: path)
    }
    defer { close(file) }
    var status = stat()
    guard unsafe fstat(file, &status) == 0, copenssl_is_regular(status.st_mode) == 1 else {
        throw unsafe SettingRefused("it is no regular file", about: path)
    }
    let size = Int(status.st_size)
    if let reason = unfit(size, bytesMax) { throw unsafe SettingRefused(reason, about: path) }
    guard let memory = unsafe copenssl_malloc(size) else {
        throw unsafe SettingRefused.outOfMemory(about: path)
    }
    var count = 0
    while count < size {
        let taken = unsafe read(file, memory + count, size &- count)
        if taken > 0 {
            count &+= taken
        } else if taken == 0 || copenssl_errno() != EINTR {
            let cause = taken == 0 ? OpenSSLError.none : .system(copenssl_errno())
            unsafe copenssl_clear_free(memory, count)
            throw unsafe SettingRefused("the file cannot be read to its end", cause, about: path)
        }
    }
    return unsafe UnsafeMutableRawBufferPointer(start: memory, count: size)
}
