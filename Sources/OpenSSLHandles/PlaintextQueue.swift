internal import COpenSSL

/// Plaintext that waits: a queue of bytes in one piece of OpenSSL's memory, which wipes it before it gives it back.
@safe package final class PlaintextQueue {
    private static let capacityLeast = 4096

    private var memory: UnsafeMutableRawPointer?
    private var capacity = 0
    private var start = 0
    private var end = 0

    package init() {}

    deinit {
        unsafe copenssl_clear_free(memory, capacity)
    }

    package var count: Int { end &- start }

    package var isEmpty: Bool { start == end }

    /// What waits, in place; valid until the next change.
    package var bytes: RawSpan {
        @_lifetime(borrow self) borrowing get {
            let bytes = unsafe UnsafeRawBufferPointer(start: memory.map { unsafe $0 + start }, count: count).bytes
            return unsafe _overrideLifetime(bytes, borrowing: self)
        }
    }

    /// Shows the first of it, so many bytes at most.
    @inline(__always)
    package func withFirst<Result>(_ most: Int, _ body: (borrowing RawSpan) -> Result) -> Result {
        body(bytes.extracting(first: max(0, most)))
    }

    /// Appends a copy; false when there is no memory, and then nothing was appended.
    package func append(_ bytes: borrowing RawSpan) -> Bool {
        let size = bytes.byteCount
        if size == 0 { return true }
        guard size <= capacity &- end || makeRoom(size) else { return false }
        unsafe bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            unsafe memory?.advanced(by: end).copyMemory(from: start, byteCount: size)
        }
        end &+= size
        return true
    }

    /// Takes the first bytes away, at most what waits, without copying.
    package func consume(_ count: Int) {
        start &+= min(max(0, count), self.count)
        if start == end { (start, end) = (0, 0) }
    }

    /// Drops what waits, and gives memory back that one exceptional moment has made it grow to.
    package func empty(keeping bytesMax: Int) {
        (start, end) = (0, 0)
        guard capacity > bytesMax else { return }
        unsafe copenssl_clear_free(memory, capacity)
        unsafe memory = nil
        capacity = 0
    }

    /// Moves what waits to the front, or into twice the memory, so that as many bytes again as it had moved are taken
    /// before the next move.
    private func makeRoom(_ size: Int) -> Bool {
        let held = count
        let (needed, overflowed) = held.addingReportingOverflow(size)
        guard !overflowed, needed <= Int.max / 4 else { return false }
        if let memory = unsafe memory, needed <= capacity / 2 {
            unsafe memory.copyMemory(from: memory + start, byteCount: held)
        } else {
            let grown = max(Self.capacityLeast, 2 &* needed)
            guard let fresh = unsafe copenssl_malloc(grown) else { return false }
            if let memory = unsafe memory { unsafe fresh.copyMemory(from: memory + start, byteCount: held) }
            unsafe copenssl_clear_free(memory, capacity)
            unsafe memory = fresh
            capacity = grown
        }
        (start, end) = (0, held)
        return true
    }
}
