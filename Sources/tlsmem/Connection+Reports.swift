internal import CTLSMem
internal import OpenSSLHandles
internal import TLSEngine

/// Whom the connections of a context tell what OpenSSL has reported of them.
@safe struct ReportListeners {
    var keylog: (@convention(c) (OpaquePointer?, UnsafePointer<CChar>?, UnsafeMutableRawPointer?) -> Void)?
    var keylogUser: UnsafeMutableRawPointer?
    var trace: (@convention(c) (OpaquePointer?, UnsafePointer<tlsmem_trace_info>?, UnsafeMutableRawPointer?) -> Void)?
    var traceUser: UnsafeMutableRawPointer?
    /// Who keeps sessions.
    var sessions: tlsmem_session_callbacks?
    var sessionsUser: UnsafeMutableRawPointer?

    var isEmpty: Bool { unsafe keylog == nil && trace == nil && sessions == nil }

    /// Has what OpenSSL reports of a connection collected for them. False without memory.
    func collect(from engine: borrowing Engine) -> Bool {
        engine.ask { $0.collect(into: Reporter(self)) }
    }
}

/// The reports of one connection, and who is told.
final class Reporter: Reports {
    /// Those of another context, once a ClientHello has changed it.
    fileprivate var listeners: ReportListeners {
        didSet {
            (wantsSecrets, wantsMessages) = unsafe (listeners.keylog != nil, listeners.trace != nil)
            wantsSessions = listeners.sessions != nil
        }
    }

    init(_ listeners: ReportListeners) {
        self.listeners = listeners
        super.init(
            wantsSecrets: unsafe listeners.keylog != nil, wantsMessages: unsafe listeners.trace != nil,
            wantsSessions: listeners.sessions != nil)
    }

    fileprivate func tell(_ report: Report, of handle: OpaquePointer) {
        switch report.kind {
        case .secret: unsafe tellSecret(report, of: handle)
        case .record, .content, .message: unsafe tellMessage(report, of: handle)
        case .session, .lostSession: unsafe tellSession(report, of: handle)
        }
    }

    private func tellSecret(_ report: Report, of handle: OpaquePointer) {
        if report.lost > 0 { unsafe tellLost(report.lost, of: handle) }
        let line = unsafe report.bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
        unsafe listeners.keylog?(handle, line, listeners.keylogUser)
    }

    private func tellLost(_ count: Int, of handle: OpaquePointer) {
        unsafe withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { room in
            var line = unsafe Sentence(room)
            unsafe line.append("# ")
            line.append(count)
            unsafe line.append(" lines are missing here")
            let text = unsafe room.baseAddress?.assumingMemoryBound(to: CChar.self)
            unsafe listeners.keylog?(handle, text, listeners.keylogUser)
        }
    }

    private func tellMessage(_ report: Report, of handle: OpaquePointer) {
        var info = unsafe tlsmem_trace_info()
        let bytes = unsafe report.bytes
        unsafe info.size = MemoryLayout<tlsmem_trace_info>.size
        unsafe info.sent = report.origin.isSent ? 1 : 0
        unsafe info.version = report.origin.version
        unsafe info.content_type = report.origin.contentType
        unsafe info.handshake_type = -1
        unsafe info.name = Words.contentType(report.origin.contentType)
        unsafe info.bytes = bytes.baseAddress
        unsafe info.length = bytes.count
        unsafe info.lost = report.lost
        switch report.kind {
        case .record:
            unsafe info.kind = TLSMEM_TRACE_RECORD
            if bytes.count >= 5 { unsafe info.record_length = Int(bytes[3]) << 8 | Int(bytes[4]) }
        case .content:
            unsafe info.kind = TLSMEM_TRACE_CONTENT
        case .message, .secret, .session, .lostSession:
            unsafe info.kind = TLSMEM_TRACE_MESSAGE
            unsafe name(&info, bytes)
        }
        unsafe listeners.trace?(handle, &info, listeners.traceUser)
    }

    private func tellSession(_ report: Report, of handle: OpaquePointer) {
        guard let session = report.sessionEntry, let callbacks = listeners.sessions else { return }
        var entry = unsafe tlsmem_session_entry(session.id, isTLS13: session.isTLS13)
        unsafe entry.bytes = session.der.isEmpty ? nil : session.der.baseAddress
        unsafe entry.length = session.der.count
        unsafe entry.expires = session.expires
        let tell = unsafe report.kind == .session ? callbacks.on_new : callbacks.on_remove
        unsafe tell?(handle, &entry, listeners.sessionsUser)
    }

    /// Names a message by what it begins with.
    private func name(_ info: inout tlsmem_trace_info, _ bytes: UnsafeRawBufferPointer) {
        if unsafe info.content_type == 22, let type = unsafe bytes.first {
            unsafe info.handshake_type = CInt(type)
            unsafe info.name = Words.handshakeType(type)
        } else if unsafe info.content_type == 21, bytes.count == 2 {
            unsafe info.name = Words.alert(bytes[1])
        }
    }
}

extension Connection {
    /// From now on those are told whom another context names. False without memory.
    func listen(by listeners: ReportListeners) -> Bool {
        guard let reporter = engine.ask({ $0.collected(Reporter.self) }) else { return listeners.collect(from: engine) }
        reporter.listeners = listeners
        return true
    }

    /// Tells the program what has been reported since the last time, in order; it may do anything then. False when there
    /// was nothing. Asked for only where something is collected (`Engine.collects`).
    @inline(never)
    func tellReports() -> Bool {
        guard !isFreed, !isBeingAccepted, let reporter = engine.ask({ $0.collected(Reporter.self) }), !reporter.isEmpty
        else { return false }
        while !isFreed, let report = reporter.take() { unsafe reporter.tell(report, of: handle) }
        return true
    }
}

extension tlsmem_session_entry {
    /// With nothing but an id in it.
    init(_ id: UnsafeRawBufferPointer, isTLS13: Bool) {
        unsafe self.init()
        unsafe size = MemoryLayout<tlsmem_session_entry>.size
        unsafe self.id = id.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe id_length = id.count
        unsafe once = isTLS13 ? 1 : 0
    }
}
