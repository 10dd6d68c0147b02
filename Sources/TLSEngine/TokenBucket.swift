/// Lets through `burst` things at once and `perSecond` in the long run.
struct TokenBucket {
    private var tokens: Int64
    private var refilledAt: Int64 = 0

    init(burst: UInt32) {
        tokens = Int64(burst)
    }

    /// Takes tokens; false when there are not enough.
    mutating func take(_ count: Int64, now: Int64, perSecond: UInt32, burst: UInt32) -> Bool {
        let earned = (now &- refilledAt).multipliedReportingOverflow(by: Int64(perSecond))
        let gained = earned.overflow ? Int64(burst) : earned.partialValue / 1000
        if gained > 0 {
            tokens = min(Int64(burst), tokens &+ min(gained, Int64(burst)))
            // What is left of a token counts on, unless the bucket is full.
            refilledAt = tokens == Int64(burst) ? now : now &- earned.partialValue % 1000 / Int64(perSecond)
        }
        guard tokens >= count else { return false }
        tokens -= count
        return true
    }
}
