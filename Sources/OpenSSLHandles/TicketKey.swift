internal import COpenSSL

/// What seals session tickets, and opens them (RFC 5077, 4): AES-256-CBC and HMAC-SHA256. Its secret is wiped when it goes.
@safe package final class TicketKey {
    package static var nameCount: Int { 16 }
    /// 32 bytes for the HMAC, and 32 for AES.
    package static var secretCount: Int { 64 }

    /// Goes in front of each ticket.
    let name: [UInt8]
    let secret: UnsafeMutableRawPointer
    let times: TicketKeyTimes

    /// A key whose secret `fill` writes, and says whether it could. Nil if not, and without memory.
    init?(_ name: [UInt8], _ times: TicketKeyTimes, _ fill: (UnsafeMutableRawBufferPointer) -> Bool) {
        guard let memory = unsafe copenssl_malloc(Self.secretCount) else { return nil }
        unsafe self.secret = memory
        self.name = name
        self.times = times
        guard unsafe fill(UnsafeMutableRawBufferPointer(start: memory, count: Self.secretCount)) else { return nil }
    }

    /// The same for what comes from outside.
    package static func checked(
        _ name: [UInt8], _ times: TicketKeyTimes, _ fill: (UnsafeMutableRawBufferPointer) -> Void
    ) throws(SettingRefused) -> TicketKey {
        guard times.areInOrder else { throw .timesOutOfOrder }
        var isZero = false
        let key = unsafe TicketKey(name, times) {
            unsafe fill($0)
            isZero = unsafe $0.allSatisfy { $0 == 0 }
            return true
        }
        guard let key else { throw unsafe .outOfMemory() }
        guard !isZero else { throw SettingRefused("the key has no secret: it is all zeros") }
        return key
    }

    deinit {
        unsafe copenssl_clear_free(secret, Self.secretCount)
    }

    /// What a program has said: the secret, and nothing else. Nil for anything else.
    static func made(of answer: Answer, _ name: [UInt8]) -> TicketKey? {
        guard answer.isGiven, answer.status == 0, let secret = answer.bytes, secret.count == secretCount else {
            return nil
        }
        return unsafe TicketKey(name, TicketKeyTimes()) {
            unsafe $0.copyMemory(from: secret.bytes)
            return true
        }
    }

    /// Whatever it seals nobody will open: its secret is random, and goes with it. Nil when there is no randomness.
    static var forNobody: TicketKey? {
        var name = [UInt8](repeating: 0, count: nameCount)
        guard unsafe RAND_bytes(&name, CInt(nameCount)) == 1 else { return nil }
        return unsafe TicketKey(name, TicketKeyTimes()) {
            unsafe RAND_bytes($0.baseAddress?.assumingMemoryBound(to: UInt8.self), CInt($0.count)) == 1
        }
    }

    // What OpenSSL asks of it. False when something in it fails.

    func seal(
        _ name: UnsafeMutablePointer<UInt8>, _ vector: UnsafeMutablePointer<UInt8>, _ cipher: OpaquePointer?,
        _ mac: OpaquePointer?
    ) -> Bool {
        for index in 0..<Self.nameCount { unsafe name[index] = self.name[index] }
        return unsafe RAND_bytes(vector, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) == 1
            && EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nil, cipherKey, vector) == 1
            && copenssl_hmac_sha256_init(mac, secret, 32) == 1
    }

    func open(_ vector: UnsafePointer<UInt8>, _ cipher: OpaquePointer?, _ mac: OpaquePointer?) -> Bool {
        unsafe EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nil, cipherKey, vector) == 1
            && copenssl_hmac_sha256_init(mac, secret, 32) == 1
    }

    private var cipherKey: UnsafePointer<UInt8> {
        unsafe UnsafePointer((secret + 32).assumingMemoryBound(to: UInt8.self))
    }
}

/// When a key seals, and until when it opens: seconds since 1970. Before it seals it opens, too, for those whose clock is ahead.
package struct TicketKeyTimes {
    let sealsFrom: Int64
    let sealsUntil: Int64
    let opensUntil: Int64

    package init(sealsFrom: Int64, sealsUntil: Int64, opensUntil: Int64) {
        (self.sealsFrom, self.sealsUntil, self.opensUntil) = (sealsFrom, sealsUntil, opensUntil)
    }

    fileprivate init() { self.init(sealsFrom: 0, sealsUntil: 0, opensUntil: 0) }

    var areInOrder: Bool { sealsFrom < sealsUntil && sealsUntil <= opensUntil }
    func seals(at now: Int64) -> Bool { now >= sealsFrom && now < sealsUntil }
    func opens(at now: Int64) -> Bool { now < opensUntil }
}
