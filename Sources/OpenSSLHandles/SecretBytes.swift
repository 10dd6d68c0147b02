internal import COpenSSL

/// Bytes that nobody is to find later: the memory is wiped when it is let go. They never change, so whoever has to keep them
/// keeps this, from whatever thread, and copies nothing.
@safe package final class SecretBytes {
    private let memory: UnsafeMutableRawPointer
    package let count: Int

    private init(_ memory: UnsafeMutableRawPointer, _ count: Int) {
        unsafe self.memory = memory
        self.count = count
    }

    deinit {
        unsafe copenssl_clear_free(memory, count)
    }

    /// Copies at least one byte. Nil without memory.
    package static func copy(_ source: UnsafeRawBufferPointer) -> SecretBytes? {
        guard let memory = unsafe copenssl_malloc(source.count) else { return nil }
        unsafe UnsafeMutableRawBufferPointer(start: memory, count: source.count).copyMemory(from: source)
        return unsafe SecretBytes(memory, source.count)
    }

    /// Valid as long as this.
    var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: memory, count: count) }
}
