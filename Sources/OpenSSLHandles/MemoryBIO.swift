internal import COpenSSL

/// A queue of bytes in memory: OpenSSL's `BIO_s_mem`, which grows by itself and never refuses a write.
///
/// It is what OpenSSL reads ciphertext from and writes it to, and also what plaintext waits in: OpenSSL wipes its
/// memory when it gives it back.
@safe package final class MemoryBIO {
    let bio: OpaquePointer
    /// A link for whoever keeps several: a queue, or a pool.
    package var next: MemoryBIO?

    package convenience init() throws(OpenSSLError) {
        ERR_clear_error()
        guard let bio = unsafe BIO_new(BIO_s_mem()) else { throw .drain() }
        unsafe self.init(bio)
    }

    /// An object that cannot be finished would leak in Embedded Swift: what may fail comes before.
    private init(_ bio: OpaquePointer) {
        unsafe copenssl_mem_eof_return(bio, -1)  // empty means "not yet", never "end of file"
        unsafe self.bio = bio
    }

    deinit {
        unsafe BIO_free(bio)  // one reference: an SSL that is attached still holds its own
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

    /// Appends a copy; false when OpenSSL has no memory, and then nothing was appended.
    package func append(_ bytes: borrowing RawSpan) -> Bool {
        if bytes.isEmpty { return true }
        return unsafe bytes.withUnsafeBytes { source in
            guard let length = CInt(exactly: source.count) else { return false }
            return unsafe BIO_write(bio, source.baseAddress, length) == length
        }
    }

    /// Takes the first bytes away without copying. `BIO_reset` would clear the whole buffer each time instead.
    package func consume(_ count: Int) {
        guard count > 0 else { return }
        _ = unsafe copenssl_seek(bio, copenssl_tell(bio) &+ CInt(clamping: min(count, self.count)))
    }

    /// Drops what waits, and gives memory back that one exceptional moment has made it grow to.
    package func empty(keeping bytesMax: Int) {
        consume(count)
        var memory: UnsafeMutablePointer<BUF_MEM>?
        unsafe copenssl_get_mem_ptr(bio, &memory)
        guard let memory = unsafe memory, unsafe memory.pointee.max > bytesMax, let fresh = unsafe BUF_MEM_new() else {
            return
        }
        unsafe copenssl_set_mem_buf(bio, fresh)  // ownership of fresh moves into bio, which frees the old one
        unsafe copenssl_mem_eof_return(bio, -1)
    }
}
