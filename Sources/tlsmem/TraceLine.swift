internal import CTLSMem
internal import OpenSSLHandles
internal import TLSEngine

/// One piece of a trace in one line.
enum TraceLine {
    /// Writes it, and returns its whole length; nil for a format that there is not.
    static func write(
        _ info: tlsmem_trace_info, of connection: Connection, as format: tlsmem_trace_format,
        _ target: UnsafeMutableRawBufferPointer
    ) -> Int? {
        guard format == TLSMEM_TRACE_AS_TEXT || format == TLSMEM_TRACE_AS_JSON else { return nil }
        var text = unsafe Sentence(target)
        if format == TLSMEM_TRACE_AS_TEXT {
            unsafe write(info, &text)
        } else {
            unsafe write(info, of: connection, &text)
        }
        return text.wholeLength
    }

    private static func write(_ info: tlsmem_trace_info, _ text: inout Sentence) {
        text.say(unsafe info.sent != 0 ? "> " : "< ")
        switch unsafe info.kind {
        case TLSMEM_TRACE_RECORD:
            text.say("record 0x")
            text.append(hexadecimal: UInt(truncatingIfNeeded: unsafe info.version), digits: 4)
            text.append(unsafe info.record_length, behind: ", ")
            text.say(" bytes of ")
            unsafe text.append(info.name)
        case TLSMEM_TRACE_CONTENT:
            text.say("  it holds ")
            unsafe text.append(info.name)
        default:
            text.say("  ")
            unsafe text.append(info.name)
            text.append(unsafe info.length, behind: ", ")
            text.say(" bytes")
        }
        if unsafe info.lost > 0 {
            text.append(unsafe info.lost, behind: " (")
            text.say(" pieces before it were lost)")
        }
    }

    private static func write(_ info: tlsmem_trace_info, of connection: Connection, _ text: inout Sentence) {
        text.append(Int(connection.currentMilliseconds), behind: "{\"ms\":")
        text.say(",\"connection\":\"0x")
        text.append(hexadecimal: UInt(bitPattern: unsafe connection.handle), digits: 1)
        text.say(connection.engine.role == .client ? "\",\"role\":\"client\"" : "\",\"role\":\"server\"")
        text.say(",\"kind\":")
        switch unsafe info.kind {
        case TLSMEM_TRACE_RECORD: text.say("\"record\"")
        case TLSMEM_TRACE_CONTENT: text.say("\"content\"")
        default: text.say("\"message\"")
        }
        text.say(unsafe info.sent != 0 ? ",\"sent\":true" : ",\"sent\":false")
        text.append(Int(unsafe info.version), behind: ",\"version\":")
        text.append(Int(unsafe info.content_type), behind: ",\"content_type\":")
        text.append(Int(unsafe info.handshake_type), behind: ",\"handshake_type\":")
        text.say(",\"name\":\"")
        unsafe text.append(quoting: info.name)
        text.append(unsafe info.length, behind: "\",\"length\":")
        text.append(unsafe info.record_length, behind: ",\"record_length\":")
        text.append(unsafe info.lost, behind: ",\"lost\":")
        text.say("}")
    }
}

extension Sentence {
    /// In lower case, with so many digits at least.
    fileprivate mutating func append(hexadecimal number: UInt, digits: Int) {
        var shift = UInt(bitPattern: UInt.bitWidth &- 4)
        var isLeading = true
        for place in stride(from: UInt.bitWidth / 4, to: 0, by: -1) {
            let digit = UInt8(truncatingIfNeeded: number >> shift) & 0xf
            if digit != 0 || place <= digits { isLeading = false }
            if !isLeading { append([digit &+ (digit < 10 ? 0x30 : 0x57)] as [UInt8]) }
            shift = shift &- 4
        }
    }
}
