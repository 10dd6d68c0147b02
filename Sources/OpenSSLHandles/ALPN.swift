internal import COpenSSL

/// What happens when two ends have no application protocol in common, or one of them speaks of none.
package enum ALPNPolicy {
    /// Nothing in common ends the handshake (RFC 7301, 3.2); who offers nothing is served.
    case strict
    /// The connection goes on without one.
    case lenient
    /// There is one, or no connection.
    case required
}

extension OwnedContext {
    /// Sets the application protocols from "h2,http/1.1"; "" for none.
    package func setALPN(_ list: UnsafePointer<CChar>) throws(SettingRefused) {
        var wire: [UInt8] = []
        if unsafe list.pointee != 0 {
            for name in unsafe names(in: list, separators: ",") {
                guard let length = UInt8(exactly: name.count), length > 0 else {
                    throw SettingRefused("an application protocol's name has 1 to 255 bytes")
                }
                wire.append(length)
                wire += name.map { UInt8(bitPattern: $0) }
            }
        }
        guard wire.count <= Int(UInt16.max) else { throw SettingRefused("the list of protocols is too long") }
        ERR_clear_error()
        guard let memory = unsafe copenssl_malloc(wire.count + 1) else { throw unsafe SettingRefused.outOfMemory() }
        if role == .client, unsafe SSL_CTX_set_alpn_protos(ctx, wire, UInt32(clamping: wire.count)) != 0 {
            unsafe copenssl_clear_free(memory, 0)
            throw SettingRefused("OpenSSL did not take the list of protocols", .drain())
        }
        unsafe copenssl_clear_free(alpn.baseAddress, 0)
        unsafe alpn = UnsafeMutableBufferPointer(start: memory.assumingMemoryBound(to: UInt8.self), count: wire.count)
        _ = unsafe alpn.initialize(from: wire)
        listenForHellos()
    }

    package func setALPNPolicy(_ policy: ALPNPolicy) {
        alpnPolicy = policy
        listenForHellos()
    }

    /// A connection without an application protocol is refused.
    package var requiresALPN: Bool { unsafe alpnPolicy == .required && !alpn.isEmpty }
}

/// Chooses the first of our protocols that is offered, and answers as OpenSSL's callback does.
func chooseProtocol(
    of ours: UnsafeMutableBufferPointer<UInt8>, _ policy: ALPNPolicy, offered: UnsafeBufferPointer<UInt8>,
    _ chosen: inout UnsafePointer<UInt8>?, _ length: inout UInt8
) -> CInt {
    var match: UnsafeMutablePointer<UInt8>?
    let outcome = unsafe SSL_select_next_proto(
        &match, &length, ours.baseAddress, UInt32(clamping: ours.count), offered.baseAddress,
        UInt32(clamping: offered.count))
    guard outcome == OPENSSL_NPN_NEGOTIATED else {
        return policy == .lenient ? SSL_TLSEXT_ERR_NOACK : SSL_TLSEXT_ERR_ALERT_FATAL
    }
    unsafe chosen = UnsafePointer(match)
    return SSL_TLSEXT_ERR_OK
}

let chooseALPN:
    @convention(c) (
        OpaquePointer?, UnsafeMutablePointer<UnsafePointer<UInt8>?>?, UnsafeMutablePointer<UInt8>?,
        UnsafePointer<UInt8>?, UInt32, UnsafeMutableRawPointer?
    ) -> CInt = { ssl, chosen, length, offered, count, context in
        guard let context = unsafe context, let chosen = unsafe chosen, let length = unsafe length else {
            return SSL_TLSEXT_ERR_ALERT_FATAL
        }
        let list = unsafe UnsafeBufferPointer(start: offered, count: Int(count))
        if let asked = unsafe inquiry(of: ssl)?.alpn, !asked.isEmpty {
            // The program has chosen. What is found points into the list that comes first, and `asked` does not stay.
            var match: UnsafeMutablePointer<UInt8>?
            let outcome = unsafe SSL_select_next_proto(
                &match, length, offered, count, asked, UInt32(clamping: asked.count))
            unsafe chosen.pointee = UnsafePointer(match)
            return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL
        }
        let ours = unsafe Unmanaged<OwnedContext>.fromOpaque(context).takeUnretainedValue()
        guard unsafe !ours.alpn.isEmpty else { return SSL_TLSEXT_ERR_NOACK }
        return unsafe chooseProtocol(of: ours.alpn, ours.alpnPolicy, offered: list, &chosen.pointee, &length.pointee)
    }
