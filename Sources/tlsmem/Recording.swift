internal import CTLSMem
internal import OpenSSLHandles

/// Writes down what a connection is fed, and when: a line of text for each event, after one that says what it is.
@safe final class Recording {
    typealias Callback = @convention(c) (UnsafeRawPointer?, Int, UnsafeMutableRawPointer?) -> Void

    /// What comes in: bytes, the end of file, an error of the transport, and that a deadline has passed.
    @safe enum Event {
        case bytes(UnsafeRawBufferPointer)
        case end
        case error(CInt)
        case tick
    }

    static let title: StaticString = "tlsmem recording 1"

    private let callback: Callback
    private let user: UnsafeMutableRawPointer?
    private var began: Int64

    init(_ callback: Callback, _ user: UnsafeMutableRawPointer?, _ now: Int64) {
        unsafe (self.callback, self.user, began) = unsafe (callback, user, now)
    }

    func begin() {
        write(Self.title.bytes)
    }

    /// Another clock counts from here on.
    func goOn(from now: Int64) {
        began = now
    }

    /// The line is whole before anybody is called, who may do anything.
    func note(_ event: Event, _ now: Int64) {
        var line = Self.digits(Int(clamping: max(0, now &- began)))
        switch event {
        case .bytes(let bytes):
            line += StaticString(" in ").bytes
            line.reserveCapacity(line.count &+ 2 &* bytes.count &+ 1)
            for index in bytes.indices {
                let byte = unsafe bytes[index]
                line.append(Self.digit(byte >> 4))
                line.append(Self.digit(byte & 15))
            }
        case .end: line += StaticString(" end").bytes
        case .error(let errno): line += StaticString(" error ").bytes + Self.digits(Int(errno))
        case .tick: line += StaticString(" tick").bytes
        }
        write(line)
    }

    private func write(_ line: [UInt8]) {
        let line = line + [UInt8(ascii: "\n")]
        unsafe line.withUnsafeBytes { unsafe callback($0.baseAddress, $0.count, user) }
    }

    private static func digits(_ number: Int) -> [UInt8] {
        [CChar](decimal: number).map { UInt8(bitPattern: $0) }
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") &+ value : UInt8(ascii: "a") &+ value &- 10
    }
}

extension StaticString {
    /// Its text.
    var bytes: [UInt8] {
        guard hasPointerRepresentation else { return [] }
        return unsafe Array(UnsafeBufferPointer(start: utf8Start, count: utf8CodeUnitCount))
    }
}
