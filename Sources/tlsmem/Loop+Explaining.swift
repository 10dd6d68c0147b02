internal import CTLSMem

/// What can be said about a loop, and about all that is in it.
extension Loop {
    /// More than any paragraph needs.
    private static var paragraphBytesMax: Int { 4096 }

    /// Has each paragraph told, and returns how many there were. Whoever is told may do anything, also to those of whom
    /// nothing was said yet.
    func explain(_ tell: (UnsafeMutableRawBufferPointer) -> Void) -> Int {
        var present: [Connection] = []
        forEachConnection { present.append($0) }
        let listeners = self.listeners
        return unsafe withUnsafeTemporaryAllocation(byteCount: Self.paragraphBytesMax, alignment: 1) { room in
            var told = 1
            unsafe explain(room)
            unsafe tell(room)
            for listener in listeners where owned.contains(listener) {
                unsafe listener.explain(room)
                unsafe tell(room)
                told &+= 1
            }
            for connection in present where connection.loop === self {
                _ = unsafe Explanation.write(connection, room)
                unsafe tell(room)
                told &+= 1
            }
            return told
        }
    }

    private var listeners: [Listener] {
        var found: [Listener] = []
        for member in owned.all {
            if let listener = member.asListener { found.append(listener) }
        }
        return found
    }

    private func explain(_ room: UnsafeMutableRawBufferPointer) {
        var stats = tlsmem_loop_stats_info()
        fill(&stats)
        var text = unsafe Sentence(room)
        text.append(connections, behind: "Loop, with connections: ")
        text.append(Int(clamping: stats.handshaking), behind: ", in their handshake: ")
        text.append(listeners.count, behind: "; listeners: ")
        text.append(Int(clamping: stats.deadlines), behind: "; deadlines and timers: ")
        text.append(Int(clamping: stats.turns), behind: "; turns so far: ")
        text.append(Int(clamping: stats.events), behind: ", events: ")
        text.say(".")
        switch course {
        case .going: break
        case .draining:
            text.say(" It drains (tlsmem_loop_drain): nothing new comes in, and it ends with the last connection.")
        case .ending: text.say(" It is being freed.")
        }
    }
}
