internal import COpenSSL

/// The tickets that early data came with in this process, so that none brings any twice: whoever has recorded what a client
/// sends can send it again, and both would be taken for true (RFC 8446, 8).
///
/// For all contexts of the process together, because several may have the same keys for tickets. OpenSSL takes early data only
/// of tickets that are as old as the client says, give or take ten seconds, and what was recorded says the same for ever: so
/// nothing has to be remembered for longer. The newest ones are in one set, those before them in another, which goes, with its
/// memory, when the first one has lasted for that long. When there is no room for what has to be remembered, no early data
/// is taken. OpenSSL reckons the age by the time of day: when that is set back, what was recorded is young again, and so none is
/// taken either until the day is as late as it was.
@safe package final class UsedTickets {
    private let lock: UnsafeMutableRawPointer
    private let most: Int
    private let seconds: Int64
    private var newer = Marks()
    private var older = Marks()
    /// When the first came into the newer set; all of the older one came before.
    private var began: Int64 = 0
    /// The latest time of day at which one came.
    private var latest = Int64.min / 2

    /// `most` in each set, kept for `seconds` at least. Nil without memory.
    package static func of(most: Int, seconds: Int64) -> UsedTickets? {
        guard let lock = unsafe CRYPTO_THREAD_lock_new() else { return nil }
        return unsafe UsedTickets(lock, most, seconds)
    }

    private init(_ lock: UnsafeMutableRawPointer, _ most: Int, _ seconds: Int64) {
        unsafe self.lock = lock
        (self.most, self.seconds) = (most, seconds)
    }

    deinit { unsafe CRYPTO_THREAD_lock_free(lock) }

    /// Whether it is the first time, and that could be noted: `now` by a clock that nobody sets, `date` by the time of day.
    package func use(_ ticket: UInt64, now: Int64, date: Int64) -> Bool {
        guard unsafe CRYPTO_THREAD_write_lock(lock) == 1 else { return false }
        defer { unsafe CRYPTO_THREAD_unlock(lock) }
        guard date >= latest &- Self.overtaken else { return false }
        latest = max(latest, date)
        if newer.count > 0, now &- began > seconds || (newer.count >= most && older.count == 0) {
            swap(&newer, &older)
            newer = Marks()
        }
        let mark = max(1, ticket)  // 0 is an empty place
        guard !newer.has(mark), !older.has(mark), newer.count < most, newer.put(mark) else { return false }
        if newer.count == 1 { began = now }
        return true
    }

    /// How many it remembers.
    package var count: Int { newer.count &+ older.count }

    /// Seconds: another thread may have asked for the time a moment before.
    private static let overtaken: Int64 = 2

    /// Those of the process. Nil without memory.
    static var ofProcess: UsedTickets? {
        _ = unsafe CRYPTO_THREAD_run_once(&processOnce) {
            unsafe process = UsedTickets.of(most: 65536, seconds: 20)
        }
        return unsafe process
    }
}

private nonisolated(unsafe) var process: UsedTickets?
private nonisolated(unsafe) var processOnce: CRYPTO_ONCE = 0

/// A set of numbers other than 0, at their places or behind them.
@safe private struct Marks: ~Copyable {
    private var places: UnsafeMutablePointer<UInt64>?
    /// A power of two, or none.
    private var capacity = 0
    private(set) var count = 0

    init() { unsafe places = nil }

    deinit { unsafe copenssl_clear_free(places, capacity &* MemoryLayout<UInt64>.size) }

    func has(_ mark: UInt64) -> Bool {
        guard let places = unsafe places else { return false }
        return unsafe places[place(of: mark, in: places)] == mark
    }

    /// Where it is, or the empty place where it would be; half of them are empty at least.
    private func place(of mark: UInt64, in places: UnsafeMutablePointer<UInt64>) -> Int {
        var place = Int(truncatingIfNeeded: mark) & (capacity &- 1)
        while unsafe places[place] != 0 && places[place] != mark { place = (place &+ 1) & (capacity &- 1) }
        return place
    }

    /// It is not there. False without memory.
    mutating func put(_ mark: UInt64) -> Bool {
        guard count < capacity / 2 || grows(), let places = unsafe places else { return false }
        unsafe places[place(of: mark, in: places)] = mark
        count &+= 1
        return true
    }

    private mutating func grows() -> Bool {
        let (before, size) = unsafe (places, capacity)
        let grown = max(256, 2 &* size)
        guard let memory = unsafe copenssl_malloc(grown &* MemoryLayout<UInt64>.size) else { return false }
        let fresh = unsafe memory.bindMemory(to: UInt64.self, capacity: grown)
        unsafe fresh.initialize(repeating: 0, count: grown)
        unsafe places = fresh
        capacity = grown
        for index in 0..<size {
            guard let mark = unsafe before?[index], mark != 0 else { continue }
            unsafe fresh[place(of: mark, in: fresh)] = mark
        }
        unsafe copenssl_clear_free(before, size &* MemoryLayout<UInt64>.size)
        return true
    }
}
