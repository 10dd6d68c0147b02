internal import OpenSSLHandles

/// For how long we send with one key of TLS 1.3.
package struct KeyLife {
    /// OpenSSL counts nothing. AES-GCM is good for 2^24.5 records (RFC 8446, 5.5); ChaCha20-Poly1305 for all that there can be.
    static var recordsMax: UInt64 { 1 << 24 }

    /// Bytes of plaintext, and milliseconds; 0 for any number.
    private(set) var bytes: UInt64 = 0
    private(set) var milliseconds: Int64 = 0
    private(set) var records = Self.recordsMax
    /// With fewer records than that there is nothing to look at.
    private(set) var watchedRecords = Self.recordsMax

    package init(bytes: UInt64 = 0, seconds: UInt32 = 0) {
        self.bytes = bytes
        milliseconds = Int64(seconds) * 1000
        if bytes > 0 || seconds > 0 { watchedRecords = 0 }
    }

    /// For tests, which cannot wait for so many.
    package init(records: UInt64) {
        (self.records, watchedRecords) = (records, records)
    }
}

/// New keys in the middle of a connection: what the peer may ask for, and what it owes us. Most connections never have
/// to do with them.
final class Rekeying {
    /// Open while the client has a certificate to send.
    var request: PendingRequest?
    private let perSecond: UInt32
    private let burst: UInt32
    private var bucket: TokenBucket
    /// KeyUpdates and renegotiations that the peer began.
    private(set) var asked: UInt64 = 0
    /// KeyUpdates of ours that the peer was asked to answer and has not.
    var updateAnswersDue: UInt64 = 0
    /// Renegotiations that a server asked for and the client has not begun.
    var helloAnswersDue: UInt64 = 0

    /// What had been sent when our key was made, and when it was first looked at; -1 before.
    private var recordsBefore: UInt64 = 0
    private var bytesBefore: UInt64 = 0
    private var keyBegan: Int64 = -1

    init(_ limits: Limits) {
        perSecond = limits.updatesPerSecond
        burst = limits.updateBurst
        bucket = TokenBucket(burst: burst)
    }

    /// Messages with new keys have come since the last step; what answers our own requests is not the peer's doing. False
    /// when it has begun too many.
    func mayUpdate(_ seen: Updates, now: Int64) -> Bool {
        let answers = min(UInt64(seen.plain), updateAnswersDue)
        let hellos = min(UInt64(seen.requests), helloAnswersDue)
        updateAnswersDue &-= answers
        helloAnswersDue &-= hellos
        let begun = (UInt64(seen.requests) &- hellos) &+ (UInt64(seen.plain) &- answers)
        asked &+= begun
        return begun == 0 || bucket.take(Int64(clamping: begun), now: now, perSecond: perSecond, burst: burst)
    }

    /// Our key has been used for long enough. One that was not used at all is as good as new.
    func isDue(_ life: KeyLife, records: UInt64, bytes: UInt64, now: () -> Int64) -> Bool {
        let sent = bytes &- bytesBefore
        if records &- recordsBefore >= life.records || (life.bytes > 0 && sent >= life.bytes) { return true }
        guard life.milliseconds > 0 else { return false }
        let now = now()
        if keyBegan < 0 { keyBegan = now }
        return sent > 0 && now &- keyBegan >= life.milliseconds
    }

    /// We have another.
    func keyHasChanged(records: UInt64, bytes: UInt64) {
        (recordsBefore, bytesBefore, keyBegan) = (records, bytes, -1)
    }
}
