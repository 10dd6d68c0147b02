/// New keys in the middle of a connection: what the peer may ask for, and what it owes us. Most connections never have
/// to do with them.
final class Rekeying {
    private let perSecond: UInt32
    private let burst: UInt32
    private var bucket: TokenBucket
    /// KeyUpdates and renegotiations that the peer began.
    private(set) var asked: UInt64 = 0
    /// KeyUpdates of ours that the peer was asked to answer and has not.
    var updateAnswersDue: UInt64 = 0
    /// Renegotiations that a server asked for and the client has not begun.
    var helloAnswersDue: UInt64 = 0

    init(_ limits: Limits) {
        perSecond = limits.updatesPerSecond
        burst = limits.updateBurst
        bucket = TokenBucket(burst: burst)
    }

    /// Messages with new keys have come since the last step; what answers our own requests is not the peer's doing. False
    /// when it has begun too many.
    func mayUpdate(_ seen: (requests: UInt16, plain: UInt16), now: Int64) -> Bool {
        let answers = min(UInt64(seen.plain), updateAnswersDue)
        let hellos = min(UInt64(seen.requests), helloAnswersDue)
        updateAnswersDue -= answers
        helloAnswersDue -= hellos
        let begun = (UInt64(seen.requests) - hellos) + (UInt64(seen.plain) - answers)
        asked &+= begun
        return begun == 0 || bucket.take(Int64(clamping: begun), now: now, perSecond: perSecond, burst: burst)
    }
}
