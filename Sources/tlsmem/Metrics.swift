internal import CLinux
internal import CTLSMem

/// What the connections of a context have counted, in any thread. Written as text in Metrics+Text.swift.
///
/// A connection counts when it is made, established, ended and gone, and whenever another mebibyte of it has gone by: a
/// record costs nothing.
///
/// A plain reference: the contexts that have it in common (`Generations`) see to its memory. `@unchecked Sendable`: the
/// counters are only ever touched atomically.
@safe struct Metrics: @unchecked Sendable {
    enum Counter {
        case made
        case handshake(isTLS13: Bool, isResumed: Bool)
        /// A handshake that took no longer than the bound of that number, and longer than the one before.
        case duration(Int)
        /// Milliseconds of all handshakes.
        case durations
        case received, sent
        /// Freed before it had ended.
        case freed
        case ended(tlsmem_status)

        var place: Int {
            switch self {
            case .made: 0
            case .handshake(let isTLS13, let isResumed): 1 &+ (isTLS13 ? 2 : 0) &+ (isResumed ? 1 : 0)
            case .durations: 5
            case .received: 6
            case .sent: 7
            case .freed: 8
            case .duration(let bound): 9 &+ bound
            case .ended(let status): 10 &+ Metrics.bounds.count &- Int(status.rawValue)
            }
        }
    }

    /// Milliseconds; what takes longer than the last is in the place behind it.
    static let bounds: InlineArray<11, Int64> = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000]
    /// One for each status, of which the last is the smallest number.
    private static var count: Int { Counter.ended(TLSMEM_ESIGN).place &+ 1 }

    private let counters: UnsafeMutablePointer<UInt64>

    init() {
        let bytes = Self.count * MemoryLayout<UInt64>.stride
        unsafe counters = clinux_allocate(bytes).assumingMemoryBound(to: UInt64.self)
        unsafe counters.initialize(repeating: 0, count: Self.count)
    }

    func end() { unsafe free(counters) }

    func count(_ counter: Counter, _ more: UInt64 = 1) { unsafe clinux_add(counters + counter.place, more) }

    subscript(counter: Counter) -> UInt64 { unsafe clinux_load(counters + counter.place) }

    /// A handshake has taken so long.
    func countHandshake(milliseconds: Int64) {
        count(.durations, UInt64(clamping: milliseconds))
        count(.duration(Self.bounds.indices.first { milliseconds <= Self.bounds[$0] } ?? Self.bounds.count))
    }
}
