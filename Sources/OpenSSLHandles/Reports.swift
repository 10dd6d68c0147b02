internal import COpenSSL

/// What OpenSSL's callbacks have reported of one connection and its program was not told yet, in order: no user code ever
/// runs inside OpenSSL. It hangs on the SSL, which holds it; whoever collects makes a class of it that knows whom to tell.
@safe open class Reports {
    package static let countMax = 4096
    package static let bytesMax = 1 << 20

    package final var wantsSecrets: Bool
    package final var wantsMessages: Bool
    package final var wantsSessions: Bool
    private var waiting: [Report?] = []
    private var first = 0
    private var bytes = 0
    /// How many were not kept since the last one that was: messages, and secrets.
    private var lostMessages = 0
    private var lostSecrets = 0

    package init(wantsSecrets: Bool, wantsMessages: Bool, wantsSessions: Bool = false) {
        (self.wantsSecrets, self.wantsMessages) = (wantsSecrets, wantsMessages)
        self.wantsSessions = wantsSessions
    }

    package var isEmpty: Bool { first == waiting.count }

    /// Takes the oldest one.
    package func take() -> Report? {
        guard first < waiting.count, let report = waiting[first] else { return nil }
        waiting[first] = nil
        first &+= 1
        bytes &-= report.count
        if first == waiting.count { (waiting, first) = ([], 0) }
        return report
    }

    /// Keeps a secret, a message or a session; beyond the limits and without memory it is only counted.
    final func add(_ kind: Report.Kind, _ origin: Report.Origin, _ content: UnsafeRawBufferPointer) {
        let lost = kind == .secret ? lostSecrets : lostMessages
        let hasRoom = waiting.count &- first < Self.countMax && content.count <= Self.bytesMax &- bytes
        let report = hasRoom ? unsafe Report.of(kind, origin, content, lost: lost) : nil
        let nowLost = report == nil ? lost &+ 1 : 0
        if kind == .secret { lostSecrets = nowLost } else { lostMessages = nowLost }
        guard let report else { return }
        waiting.append(report)
        bytes &+= report.count
    }
}

/// One line of the key log, one piece of the trace, or a session; wiped when it goes.
@safe package final class Report {
    package enum Kind { case secret, record, content, message, session, lostSession }

    /// Where it comes from; of no interest for a secret.
    package struct Origin {
        package var isSent = false
        package var version: CInt = 0
        package var contentType: CInt = 0
    }

    package let kind: Kind
    package let origin: Origin
    /// So many of its kind were not kept just before it.
    package let lost: Int
    package let count: Int
    private let memory: UnsafeMutableRawPointer

    private init(_ kind: Kind, _ origin: Origin, _ memory: UnsafeMutableRawPointer, _ count: Int, lost: Int) {
        unsafe self.memory = memory
        (self.kind, self.origin, self.lost, self.count) = (kind, origin, lost, count)
    }

    /// Copies the bytes, with a NUL behind them. Nil without memory.
    fileprivate static func of(
        _ kind: Kind, _ origin: Origin, _ content: UnsafeRawBufferPointer, lost: Int
    ) -> Report? {
        guard let memory = unsafe copenssl_malloc(content.count &+ 1) else { return nil }
        unsafe UnsafeMutableRawBufferPointer(start: memory, count: content.count).copyMemory(from: content)
        unsafe memory.storeBytes(of: 0, toByteOffset: content.count, as: UInt8.self)
        return unsafe Report(kind, origin, memory, content.count, lost: lost)
    }

    deinit {
        unsafe copenssl_clear_free(memory, count &+ 1)
    }

    /// Valid as long as this.
    package var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: memory, count: count) }
}
