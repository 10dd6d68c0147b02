internal import CTLSMem
internal import OpenSSLHandles
internal import TLSEngine

/// A recording that is read again.
struct Replay {
    /// As in `Recording`, with bytes of its own.
    private enum Event {
        case bytes([UInt8])
        case end
        case error(CInt)
        case tick
    }

    private var events: [(moment: Int64, event: Event)] = []

    /// Nil for what is no recording.
    init?(_ text: UnsafeRawBufferPointer) {
        let lines = Self.parts(unsafe [UInt8](text), UInt8(ascii: "\n"))
        guard lines.count >= 2, lines.last?.isEmpty == true, lines.first == Recording.title.bytes else { return nil }
        for line in lines[1..<lines.count &- 1] {
            guard let event = Self.event(line) else { return nil }
            events.append(event)
        }
    }

    /// What is between the separators.
    private static func parts(_ bytes: [UInt8], _ separator: UInt8) -> [[UInt8]] {
        var (parts, part): ([[UInt8]], [UInt8]) = ([], [])
        for byte in bytes {
            if byte == separator {
                parts.append(part)
                part = []
            } else {
                part.append(byte)
            }
        }
        return parts + [part]
    }

    private static func event(_ line: [UInt8]) -> (moment: Int64, event: Event)? {
        let words = parts(line, UInt8(ascii: " "))
        guard words.count == 2 || words.count == 3, let moment = number(words[0]) else { return nil }
        let (name, argument) = (words[1], words.count == 3 ? words[2] : [])
        if name == StaticString("in").bytes, let bytes = bytes(argument) { return (moment, .bytes(bytes)) }
        if name == StaticString("error").bytes, let errno = number(argument), errno > 0, errno <= CInt.max {
            return (moment, .error(CInt(clamping: errno)))
        }
        guard words.count == 2 else { return nil }
        if name == StaticString("end").bytes { return (moment, .end) }
        return name == StaticString("tick").bytes ? (moment, .tick) : nil
    }

    private static func number(_ digits: [UInt8]) -> Int64? {
        guard !digits.isEmpty, digits.count <= 15 else { return nil }
        var number: Int64 = 0
        for digit in digits {
            guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
            number = number &* 10 &+ Int64(digit &- UInt8(ascii: "0"))
        }
        return number
    }

    private static func bytes(_ digits: [UInt8]) -> [UInt8]? {
        guard !digits.isEmpty, digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        var high: UInt8?
        for digit in digits {
            guard let value = nibble(digit) else { return nil }
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return bytes
    }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit &- UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit &- UInt8(ascii: "a") &+ 10
        default: nil
        }
    }

    // MARK: Played

    /// Gives it to a connection, in the recording's time. What it sends goes to `sent`.
    func play(to connection: Connection, _ sent: ([UInt8]) -> Void) -> CInt {
        let clock = VirtualClock()
        connection.clock = clock
        _ = connection.drive()  // a server's deadline runs from here on as well, and not from the first bytes
        Self.send(connection, sent)
        for (moment, event) in events {
            guard !connection.isFreed else { return TLSMEM_OK.code }
            clock.now = moment
            switch event {
            case .bytes(let bytes): guard Self.feed(bytes, connection) else { return TLSMEM_AGAIN.code }
            case .end: _ = connection.feedEnd()
            case .error(let errno): _ = connection.feedError(errno)
            case .tick: _ = connection.tick(moment)
            }
            Self.send(connection, sent)
        }
        return TLSMEM_OK.code
    }

    /// False when it takes no more now. What comes after the end is dropped.
    private static func feed(_ bytes: [UInt8], _ connection: Connection) -> Bool {
        let taken = unsafe bytes.withUnsafeBytes { unsafe connection.feed($0) }
        return taken == bytes.count || connection.isFreed || connection.isOver
    }

    private static func send(_ connection: Connection, _ sent: ([UInt8]) -> Void) {
        while !connection.isFreed {
            // A copy, for whoever gets it may do anything.
            let bytes = connection.showOutgoing { bytes in unsafe bytes.withUnsafeBytes { unsafe Array($0) } }
            guard let bytes, connection.consumeOutgoing(bytes.count) == TLSMEM_OK.code else { return }
            sent(bytes)
        }
    }
}
