internal import COpenSSL

/// In place of OpenSSL's random numbers, for the whole process: those of a seed. Keys and nonces are known to whoever knows the
/// seed; what a test does with it is the same every time.
package enum InsecureRandomness {
    /// From now on, or anew. False where this OpenSSL cannot be given random numbers.
    package static func begin(_ seed: UInt64) -> Bool {
        guard let lock = unsafe lock, unsafe CRYPTO_THREAD_write_lock(lock) == 1 else { return false }
        unsafe seeded = SeededNumbers(seed)
        unsafe CRYPTO_THREAD_unlock(lock)
        return unsafe copenssl_set_random(method) == 1
    }

    fileprivate static func fill(_ bytes: UnsafeMutablePointer<UInt8>?, _ count: CInt) -> CInt {
        guard let lock = unsafe lock, let bytes = unsafe bytes, count >= 0, unsafe CRYPTO_THREAD_write_lock(lock) == 1
        else { return 0 }
        for index in 0..<Int(count) { unsafe bytes[index] = unsafe UInt8(truncatingIfNeeded: seeded.next() >> 32) }
        unsafe CRYPTO_THREAD_unlock(lock)
        return 1
    }
}

private nonisolated(unsafe) let lock = unsafe CRYPTO_THREAD_lock_new()
/// Under the lock.
private nonisolated(unsafe) var seeded = SeededNumbers(0)
/// OpenSSL keeps the pointer.
private nonisolated(unsafe) let method: UnsafeMutablePointer<RAND_METHOD> = {
    let method = UnsafeMutablePointer<RAND_METHOD>.allocate(capacity: 1)
    unsafe method.initialize(
        to: RAND_METHOD(
            seed: { _, _ in 1 }, bytes: { unsafe InsecureRandomness.fill($0, $1) }, cleanup: {},
            add: { _, _, _ in 1 }, pseudorand: { unsafe InsecureRandomness.fill($0, $1) }, status: { 1 }))
    return unsafe method
}()
