internal import CLinux
internal import EventLoop
internal import OpenSSLHandles
internal import TLSEngine

/// What only some connections have, or all of them only for a while: an idle one is small.
@safe final class Particulars {
    /// When the handshake, or the closing, began; -1 when neither is under way.
    var phaseBegan: Int64 = -1
    var failure: Failure?
    /// What recv failed with, to be told after everything that was received.
    var inputFailure: Failure?
    /// What send failed with, and whether that lost data.
    var breakage: (errno: CInt, lostData: Bool)?
    // These fill the word that the one before begins.
    /// tlsmem_unwrap was called, and is under way or has ended it.
    var isUnwrapping = false
    /// The server is named as the host was that it connected to.
    var nameIsHosts = false
    /// Inside on_accept: its callbacks are not known yet, so nothing is reported.
    var isBeingAccepted = false
    /// What came behind the peer's close_notify, in plain; for tlsmem_unwrapped.
    var beyondTLS: PlaintextQueue?
    /// Of the peer's bytes so many are still dropped.
    var lingeringBytes = 0
    var connector: Connector?
    var destination: Loop?
    var clocks: Connection.Clocks?
    /// The handshake stands still for this; what of the peer's bytes it has not looked at yet is `unread`.
    var decision: Decision? { willSet { if newValue !== decision { decision?.close() } } }
    var unread: PlaintextQueue?
    /// Memory for the program (`user_size`) that its `user` does not point to any more.
    var userMemory: UnsafeMutableRawPointer?
    var early: EarlyReading?
    /// Held, because every connection has particulars for a while, and letting nothing go would be counted as well.
    private var heldSession: Held<Session>?
    private var heldKit: Held<TestKit>?

    deinit {
        decision?.close()
        unsafe CLinux.free(userMemory)
    }

    /// What it offers to resume, or has resumed: OpenSSL's copy.
    var session: Session? {
        get { heldSession?.use { $0 } }
        set { heldSession = newValue.map { Held($0) } }
    }

    var hasSession: Bool { heldSession != nil }

    /// In a test.
    var kit: TestKit? {
        get { heldKit?.use { $0 } }
        set { heldKit = newValue.map { Held($0) } }
    }

    var hasKit: Bool { heldKit != nil }

    /// There is nothing in it.
    fileprivate var isVoid: Bool {
        unsafe userMemory == nil && phaseBegan < 0 && failure == nil && inputFailure == nil && breakage == nil
            && connector == nil && destination == nil && clocks == nil && !hasSession && !nameIsHosts
            && !isBeingAccepted && !isUnwrapping && beyondTLS == nil && decision == nil && unread == nil
            && early == nil && !hasKit
    }
}

extension Connection {
    /// Notes something particular, or that it is no more.
    func note(_ change: (Particulars) -> Void) {
        let particulars = self.particulars ?? Particulars()
        change(particulars)
        self.particulars = particulars.isVoid ? nil : particulars
    }

    var phaseBegan: Int64 {
        get { particulars?.phaseBegan ?? -1 }
        set { if newValue != phaseBegan { note { $0.phaseBegan = newValue } } }
    }

    var failure: Failure? {
        get { particulars?.failure }
        set { if newValue !== failure { note { $0.failure = newValue } } }
    }

    /// The loop that it moves to when the drive that is under way has ended.
    var destination: Loop? {
        get { particulars?.destination }
        set { if newValue !== destination { note { $0.destination = newValue } } }
    }

    /// At work until there is a socket; nil otherwise.
    var connector: Connector? {
        get { particulars?.connector }
        set { if newValue !== connector { note { $0.connector = newValue } } }
    }

    /// The question that the program has yet to answer.
    var decision: Decision? {
        get { particulars?.decision }
        set { if newValue !== decision { note { $0.decision = newValue } } }
    }

    var session: Session? {
        get { particulars?.session }
        set { note { $0.session = newValue } }
    }

    var hasSession: Bool { particulars?.hasSession ?? false }

    var nameIsHosts: Bool {
        get { particulars?.nameIsHosts ?? false }
        set { if newValue != nameIsHosts { note { $0.nameIsHosts = newValue } } }
    }

    var isBeingAccepted: Bool {
        get { particulars?.isBeingAccepted ?? false }
        set { if newValue != isBeingAccepted { note { $0.isBeingAccepted = newValue } } }
    }
}
