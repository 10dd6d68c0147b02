internal import COpenSSL

/// The direct use of a memory BIO's memory: what OpenSSL 3 does, and no manual promises. A `BUF_MEM` holds all bytes, and
/// the BIO a second view of it that begins at the first unread one; `BIO_get_mem_ptr` moves the unread ones to the front,
/// `BIO_reset` with `BIO_FLAGS_NONCLEAR_RST` makes the view that of the whole memory.
extension MemoryBIO {
    func directRoom(_ size: Int, _ isEmpty: Bool) -> UnsafeMutableRawBufferPointer? {
        var moved: UnsafeMutablePointer<BUF_MEM>?
        if isEmpty {
            unsafe memory.pointee.length = 0
        } else {
            unsafe copenssl_get_mem_ptr(bio, &moved)
        }
        let held = unsafe memory.pointee.length
        if unsafe memory.pointee.max &- held < size {
            guard size <= Int(CInt.max) &- held, unsafe BUF_MEM_grow(memory, held &+ size) > 0 else { return nil }
            unsafe memory.pointee.length = held
            unsafe copenssl_reset(bio)  // the view must not keep the old address
        }
        guard let data = unsafe memory.pointee.data else { return nil }
        return unsafe UnsafeMutableRawBufferPointer(start: data + held, count: size)
    }

    /// Has `write` append about so many bytes to the `held` ones. OpenSSL clears memory before it writes to it, up to the
    /// length that the memory is to have: it finds that length there already.
    func expecting(_ size: Int, behind held: Int, _ write: () -> SSLResult) -> SSLResult {
        guard isDirect, unsafe memory.pointee.length == held, unsafe memory.pointee.max &- held >= size else {
            return write()
        }
        unsafe memory.pointee.length = held &+ size
        let result = write()
        if case .done = result { return result }
        if count == held { unsafe memory.pointee.length = held }  // it wrote nothing
        return result
    }
}

private nonisolated(unsafe) var directWorks = false
private nonisolated(unsafe) var directOnce: CRYPTO_ONCE = 0

/// Whether all of this works with the OpenSSL at hand, tried once in the process.
func directIsSafe() -> Bool {
    _ = unsafe CRYPTO_THREAD_run_once(&directOnce) {
        unsafe directWorks = (try? MemoryBIO(isDirect: true))?.behavesAsExpected() ?? false
    }
    return unsafe directWorks
}

extension MemoryBIO {
    /// Tries every direct use on a fresh BIO, and compares with what BIO_read and BIO_write say.
    func behavesAsExpected() -> Bool {
        var (made, read) = (0, 0)  // bytes so far; each is its own number

        func fills(_ size: Int, afresh: Bool = false) -> Bool {
            guard let room = unsafe room(size, isEmpty: afresh), room.count == size else { return false }
            for place in 0..<size { unsafe room[place] = UInt8(truncatingIfNeeded: made &+ place) }
            made &+= size
            return appended(size)
        }
        func reads(_ size: Int) -> Bool {
            for _ in 0..<size {
                var byte: UInt8 = 0
                guard unsafe BIO_read(bio, &byte, 1) == 1, byte == UInt8(truncatingIfNeeded: read) else { return false }
                read &+= 1
            }
            return count == made &- read
        }
        func writes(_ size: Int, expecting expected: Int) -> Bool {
            let result = expecting(expected, behind: count) {
                for _ in 0..<size {
                    var byte = UInt8(truncatingIfNeeded: made)
                    guard unsafe BIO_write(bio, &byte, 1) == 1 else { return .wantsCiphertext }
                    made &+= 1
                }
                return size > 0 ? .done(size) : .wantsCiphertext
            }
            if case .done = result { return count == made &- read }
            return size == 0 && count == made &- read
        }
        func drops(_ size: Int) -> Bool {
            consume(size)
            read &+= size
            return count == made &- read
        }

        return fills(100) && reads(30) && fills(3000) && reads(3070) && fills(50, afresh: true) && reads(50)
            && fills(200) && drops(120) && fills(10) && drops(90) && isEmpty
            && writes(40, expecting: 40) && writes(40, expecting: 1) && writes(1, expecting: 40) && reads(81)
            && writes(0, expecting: 500) && fills(70) && reads(1) && writes(9, expecting: 9) && drops(20) && reads(58)
            && isEmpty && writes(7, expecting: 7) && drops(7) && fills(5) && reads(5)
    }
}
