internal import COpenSSL

/// Has OpenSSL's callbacks put what they see into reports, of those connections only whose program wants them.
extension OwnedSSL {
    /// From now on, and for as long as there is the SSL, which holds the reports. False without memory.
    package borrowing func collect(into reports: Reports) -> Bool {
        makeReportsSlot()
        let held = unsafe Unmanaged.passRetained(reports)
        guard unsafe SSL_set_ex_data(ssl, reportsSlot, held.toOpaque()) == 1 else {
            unsafe held.release()
            ERR_clear_error()
            return false
        }
        unsafe SSL_set_msg_callback(ssl, collectMessage)
        return true
    }

    /// What `collect` was given, which is of this class; nil without it.
    package borrowing func collected<Collector: Reports>(_: Collector.Type) -> Collector? {
        makeReportsSlot()
        guard let found = unsafe SSL_get_ex_data(ssl, reportsSlot) else { return nil }
        return unsafe Unmanaged<Collector>.fromOpaque(found).takeUnretainedValue()
    }
}

extension OwnedContext {
    /// Has the secrets of connections put into their reports, beside a file or instead of it.
    package func collectSecrets() {
        unsafe watchSecrets(ctx)
    }
}

/// The secrets of a connection, one line each.
func collectSecret(_ ssl: OpaquePointer?, _ line: UnsafePointer<CChar>) {
    guard let reports = unsafe reports(of: ssl), reports.wantsSecrets else { return }
    unsafe reports.add(.secret, Report.Origin(), UnsafeRawBufferPointer(start: line, count: strlen(line)))
}

/// As `noteMessage`, and collects; of records and of what is in them too.
private let collectMessage: MessageCallback = { isWrite, version, type, bytes, count, ssl, target in
    unsafe noteMessage(isWrite, version, type, bytes, count, ssl, target)
    let content = unsafe UnsafeRawBufferPointer(start: bytes, count: count)
    guard let reports = unsafe reports(of: ssl), reports.wantsMessages, let first = unsafe content.first
    else { return }
    var origin = Report.Origin(isSent: isWrite == 1, version: version, contentType: CInt(first))
    switch type {
    case SSL3_RT_HEADER:
        guard count >= SSL3_RT_HEADER_LENGTH else { return }
        origin.version = unsafe CInt(content[1]) << 8 | CInt(content[2])
        unsafe reports.add(.record, origin, content)
    case SSL3_RT_INNER_CONTENT_TYPE:
        unsafe reports.add(.content, origin, content)
    case SSL3_RT_CHANGE_CIPHER_SPEC, SSL3_RT_ALERT, SSL3_RT_HANDSHAKE:
        origin.contentType = type
        unsafe reports.add(.message, origin, content)
    default:
        break  // application data is nobody's business
    }
}

// MARK: The place of reports

/// Made when first needed: a number that frees what is in its place is looked at whenever any SSL is freed.
private nonisolated(unsafe) var reportsSlot: CInt = -1
private nonisolated(unsafe) var reportsOnce: CRYPTO_ONCE = 0

func makeReportsSlot() {
    _ = unsafe CRYPTO_THREAD_run_once(&reportsOnce) {
        unsafe reportsSlot = copenssl_ssl_index_freed { _, held, _, _, _, _ in
            guard let held = unsafe held else { return }
            unsafe Unmanaged<Reports>.fromOpaque(held).release()
        }
    }
}

func reports(of ssl: OpaquePointer?) -> Reports? {
    guard let ssl = unsafe ssl, let found = unsafe SSL_get_ex_data(ssl, reportsSlot) else { return nil }
    return unsafe Unmanaged<Reports>.fromOpaque(found).takeUnretainedValue()
}
