public import CTLSMem
internal import CLinux
internal import OpenSSLHandles
internal import TLSEngine

@implementation @_cdecl("tlsmem_export_keying_material")
public func tlsmem_export_keying_material(
    _ c: OpaquePointer!, _ label: UnsafePointer<CChar>!, _ context: UnsafeRawPointer!, _ context_n: Int,
    _ bytes: UnsafeMutableRawPointer!, _ n: Int
) -> CInt {
    guard let connection = unsafe connection(c), let label = unsafe label,
        let context = unsafe input(context, context_n), unsafe bytes != nil, (1...exportedMost).contains(n)
    else { return TLSMEM_EINVAL.code }
    return unsafe connection.export(
        UnsafeRawBufferPointer(start: label, count: strlen(label)), context,
        to: UnsafeMutableRawBufferPointer(start: bytes, count: n)
    ).code
}

@implementation @_cdecl("tlsmem_channel_binding")
public func tlsmem_channel_binding(
    _ c: OpaquePointer!, _ type: tlsmem_binding, _ bytes: UnsafeMutableRawPointer!, _ n: Int
) -> Int {
    guard let connection = unsafe connection(c), unsafe input(bytes, n) != nil, let type = ChannelBinding(type)
    else { return TLSMEM_EINVAL.count }
    return unsafe connection.bind(type, to: UnsafeMutableRawBufferPointer(start: bytes, count: n))
}

/// What HKDF makes with the shortest hash that TLS has (RFC 5869, 2.3).
private var exportedMost: Int { 255 * 32 }

extension Connection {
    /// There are secrets, and not two handshakes' at once: a renegotiation of TLS 1.2 changes them on its way.
    private var hasSecrets: Bool { wasEstablished && engine.ask { $0.isTLS13 || !$0.isInHandshake } }

    /// A renegotiation may come, and bring others: then there is no tls-exporter (RFC 9266, 4).
    private var mayChangeSecrets: Bool {
        engine.configuration.context.allowsRenegotiation && engine.ask { !$0.isTLS13 }
    }

    fileprivate func export(
        _ label: UnsafeRawBufferPointer, _ context: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer
    ) -> tlsmem_status {
        // RFC 8446, 7.1: the label stands behind one byte that is its length, and "tls13 ". OpenSSL's PRF of TLS 1.2 takes 1024
        // bytes in all: label, context and its length, and both sides' random numbers.
        guard (1...249).contains(label.count), context.count <= 512 else { return TLSMEM_EINVAL }
        guard hasSecrets else { return TLSMEM_AGAIN }
        return engine.ask { ssl in
            guard ssl.hasOwnSecrets else { return TLSMEM_ESTATE }
            do throws(OpenSSLError) {
                try unsafe ssl.export(label, context, to: target)
                return TLSMEM_OK
            } catch {
                return error.reason == Reason.labelIsTaken ? TLSMEM_EINVAL : error.statusOfCall
            }
        }
    }

    fileprivate func bind(_ type: ChannelBinding, to target: UnsafeMutableRawBufferPointer) -> Int {
        guard hasSecrets else { return TLSMEM_AGAIN.count }
        if case .exporter = type, mayChangeSecrets { return TLSMEM_ESTATE.count }
        return engine.ask { ssl in
            do throws(OpenSSLError) {
                guard let bytes = try ssl.channelBinding(type, offered: session) else { return TLSMEM_ESTATE.count }
                if target.count >= bytes.count { unsafe target.copyBytes(from: bytes) }
                return bytes.count
            } catch {
                return error.statusOfCall.count
            }
        }
    }
}

extension OpenSSLError {
    /// It is the call's, and not the connection's.
    fileprivate var statusOfCall: tlsmem_status { isOutOfMemory ? TLSMEM_ENOMEM : TLSMEM_EINTERNAL }
}

extension ChannelBinding {
    fileprivate init?(_ type: tlsmem_binding) {
        switch type {
        case TLSMEM_BINDING_EXPORTER: self = .exporter
        case TLSMEM_BINDING_SERVER_END_POINT: self = .serverEndPoint
        case TLSMEM_BINDING_UNIQUE: self = .unique
        default: return nil
        }
    }
}
