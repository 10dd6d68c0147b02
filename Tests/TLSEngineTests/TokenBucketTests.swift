import Testing

@testable import TLSEngine

/// A bucket that expectations can take from.
private final class Bucket {
    private var bucket: TokenBucket

    init(burst: UInt32) { bucket = TokenBucket(burst: burst) }

    func take(_ count: Int64, now: Int64, perSecond: UInt32, burst: UInt32) -> Bool {
        bucket.take(count, now: now, perSecond: perSecond, burst: burst)
    }
}

@Suite struct `A token bucket` {
    @Test func `lets a burst through at once, and then no more`() {
        let bucket = Bucket(burst: 5)
        for _ in 0..<5 { #expect(bucket.take(1, now: 0, perSecond: 10, burst: 5)) }
        #expect(!bucket.take(1, now: 0, perSecond: 10, burst: 5))
        #expect(!bucket.take(1, now: 99, perSecond: 10, burst: 5))
        #expect(bucket.take(1, now: 100, perSecond: 10, burst: 5))
        #expect(!bucket.take(1, now: 100, perSecond: 10, burst: 5))
    }

    @Test func `takes all or nothing`() {
        let bucket = Bucket(burst: 5)
        #expect(!bucket.take(6, now: 0, perSecond: 1, burst: 5))
        #expect(bucket.take(5, now: 0, perSecond: 1, burst: 5))
        #expect(!bucket.take(1, now: 0, perSecond: 1, burst: 5))
    }

    @Test func `never holds more than a burst`() {
        let bucket = Bucket(burst: 3)
        #expect(!bucket.take(4, now: 1_000_000, perSecond: 100, burst: 3))
        #expect(bucket.take(3, now: 2_000_000, perSecond: 100, burst: 3))
        #expect(!bucket.take(1, now: 2_000_000, perSecond: 100, burst: 3))
    }

    @Test func `lets the rate through in the long run, however the moments fall`() {
        let bucket = Bucket(burst: 1)
        var (now, taken) = (Int64(0), 0)
        for step in 0..<10_000 {
            now += [1, 3, 7, 2][step % 4] as Int64
            if bucket.take(1, now: now, perSecond: 100, burst: 1) { taken += 1 }
        }
        let most = Int(now / 10) + 1
        #expect(taken <= most)
        #expect(taken > most / 2)
    }

    @Test(arguments: [Int64.min, -1, 0, 1, 1 << 40, .max - 1, .max])
    func `does not trap whatever the clock says`(first: Int64) {
        for second in [Int64.min, -1, 0, 1, 1 << 40, .max] {
            for rate in [UInt32(0), 1, 100, .max] {
                for burst in [UInt32(0), 1, .max] {
                    let bucket = Bucket(burst: burst)
                    for now in [first, second, first, second] {
                        _ = bucket.take(1, now: now, perSecond: rate, burst: burst)
                        #expect(!bucket.take(Int64(burst) + 1, now: now, perSecond: rate, burst: burst))
                    }
                }
            }
        }
    }

    @Test func `gives nothing for a clock that goes back`() {
        let bucket = Bucket(burst: 1)
        #expect(bucket.take(1, now: 5000, perSecond: 1, burst: 1))
        #expect(!bucket.take(1, now: 0, perSecond: 1, burst: 1))
        #expect(!bucket.take(1, now: 5999, perSecond: 1, burst: 1))
        #expect(bucket.take(1, now: 6000, perSecond: 1, burst: 1))
    }
}
