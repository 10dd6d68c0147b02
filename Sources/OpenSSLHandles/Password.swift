internal import COpenSSL

/// A password, for as long as it is needed; wiped then.
@safe struct Password: ~Copyable {
    private static var bytesMax: Int { 1024 }

    private let memory: UnsafeMutableRawBufferPointer
    let count: Int

    /// Has `ask` write it; nil when there is none, or no memory.
    init?(_ ask: (UnsafeMutableRawBufferPointer) -> Int) {
        guard let start = unsafe copenssl_malloc(Self.bytesMax + 1) else { return nil }
        unsafe memset(start, 0, Self.bytesMax + 1)
        let room = unsafe UnsafeMutableRawBufferPointer(start: start, count: Self.bytesMax)
        let count = unsafe ask(room)
        guard (0...Self.bytesMax).contains(count) else {
            unsafe copenssl_clear_free(start, Self.bytesMax)
            return nil
        }
        unsafe start.storeBytes(of: 0, toByteOffset: count, as: UInt8.self)
        unsafe memory = room
        self.count = count
    }

    deinit {
        unsafe copenssl_clear_free(memory.baseAddress, Self.bytesMax)
    }

    /// With a zero behind it.
    var text: UnsafePointer<CChar>? { unsafe UnsafePointer(memory.baseAddress?.assumingMemoryBound(to: CChar.self)) }
}

extension OwnedContext {
    /// How the program is asked: it writes into the buffer, and returns how long that is, or a negative number. What it is
    /// for is a path, nil for memory.
    package typealias PasswordQuestion = (UnsafeMutableRawBufferPointer, UnsafePointer<CChar>?) -> Int

    package func setPasswordQuestion(_ question: PasswordQuestion?) {
        unsafe askPassword = question
    }

    /// Asks the program, which may do with the context what it likes meanwhile: to be called before anything is changed.
    func password(for source: borrowing PEMSource) throws(SettingRefused) -> Password {
        guard let askPassword = unsafe askPassword else {
            throw source.refused("it is encrypted, and no password callback is set")
        }
        let path = unsafe source.path
        guard let password = unsafe Password({ unsafe askPassword($0, path) }) else {
            throw source.refused("it is encrypted, and the password callback gave no password")
        }
        ERR_clear_error()
        return password
    }
}

extension PEMSource {
    /// Something in it did not decrypt. Empties the queue, in which the reason is not always the first.
    func refusedDecryption(_ otherwise: StaticString = "the password is wrong") -> SettingRefused {
        var isUnsupported = false
        while case let error = OpenSSLError(code: ERR_get_error()), error != .none {
            if error.isOutOfMemory {
                return outOfMemory
            }
            isUnsupported = isUnsupported || error.isUnsupported
        }
        return refused(
            isUnsupported
                ? "it is encrypted with an algorithm that this OpenSSL does not have, or takes for too old"
                : otherwise)
    }
}
