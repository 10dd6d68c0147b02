internal import CTLSMem
internal import OpenSSLHandles
internal import SocketTransport
internal import TLSEngine

/// A clock that a test moves.
final class VirtualClock {
    var now: Int64 = 0
}

/// What a connection has only in a test.
final class TestKit {
    /// What its deadlines go by; nil for the system's.
    var clock: VirtualClock?
    /// Who writes down what comes in.
    var recording: Recording?

    var isVoid: Bool { clock == nil && recording == nil }
}

extension Connection {
    /// Milliseconds of the clock of its deadlines.
    var currentMilliseconds: Int64 { isInTest ? testMilliseconds : MonotonicClock.milliseconds() }

    /// Asked for on the path of a record, so it counts no reference.
    @inline(__always)
    var isInTest: Bool { particulars?.hasKit ?? false }

    /// A step in the test's time, which has its own place because a closure that knows the connection would count it.
    @inline(never)
    func stepInTest(_ bench: Bench) -> Step {
        let now = testMilliseconds
        var target = unsafe bench.plaintext.mutableBytes
        return engine.step(into: &target, incoming: bench.incoming, bench.pool, now: { now })
    }

    @inline(never)
    private var testMilliseconds: Int64 { clock?.now ?? MonotonicClock.milliseconds() }

    var clock: VirtualClock? {
        get { particulars?.kit?.clock }
        set {
            changeKit { $0.clock = newValue }
            particulars?.kit?.recording?.goOn(from: currentMilliseconds)
        }
    }

    func setRecording(_ recording: Recording?) {
        changeKit { $0.recording = recording }
        recording?.begin()
    }

    private func changeKit(_ change: (TestKit) -> Void) {
        let kit = particulars?.kit ?? TestKit()
        change(kit)
        note { $0.kit = kit.isVoid ? nil : kit }
    }

    /// Has what comes in written down, where somebody does.
    @inline(__always)
    func record(_ event: @autoclosure () -> Recording.Event) {
        if isInTest { record(nowThat: event()) }
    }

    @inline(never)
    private func record(nowThat event: Recording.Event) {
        guard let recording = particulars?.kit?.recording else { return }
        recording.note(event, currentMilliseconds)
    }
}
