internal import CLinux
internal import CTLSMem
internal import OpenSSLHandles
internal import Synchronization
internal import TLSEngine

/// A `tlsmem_ctx`: the configuration of many connections, and what its last refused setter has to say.
@safe final class Context: Configuration {
    var onClientHello: (callback: tlsmem_client_hello_cb, user: UnsafeMutableRawPointer?)?
    var onVerify: (callback: tlsmem_verify_cb, user: UnsafeMutableRawPointer?)?
    var onOCSP: (callback: tlsmem_ocsp_cb, user: UnsafeMutableRawPointer?)?
    var onTicketKey: (callback: tlsmem_ticket_key_cb, user: UnsafeMutableRawPointer?)?
    var onPSK: (callback: tlsmem_psk_cb, user: UnsafeMutableRawPointer?)?
    var onCertificate: (callback: tlsmem_client_cert_cb, user: UnsafeMutableRawPointer?)?
    var onSign: (callback: tlsmem_sign_cb, user: UnsafeMutableRawPointer?)?
    /// Whom its connections tell of secrets and of messages.
    private(set) var listeners = ReportListeners()
    private let isFrozen = Atomic<Bool>(false)
    /// Connections that have it.
    let live = Atomic<Int>(0)
    /// Which of those it is that have taken one another's place, and what they have in common: said when it is put in place.
    var generation = 1
    var generations: Generations { didSet { metrics = generations.metrics } }
    private(set) var metrics: Metrics
    /// What has taken its place; under the lock of `exclusively`.
    var successor: Context?
    let isReplaced = Atomic<Bool>(false)
    private var refusal: (status: tlsmem_status, reason: SettingRefused, subject: [CChar])?

    override init(_ context: OwnedContext) {
        let generations = Generations()
        (self.generations, metrics) = (generations, generations.metrics)
        super.init(context)
    }

    var openSSL: OwnedContext { context }

    /// Connections may have been made of it.
    var isInUse: Bool { isFrozen.load(ordering: .acquiring) }

    /// From the first connection on several threads may read the settings, so nobody writes them any more. False without
    /// memory.
    func freeze() -> Bool {
        if isFrozen.load(ordering: .acquiring) { return true }
        return openSSL.exclusively {
            if isFrozen.load(ordering: .relaxed) { return true }
            guard openSSL.bindSessions() else { return false }
            isFrozen.store(true, ordering: .releasing)
            return true
        }
    }

    /// Applies one setting; `subject` is what the sentence about a refusal begins with, a path or a list, unless one
    /// name of the list is to blame.
    func set(_ subject: UnsafePointer<CChar>?, _ setting: (OwnedContext) throws(SettingRefused) -> Void) -> CInt {
        guard !isFrozen.load(ordering: .relaxed) else { return TLSMEM_ESTATE.code }
        return unsafe renew(subject, setting)
    }

    /// The same for what may change while there are connections, in any thread. `setting` sees to the threads itself.
    func renew(_ subject: UnsafePointer<CChar>?, _ setting: (OwnedContext) throws(SettingRefused) -> Void) -> CInt {
        do {
            try setting(current.openSSL)
            return TLSMEM_OK.code
        } catch {
            let ofOthers = error.cause.isOutOfMemory ? TLSMEM_ENOMEM : TLSMEM_ECONFIG
            let status = error.isArgument ? TLSMEM_EINVAL : ofOthers
            let whole = unsafe subject.map { unsafe Array(UnsafeBufferPointer(start: $0, count: strlen($0) &+ 1)) }
            let refusal = (status, error, error.subject ?? whole ?? [0])
            _ = openSSL.exclusively {
                self.refusal = refusal
                return true
            }
            return status.code
        }
    }

    /// What the last refused setter had to say, whichever thread called it.
    private var lastRefusal: (status: tlsmem_status, reason: SettingRefused, subject: [CChar])? {
        var last: (status: tlsmem_status, reason: SettingRefused, subject: [CChar])?
        _ = openSSL.exclusively {
            last = refusal
            return true
        }
        return last
    }

    /// Changes whom its connections tell.
    func listen(_ change: (OwnedContext, inout ReportListeners) throws(SettingRefused) -> Void) -> CInt {
        unsafe set(nil) { (openSSL) throws(SettingRefused) in
            try change(openSSL, &listeners)
            collects = !listeners.isEmpty
            if unsafe listeners.keylog != nil { openSSL.collectSecrets() }
        }
    }

    func fill(_ info: inout tlsmem_error_info) {
        guard let refusal = lastRefusal else { return }
        info.status = refusal.status.code
        info.openssl_code = refusal.reason.cause.code
        info.sys_errno = refusal.reason.cause.errno
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
