internal import COpenSSL

/// The keys that a fleet of servers shares. Many threads look for one at once, and meanwhile the program may change them.
@safe final class TicketKeyRing {
    static var most: Int { 1024 }

    private let lock: UnsafeMutableRawPointer
    /// The one that begins to seal last comes first.
    private var keys: [TicketKey] = []

    /// Nil without memory.
    init?() {
        guard let lock = unsafe CRYPTO_THREAD_lock_new() else { return nil }
        unsafe self.lock = lock
    }

    deinit {
        unsafe CRYPTO_THREAD_lock_free(lock)
    }

    // MARK: Looking for a key

    /// The one that seals now: of several the one that began last. What has ended is dropped on the way.
    func sealer(at now: Int64) -> TicketKey? {
        let (sealer, hasOld) = looking { keys in
            (keys.first { $0.times.seals(at: now) }, keys.contains { !$0.times.opens(at: now) })
        }
        if hasOld { changing { $0 = $0.filter { $0.times.opens(at: now) } } }
        return sealer
    }

    /// The one of that name, if it opens still; and whether another seals by now.
    func opener(_ name: UnsafePointer<UInt8>, at now: Int64) -> (key: TicketKey, isOld: Bool)? {
        let name = unsafe UnsafeBufferPointer(start: name, count: TicketKey.nameCount)
        return looking { keys in
            guard let key = keys.first(where: { unsafe name.elementsEqual($0.name) }), key.times.opens(at: now)
            else { return nil }
            let sealer = keys.first { $0.times.seals(at: now) }
            return (key, sealer != nil && sealer !== key)
        }
    }

    var all: [TicketKey] { looking { $0 } }

    // MARK: Changing them

    func add(_ key: TicketKey) throws(SettingRefused) {
        let refusal: SettingRefused? = changing { keys in
            if keys.contains(where: { $0.name == key.name }) { return .nameTaken }
            if keys.count >= Self.most { return .tooManyKeys }
            put(key, &keys)
            return nil
        }
        if let refusal { throw refusal }
    }

    /// Takes these in place of all others; they have different names.
    func replace(by others: [TicketKey]) {
        var sorted: [TicketKey] = []
        for key in others { put(key, &sorted) }
        changing { $0 = sorted }
    }

    /// Nothing happens when there is none of that name.
    func remove(_ name: [UInt8]) {
        changing { $0 = $0.filter { $0.name != name } }
    }

    private func put(_ key: TicketKey, _ keys: inout [TicketKey]) {
        let place = keys.firstIndex { $0.times.sealsFrom < key.times.sealsFrom } ?? keys.count
        keys.insert(key, at: place)
    }

    // MARK: The lock

    private func looking<Result>(_ body: ([TicketKey]) -> Result) -> Result {
        _ = unsafe CRYPTO_THREAD_read_lock(lock)
        defer { unsafe CRYPTO_THREAD_unlock(lock) }
        return body(keys)
    }

    private func changing<Result>(_ body: (inout [TicketKey]) -> Result) -> Result {
        _ = unsafe CRYPTO_THREAD_write_lock(lock)
        defer { unsafe CRYPTO_THREAD_unlock(lock) }
        return body(&keys)
    }
}

extension SettingRefused {
    static var nameTaken: SettingRefused { SettingRefused("there is a key of that name already") }
    static var tooManyKeys: SettingRefused { SettingRefused("there are more than 1024 keys") }
    static var timesOutOfOrder: SettingRefused {
        SettingRefused("the key's times are not in order: encrypt_from, encrypt_until, decrypt_until")
    }
}
