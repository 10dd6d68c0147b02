internal import CLinux
internal import CTLSMem
internal import TLSEngine

/// One of the two connections of a pair, with the wire that it sends on: what a program's loop would be to it.
@safe final class PairSide {
    private static let takenBytesMax = 16384

    let connection: Connection
    /// What it sends is on its way in this.
    let wire: Wire
    /// The program's references to both; that to the connection is gone once that is freed.
    private let (connectionHandle, wireHandle): (OpaquePointer, OpaquePointer)
    /// Taken from the peer's wire, and not yet taken by the connection.
    private var held: [UInt8] = []
    private var first = 0
    /// It was driven once, from when on its deadline runs: a server may never hear of its client.
    private var hasBegun = false
    /// The end of what comes in has been said.
    private var isAtEnd = false
    /// So has the end of what goes out.
    private var hasSentEnd = false

    convenience init?(_ context: Context, _ clock: VirtualClock) {
        guard let connection = unsafe Connection(context.current, tlsmem_callbacks(), nil) else { return nil }
        connection.clock = clock
        self.init(connection)
    }

    private init(_ connection: Connection) {
        self.connection = connection
        wire = Wire(.none)
        unsafe (connectionHandle, wireHandle) = unsafe (Handle.handOut(connection), Handle.handOut(wire))
    }

    /// For the program; nil once it has freed it.
    var handle: OpaquePointer? { unsafe connection.isFreed ? nil : connectionHandle }
    var handleOfWire: OpaquePointer { unsafe wireHandle }

    func free() {
        if !connection.isFreed { connection.free() }
        unsafe Handle.takeBack(wireHandle, Wire.self)
    }

    /// It will neither say nor hear anything more.
    var isOver: Bool { connection.isFreed || connection.isOver }

    /// Sends what waits, until the wire takes no more. Returns whether anything happened.
    func send(_ now: Int64) -> Bool {
        var hasMoved = false
        while !hasSentEnd, !connection.isFreed {
            let put = connection.showOutgoing { bytes in
                unsafe bytes.withUnsafeBytes { unsafe (wire.put($0, now: now), $0.count) }
            }
            guard let (count, of) = put else { break }
            if count == TLSMEM_ERESET.count { return fail() || hasMoved }
            // What is put behind an end that somebody else has made is lost.
            let taken = count == TLSMEM_ESTATE.count ? of : count
            guard taken > 0 else { return hasMoved }
            hasMoved = true
            _ = connection.consumeOutgoing(taken)
        }
        return sendEnd() || hasMoved
    }

    /// The end of file, once nothing more will be sent. A program that has freed its connection has closed its socket.
    private func sendEnd() -> Bool {
        guard !hasSentEnd, connection.isFreed || connection.hasSaidAll || connection.isOver else { return false }
        // After tlsmem_unwrap it goes on in plain.
        if !connection.isFreed, connection.isUnwrapping, connection.failure == nil { return false }
        hasSentEnd = true
        _ = wire.end()
        return true
    }

    /// Takes what has arrived, until the connection takes no more. Returns whether anything happened.
    func receive(from incoming: Wire, _ now: Int64) -> Bool {
        if !hasBegun, !connection.isFreed {
            hasBegun = true
            _ = connection.drive()
        }
        var hasMoved = false
        while !isAtEnd {
            if feed() { hasMoved = true }
            let moment = incoming.readyAt
            guard held.isEmpty, moment >= 0, moment <= now else { break }
            var count = 0
            held = unsafe [UInt8](unsafeUninitializedCapacity: Self.takenBytesMax) { room, filled in
                count = unsafe incoming.take(UnsafeMutableRawBufferPointer(room), now: now)
                filled = max(0, count)
            }
            if count == TLSMEM_AGAIN.count { break }
            hasMoved = true
            if count > 0 { continue }
            if count == 0 { end() } else { _ = fail() }
        }
        return hasMoved
    }

    /// Gives the connection what is held. Who is over drops it.
    private func feed() -> Bool {
        guard first < held.count else { return false }
        let taken = unsafe isOver ? held.count : held.withUnsafeBytes { unsafe connection.feed(rebased($0)) }
        if taken == TLSMEM_AGAIN.count { return false }
        first = taken < 0 ? held.count : first &+ taken
        if first >= held.count { (held, first) = ([], 0) }
        return true
    }

    private func rebased(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(rebasing: bytes[first...])
    }

    private func end() {
        isAtEnd = true
        if !isOver { _ = connection.feedEnd() }
    }

    /// One of the wires was reset, and a connection is reset in both directions. Returns whether that was news.
    private func fail() -> Bool {
        guard !isAtEnd || !hasSentEnd else { return false }
        (isAtEnd, hasSentEnd) = (true, true)
        wire.reset()
        if !isOver { _ = connection.feedError(ECONNRESET) }
        return true
    }

    /// Ends it, or tells what is due, if it is time. Returns whether anything happened.
    func tick(_ now: Int64) -> Bool {
        guard !connection.isFreed else { return false }
        let deadline = connection.deadline
        guard deadline >= 0, deadline <= now else { return false }
        _ = connection.tick(now)
        return connection.isFreed || connection.deadline != deadline
    }

    /// When it is to be looked at again without anybody doing anything; nil for never.
    func next(_ incoming: Wire, after now: Int64) -> Int64? {
        let arrival = isAtEnd || !held.isEmpty ? -1 : incoming.readyAt
        let deadline = connection.isFreed ? -1 : connection.deadline
        let moments = [arrival, deadline].filter { $0 > now }
        return moments.min()
    }
}
