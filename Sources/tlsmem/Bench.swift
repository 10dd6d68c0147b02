internal import CLinux
internal import OpenSSLHandles
internal import TLSEngine

/// What a drive needs and no connection owns: the BIO for what is received, and a buffer for what is decrypted.
///
/// Lent by the thread for the length of a drive. A callback may drive another connection meanwhile, which then gets
/// a bench of its own.
@safe final class Bench {
    static let receiveBytes = 262_144
    static let plaintextBytes = 16384

    let incoming: MemoryBIO
    let pool: BufferPool
    let plaintext: UnsafeMutableRawBufferPointer
    fileprivate let owner: Unmanaged<Benches>

    // What the drive that it is lent for knows of itself.
    var isPumping = false
    /// Another drive was asked for from inside.
    var isDriven = false
    /// tlsmem_on_readable was called from inside, or a deadline is to be judged; it is done at the end.
    var receiveIsDue = false
    /// What the time was when a deadline had passed; -1 when none had.
    var tickIsDue: Int64 = -1
    /// Bytes have come, were taken, of somebody who has deadlines.
    var hasReceived = false
    var hasSent = false

    fileprivate init(_ incoming: MemoryBIO, of owner: Benches) {
        self.incoming = incoming
        pool = owner.pool
        unsafe plaintext = UnsafeMutableRawBufferPointer(
            start: clinux_allocate(Self.plaintextBytes), count: Self.plaintextBytes)
        unsafe self.owner = .passUnretained(owner)
    }

    deinit {
        incoming.empty(keeping: 0)
        unsafe plaintext.initializeMemory(as: UInt8.self, repeating: 0)
        unsafe free(plaintext.baseAddress)
    }

    /// Lends one of the calling thread's. Nil when OpenSSL has no memory.
    @inline(__always)
    static func lend() -> Unmanaged<Bench>? {
        unsafe Benches.current()._withUnsafeGuaranteedRef { unsafe $0.lend() }
    }

    /// Takes back the one that was lent last; used up when the connection has not ended half-way.
    @inline(__always)
    func takeBack(usedUp: Bool) {
        (isDriven, receiveIsDue, tickIsDue) = (false, false, -1)
        if !usedUp { incoming.empty(keeping: 2 * Self.receiveBytes) }
        unsafe owner._withUnsafeGuaranteedRef { $0.takeBack() }
    }
}

/// The benches of one thread, one for each drive within a drive, and the buffers that they share.
final class Benches {
    private static let sparesMax = 4

    let pool = BufferPool()
    var tables = CallbackTables()
    private var benches: [Bench] = []
    private var lent = 0
    /// The thread holds it; otherwise it lives for one use.
    private var isKept = false

    @inline(__always)
    fileprivate func lend() -> Unmanaged<Bench>? {
        guard lent < benches.count || grows() else { return nil }
        lent &+= 1
        return unsafe Unmanaged.passUnretained(benches[lent &- 1])
    }

    private func grows() -> Bool {
        guard let incoming = try? MemoryBIO() else {
            letGo()
            return false
        }
        benches.append(Bench(incoming, of: self))
        return true
    }

    @inline(__always)
    fileprivate func takeBack() {
        lent &-= 1
        if lent >= Self.sparesMax { benches.removeLast() }
        if !isKept { letGo() }
    }

    /// Frees what is spare.
    func trim() {
        benches.removeLast(benches.count &- lent)
        pool.empty()
        tables = CallbackTables()
    }

    /// Those of the calling thread; made when first needed, freed when the thread ends. To be let go after use.
    @inline(__always)
    fileprivate static func current() -> Unmanaged<Benches> {
        if unsafe clinux_load_acquire(&keyIsMade) != 0, let known = unsafe pthread_getspecific(key) {
            return unsafe Unmanaged<Benches>.fromOpaque(known)
        }
        return unsafe fresh()
    }

    private static func fresh() -> Unmanaged<Benches> {
        let fresh = Benches()
        let held = unsafe Unmanaged.passRetained(fresh)
        if makeKey() { fresh.isKept = unsafe pthread_setspecific(key, held.toOpaque()) == 0 }
        return unsafe held
    }

    private func letGo() {
        if !isKept, lent == 0 { unsafe Unmanaged.passUnretained(self).release() }
    }

    /// Lends them for the length of `body`.
    static func withCurrent<Result>(_ body: (Benches) -> Result) -> Result {
        unsafe current()._withUnsafeGuaranteedRef { benches in
            defer { benches.letGo() }
            return body(benches)
        }
    }
}

/// The slot of thread-specific data; it may be used once it is made.
private nonisolated(unsafe) var key: pthread_key_t = 0
private nonisolated(unsafe) var keyIsMade: CInt = 0
private nonisolated(unsafe) var keyOnce: pthread_once_t = 0

/// False when the process has used all slots up, and benches are then made each time.
private func makeKey() -> Bool {
    _ = unsafe pthread_once(&keyOnce) {
        let result = unsafe pthread_key_create(&key) { benches in
            guard let benches = unsafe benches else { return }
            unsafe Unmanaged<Benches>.fromOpaque(benches).release()
        }
        if result == 0 { unsafe clinux_store_release(&keyIsMade, 1) }
    }
    return unsafe keyIsMade != 0
}
