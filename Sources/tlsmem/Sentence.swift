internal import CLinux
internal import CTLSMem
internal import OpenSSLHandles
internal import TLSEngine

/// A text that is put together in memory of C's, with a zero at its end; what does not fit is cut.
@safe struct Sentence {
    private let target: UnsafeMutableRawBufferPointer
    private var length = 0
    /// What it would be had it all fitted.
    private(set) var wholeLength = 0

    init(_ target: UnsafeMutableRawBufferPointer) {
        unsafe self.target = target
        if let first = target.indices.first { unsafe target[first] = 0 }
    }

    @inline(never)
    private mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        wholeLength &+= bytes.count
        // What is cut once stays cut.
        guard length &+ bytes.count == wholeLength else { return }
        var count = min(bytes.count, unsafe target.count - 1 &- length)
        // A character is there whole or not at all.
        while count > 0, count < bytes.count, unsafe bytes[count] & 0xc0 == 0x80 { count -= 1 }
        guard count > 0 else { return }
        for index in 0..<count { unsafe target[length &+ index] = bytes[index] }
        length &+= count
        unsafe target[length] = 0
    }

    /// As `append`, without the doubt which of them a literal is for.
    mutating func say(_ text: StaticString) { append(text) }

    @inline(never)
    mutating func append(_ text: StaticString) {
        guard text.hasPointerRepresentation else { return }
        unsafe append(unsafe UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    @inline(never)
    mutating func append(_ text: UnsafePointer<CChar>?) {
        guard let text = unsafe text else { return }
        unsafe text.withMemoryRebound(to: UInt8.self, capacity: strlen(text)) {
            unsafe append(unsafe UnsafeBufferPointer(start: $0, count: strlen(text)))
        }
    }

    mutating func append(_ text: [UInt8]) {
        unsafe text.withUnsafeBufferPointer { unsafe append(unsafe $0) }
    }

    @inline(never)
    mutating func append(_ number: Int) {
        unsafe append([CChar](decimal: number) + [0])
    }
}

extension Sentence {
    mutating func append(_ status: tlsmem_status) { append(status.name) }

    /// A length of time, as somebody would say it.
    mutating func append(milliseconds: Int64) {
        let length = Int(max(0, milliseconds))
        switch length {
        case ..<1000: append(length, " ms")
        case ..<60_000:
            append(length / 1000)
            append(length % 1000 / 100, behind: ".")
            say(" s")
        case ..<3_600_000:
            append(length / 60_000, " min ")
            append(length % 60_000 / 1000, " s")
        default:
            append(length / 3_600_000, " h ")
            append(length % 3_600_000 / 60_000, " min")
        }
    }

    /// Text of the peer's: what is no letter of ASCII's, and could be taken for something else, becomes a question mark.
    mutating func append(foreign text: UnsafePointer<CChar>?) {
        guard var next = unsafe text else { return }
        while unsafe next.pointee != 0 {
            let byte = UInt8(bitPattern: unsafe next.pointee)
            append([(0x21...0x7e).contains(byte) ? byte : UInt8(ascii: "?")])
            unsafe next += 1
        }
    }

    /// Text of the program's, in between quotation marks: backslashes, quotation marks and ends of lines are escaped.
    mutating func append(quoting text: UnsafePointer<CChar>?) {
        guard var next = unsafe text else { return }
        while unsafe next.pointee != 0 {
            switch UInt8(bitPattern: unsafe next.pointee) {
            case UInt8(ascii: "\\"): say("\\\\")
            case UInt8(ascii: "\""): say("\\\"")
            case UInt8(ascii: "\n"): say("\\n")
            case let byte: append([byte])
            }
            unsafe next += 1
        }
    }

    mutating func append(_ number: Int, _ what: StaticString) {
        append(number)
        append(what)
    }

    mutating func append(_ number: Int, behind what: StaticString) {
        append(what)
        append(number)
    }
}

extension Failure {
    /// `subject` is whose certificate was not good, if that is known.
    func fill(_ info: inout tlsmem_error_info, subject: [UInt8]?) {
        info.status = status.code
        info.sys_errno = errno
        if let engine {
            info.alert_sent = engine.alertSent.map { CInt($0) } ?? -1
            info.alert_received = engine.alertReceived.map { CInt($0) } ?? -1
            info.verify_depth = engine.verifyDepth
            info.verify_result = engine.verifyResult
            info.openssl_code = engine.cause.code
        }
        unsafe withUnsafeMutableBytes(of: &info.sentence) { target in
            var sentence = unsafe Sentence(target)
            describe(&sentence, subject: subject)
        }
    }

    func describe(_ sentence: inout Sentence, subject: [UInt8]?) {
        describe(&sentence)
        guard let subject, !subject.isEmpty else { return }
        unsafe sentence.append(": ")
        sentence.append(subject)
    }

    private func describe(_ sentence: inout Sentence) {
        switch reason {
        case .handshakeDeadline: unsafe sentence.append("the handshake was not done within handshake_ms")
        case .idleDeadline: unsafe sentence.append("nothing came or went for idle_ms")
        case .readDeadline: unsafe sentence.append("nothing came from the peer for read_ms")
        case .writeDeadline: unsafe sentence.append("the peer took nothing of what waits for it for write_ms")
        case .closeDeadline: unsafe sentence.append("the peer did not close within close_ms")
        case .aborted, .outOfMemory:
            sentence.append(status.sentence)
        case .reset(let errno), .system(let errno):
            sentence.append(status.sentence)
            unsafe sentence.append(": ")
            unsafe sentence.append(strerror(errno))
        case .unconnected(let outcome):
            sentence.append(status.sentence)
            unsafe sentence.append(": ")
            outcome.describe(&sentence)
        case .connectDeadline(let outcome):
            unsafe sentence.append("not connected within connect_ms: ")
            outcome.describe(&sentence)
        case .engine(let failure):
            describe(failure, &sentence)
        }
    }

    private func describe(_ failure: EngineFailure, _ sentence: inout Sentence) {
        switch failure.kind {
        case .controlLimit: unsafe sentence.append("the peer makes us answer and does not read: control_max is reached")
        case .updateLimit: unsafe sentence.append("the peer asks for new keys too often: update_rate is reached")
        default: sentence.append(status.sentence)
        }
        if let staple = failure.staple {
            unsafe sentence.append(": ")
            sentence.append(staple.sentence)
        } else if failure.verifyResult != 0 {
            if failure.kind != .unpinned {
                unsafe sentence.append(": ")
                unsafe sentence.append(Words.verifyResult(failure.verifyResult))
            }
            if failure.verifyDepth >= 0 {
                unsafe sentence.append(" (certificate ")
                sentence.append(Int(failure.verifyDepth))
                unsafe sentence.append(" of the chain)")
            }
        } else if let alert = failure.alertReceived {
            unsafe sentence.append(": alert ")
            sentence.append(Int(alert))
            unsafe sentence.append(", ")
            unsafe sentence.append(Words.alert(alert))
        } else if ![.noCommonProtocol, .noIdentity, .refused].contains(failure.kind), let text = failure.cause.text {
            unsafe sentence.append(": ")
            unsafe sentence.append(text)
        }
    }
}
