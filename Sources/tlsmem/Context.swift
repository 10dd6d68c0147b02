internal import CLinux
internal import CTLSMem
internal import OpenSSLHandles
internal import Synchronization
internal import TLSEngine

/// A `tlsmem_ctx`: the configuration of many connections, and what its last refused setter has to say.
final class Context {
    let configuration: Configuration
    /// Whom its connections tell of secrets and of messages.
    private(set) var listeners = ReportListeners()
    private let isFrozen = Atomic<Bool>(false)
    private var refusal: (status: tlsmem_status, reason: SettingRefused, subject: [CChar])?

    init(_ context: OwnedContext) {
        configuration = Configuration(context)
    }

    var openSSL: OwnedContext { configuration.context }

    /// From the first connection on several threads may read the settings, so nobody writes them any more.
    func freeze() {
        isFrozen.store(true, ordering: .relaxed)
    }

    /// Applies one setting; `subject` is what the sentence about a refusal begins with, a path or a list.
    func set(_ subject: UnsafePointer<CChar>?, _ setting: (OwnedContext) throws(SettingRefused) -> Void) -> CInt {
        guard !isFrozen.load(ordering: .relaxed) else { return TLSMEM_ESTATE.code }
        do {
            try setting(openSSL)
            return TLSMEM_OK.code
        } catch {
            let status = error.cause.isOutOfMemory ? TLSMEM_ENOMEM : TLSMEM_ECONFIG
            let name = unsafe subject.map { unsafe Array(UnsafeBufferPointer(start: $0, count: strlen($0) + 1)) }
            refusal = (status, error, name ?? [0])
            return status.code
        }
    }

    /// Changes whom its connections tell.
    func listen(_ change: (inout ReportListeners) -> Void) -> CInt {
        unsafe set(nil) { openSSL in
            change(&listeners)
            configuration.collects = unsafe listeners.keylog != nil || listeners.trace != nil
            if unsafe listeners.keylog != nil { openSSL.collectSecrets() }
        }
    }

    func setLimits(_ limits: tlsmem_limits) -> CInt {
        let isSensible =
            limits.outgoing_max >= 32768 && limits.outgoing_low < limits.outgoing_max && limits.incoming_max > 0
            && limits.wake_max > 0 && limits.control_max > 0
            && max(limits.outgoing_max, limits.incoming_max) <= UInt(Int32.max)
            && max(limits.control_max, max(limits.wake_max, limits.cert_list_max)) <= UInt(Int32.max)
        guard isSensible else { return TLSMEM_EINVAL.code }
        return unsafe set(nil) { context in
            configuration.limits = Limits(limits)
            context.setCertificateListMax(configuration.limits.certificateListMax)
            context.setKeepsBuffers(limits.buffers_ms > 0)
        }
    }

    func fill(_ info: inout tlsmem_error_info) {
        guard let refusal else { return }
        info.status = refusal.status.code
        info.openssl_code = refusal.reason.cause.code
        unsafe withUnsafeMutableBytes(of: &info.sentence) { target in
            var sentence = unsafe Sentence(target)
            if refusal.subject.count > 1 {
                unsafe sentence.append(refusal.subject)
                unsafe sentence.append(": ")
            }
            sentence.append(refusal.reason.sentence)
            if let text = refusal.reason.cause.text {
                unsafe sentence.append(": ")
                unsafe sentence.append(text)
            }
        }
    }
}

extension Limits {
    init(_ limits: tlsmem_limits) {
        self.init()
        outgoingMax = Int(clamping: limits.outgoing_max)
        outgoingLow = Int(clamping: limits.outgoing_low)
        incomingMax = Int(clamping: limits.incoming_max)
        controlMax = Int(clamping: limits.control_max)
        wakeMax = Int(clamping: limits.wake_max)
        certificateListMax = Int(clamping: limits.cert_list_max)
        updatesPerSecond = limits.update_rate
        updateBurst = limits.update_burst
        handshakeMilliseconds = limits.handshake_ms
        idleMilliseconds = limits.idle_ms
        closeMilliseconds = limits.close_ms
        readMilliseconds = limits.read_ms
        writeMilliseconds = limits.write_ms
        outgoingHigh = Int(clamping: limits.outgoing_high)
        incomingLow = Int(clamping: limits.incoming_low)
        bufferMilliseconds = limits.buffers_ms
    }
}
