internal import CLinux

/// The clock of deadlines: it only moves forward, and no one sets it.
package enum MonotonicClock {
    /// Milliseconds since some moment in the past, rounded down.
    package static func milliseconds() -> Int64 {
        var now = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) &* 1000 &+ Int64(now.tv_nsec) / 1_000_000
    }

    /// A moment so many milliseconds from now, or the end of time.
    package static func moment(in delay: Int64) -> Int64 {
        let (moment, isPastTheEnd) = milliseconds().addingReportingOverflow(max(0, delay))
        return isPastTheEnd ? .max : moment
    }
}
