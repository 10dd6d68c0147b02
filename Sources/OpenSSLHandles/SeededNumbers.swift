/// Random numbers for tests: the same seed, the same numbers (SplitMix64). Of no use for secrets.
package struct SeededNumbers {
    private var state: UInt64

    package init(_ seed: UInt64) {
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number of the range; the first when the range is none.
    package mutating func number(from least: UInt64, to most: UInt64) -> UInt64 {
        guard least < most else { return least }
        let (count, isAll) = (most &- least).addingReportingOverflow(1)
        return isAll ? next() : least &+ next() % count
    }
}
