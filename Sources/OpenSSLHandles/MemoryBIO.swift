internal import COpenSSL

/// A queue of ciphertext in memory: OpenSSL's `BIO_s_mem`, which grows by itself and never refuses a write.
///
/// `recv` writes into its memory and `send` reads from it. The first is how OpenSSL's memory BIOs behave and not what
/// their manual promises, so it is done only where it was seen to work (MemoryBIO+Direct.swift); elsewhere there is a
/// buffer in between, and one copy more.
@safe package final class MemoryBIO {
    let bio: OpaquePointer
    /// Its memory may be written to directly.
    let isDirect: Bool
    /// The memory of `bio`, which is its only owner.
    var memory: UnsafeMutablePointer<BUF_MEM>
    /// Stands in for it where it may not be written to.
    private var side: UnsafeMutableRawBufferPointer?
    /// A link for whoever keeps several in a row.
    package var next: MemoryBIO?

    package convenience init() throws(OpenSSLError) {
        try self.init(isDirect: directIsSafe())
    }

    convenience init(isDirect: Bool) throws(OpenSSLError) {
        ERR_clear_error()
        guard let bio = unsafe BIO_new(BIO_s_mem()) else { throw .drain() }
        var memory: UnsafeMutablePointer<BUF_MEM>?
        unsafe copenssl_get_mem_ptr(bio, &memory)
        guard let memory = unsafe memory else {
            unsafe BIO_free(bio)
            throw .drain()
        }
        unsafe self.init(bio, memory, isDirect)
    }

    /// An object that cannot be finished would leak in Embedded Swift: what may fail comes before.
    private init(_ bio: OpaquePointer, _ memory: UnsafeMutablePointer<BUF_MEM>, _ isDirect: Bool) {
        unsafe copenssl_mem_eof_return(bio, -1)  // empty means "not yet", never "end of file"
        unsafe BIO_set_flags(bio, BIO_FLAGS_NONCLEAR_RST)  // BIO_reset is not to clear all of the memory
        unsafe self.bio = bio
        unsafe self.memory = memory
        self.isDirect = isDirect
    }

    deinit {
        trim(keeping: 0)  // an SSL that is attached holds a reference of its own, perhaps for as long as it is idle
        unsafe BIO_free(bio)
    }

    package var count: Int { unsafe BIO_ctrl_pending(bio) }

    package var isEmpty: Bool { count == 0 }

    /// What waits, in place; valid until the next change.
    package var bytes: RawSpan {
        @_lifetime(borrow self) borrowing get {
            var start: UnsafeMutablePointer<CChar>?
            let count = unsafe copenssl_mem_data(bio, &start)
            let bytes = unsafe UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : max(0, count)).bytes
            return unsafe _overrideLifetime(bytes, borrowing: self)
        }
    }

    /// Shows what waits, to whoever knows how many bytes that are.
    @inline(__always)
    package func withBytes<Result>(of held: Int, _ body: (borrowing RawSpan) -> Result) -> Result {
        guard isDirect, unsafe held == memory.pointee.length else { return body(bytes) }  // none of them is gone
        return body(unsafe UnsafeRawBufferPointer(start: memory.pointee.data, count: held).bytes)
    }

    /// Appends a copy; false when OpenSSL has no memory, and then nothing was appended.
    package func append(_ bytes: borrowing RawSpan) -> Bool {
        let size = bytes.byteCount
        guard isDirect else { return unsafe bytes.withUnsafeBytes { unsafe appendByCall($0) } }
        if size == 0 { return true }
        guard let room = unsafe room(size) else { return false }
        unsafe bytes.withUnsafeBytes { unsafe room.copyMemory(from: $0) }
        return appended(size)
    }

    /// Memory for so many bytes, at least one, behind what waits, if anything does: for whoever then says with `appended`
    /// how many of them there are. Nil when OpenSSL has none.
    package func room(_ size: Int, isEmpty: Bool = false) -> UnsafeMutableRawBufferPointer? {
        unsafe isDirect ? directRoom(size, isEmpty) : sideRoom(size)
    }

    /// So many bytes have been put into the room. False when OpenSSL has no memory, and then they are not there.
    package func appended(_ count: Int) -> Bool {
        guard count > 0 else { return true }
        guard isDirect else {
            guard let side = unsafe side, count <= side.count else { return false }
            return unsafe appendByCall(UnsafeRawBufferPointer(rebasing: side[..<count]))
        }
        unsafe memory.pointee.length &+= count
        unsafe copenssl_reset(bio)
        return true
    }

    /// Takes the first bytes away without copying.
    package func consume(_ count: Int) { consume(count, of: self.count) }

    /// The same, for whoever knows how many there are.
    package func consume(_ count: Int, of held: Int) {
        guard count > 0 else { return }
        if isDirect, count >= held {
            unsafe memory.pointee.length = 0
            unsafe copenssl_reset(bio)
        } else {
            _ = unsafe copenssl_seek(bio, copenssl_tell(bio) &+ CInt(clamping: min(count, held)))
        }
    }

    /// Drops the last bytes. False when OpenSSL has no memory, and then they are still there.
    package func drop(last size: Int) -> Bool {
        let held = count
        guard size < held else {
            consume(held)
            return true
        }
        guard size > 0, let copy = unsafe copenssl_malloc(held &- size) else { return size == 0 }
        let kept = unsafe UnsafeMutableRawBufferPointer(start: copy, count: held &- size)
        unsafe bytes.withUnsafeBytes { all in
            unsafe kept.copyMemory(from: UnsafeRawBufferPointer(rebasing: all[..<kept.count]))
        }
        consume(held)
        defer { unsafe copenssl_clear_free(copy, kept.count) }
        return unsafe appendByCall(UnsafeRawBufferPointer(kept))
    }

    /// Drops what waits, and gives memory back that one exceptional moment has made it grow to.
    package func empty(keeping bytesMax: Int) {
        consume(count)
        trim(keeping: bytesMax)
    }

    /// Gives the memory back; nothing waits.
    package func trim(keeping bytesMax: Int) {
        if bytesMax == 0 { freeSide() }
        guard unsafe memory.pointee.max > bytesMax, let fresh = unsafe BUF_MEM_new() else { return }
        unsafe copenssl_set_mem_buf(bio, fresh)  // ownership of fresh moves into bio, which frees the old one
        unsafe copenssl_mem_eof_return(bio, -1)
        unsafe memory = fresh
    }

    private func appendByCall(_ bytes: UnsafeRawBufferPointer) -> Bool {
        if bytes.count == 0 { return true }
        guard let length = CInt(exactly: bytes.count) else { return false }
        return unsafe BIO_write(bio, bytes.baseAddress, length) == length
    }

    private func sideRoom(_ size: Int) -> UnsafeMutableRawBufferPointer? {
        if let side = unsafe side, side.count >= size {
            return unsafe UnsafeMutableRawBufferPointer(rebasing: side[..<size])
        }
        freeSide()
        guard let fresh = unsafe copenssl_malloc(size) else { return nil }
        unsafe side = UnsafeMutableRawBufferPointer(start: fresh, count: size)
        return unsafe side
    }

    private func freeSide() {
        guard let side = unsafe side else { return }
        unsafe copenssl_clear_free(side.baseAddress, side.count)
        unsafe self.side = nil
    }
}
