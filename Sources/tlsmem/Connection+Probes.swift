internal import CLinux
internal import CTLSMem
internal import OpenSSLHandles
internal import TLSEngine

/// The places at which a debugger or a tracer may watch a connection. Nobody pays for them who does not watch: what they show
/// is at hand anyway.
extension Connection {
    func probeBegin() {
        unsafe clinux_probe_handshake_begin(
            UnsafeRawPointer(handle), engine.ask { unsafe $0.native },
            CInt((engine.role == .client ? TLSMEM_CLIENT : TLSMEM_SERVER).rawValue), socket)
    }

    /// `milliseconds` is -1 when it was closed meanwhile.
    func probeEstablished(_ milliseconds: Int64) {
        unsafe clinux_probe_handshake_end(UnsafeRawPointer(handle), TLSMEM_OK.code, milliseconds)
    }

    func probeEnd(_ status: tlsmem_status) {
        if !wasEstablished {
            unsafe clinux_probe_handshake_end(UnsafeRawPointer(handle), status.code, -1)
        }
        unsafe clinux_probe_close(UnsafeRawPointer(handle), status.code, ciphertextReceived, engine.outgoing.taken)
    }

    /// It fails because of one.
    func probeLimit(of failure: Failure?) {
        switch failure?.engine?.kind {
        case .controlLimit: probeLimit("control_max")
        case .updateLimit: probeLimit("update_rate")
        case .messageLimit: probeLimit("cert_list_max")
        default: break
        }
    }

    /// A limit or a deadline is reached, by its name in tlsmem_limits.
    @inline(never)
    func probeLimit(_ name: StaticString) {
        unsafe clinux_probe_limit(UnsafeRawPointer(handle), cString(name))
    }
}
