internal import COpenSSL

/// What ties something else to this one connection.
package enum ChannelBinding {
    /// RFC 9266.
    case exporter
    /// RFC 5929, 4.
    case serverEndPoint
    /// RFC 5929, 3.
    case unique
}

/// Secrets for others, of the connection's own (RFC 5705; RFC 8446, 7.5), and the bindings to it.
extension OwnedSSL {
    /// Nobody can have brought two connections to the same secrets: in TLS 1.2 only where they depend on the whole handshake
    /// (RFC 7627, 5.4).
    package var hasOwnSecrets: Bool { unsafe isTLS13 || copenssl_has_extended_master_secret(ssl) == 1 }

    /// In TLS 1.2 a context of no bytes (with an address) is another one than none.
    package borrowing func export(
        _ label: UnsafeRawBufferPointer, _ context: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer
    ) throws(OpenSSLError) {
        ERR_clear_error()
        let isMade = unsafe SSL_export_keying_material(
            ssl, target.baseAddress?.assumingMemoryBound(to: UInt8.self), target.count,
            label.baseAddress?.assumingMemoryBound(to: CChar.self), label.count,
            context.baseAddress?.assumingMemoryBound(to: UInt8.self), context.count, context.baseAddress == nil ? 0 : 1)
        guard isMade == 1 else { throw .drain() }
    }

    /// Nil where it is not defined. `offered` is the session that a client has offered.
    package borrowing func channelBinding(
        _ type: ChannelBinding, offered: Session?
    ) throws(OpenSSLError) -> [UInt8]? {
        switch type {
        case .exporter: return hasOwnSecrets ? try exporterBinding() : nil
        case .serverEndPoint: return try endPoint(offered)
        case .unique: return hasOwnSecrets && !isTLS13 ? unique : nil
        }
    }

    private borrowing func exporterBinding() throws(OpenSSLError) -> [UInt8] {
        let name: StaticString = "EXPORTER-Channel-Binding"
        let label = unsafe UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        let empty = unsafe UnsafeRawBufferPointer(rebasing: label[..<0])  // RFC 9266, 2: it is there, and empty
        var bytes = [UInt8](repeating: 0, count: 32)
        let failure = unsafe bytes.withUnsafeMutableBytes { target -> OpenSSLError? in
            do throws(OpenSSLError) {
                try unsafe export(label, empty, to: target)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// The hash of the server's certificate. A server does not know with which of its own a session was made.
    private borrowing func endPoint(_ offered: Session?) throws(OpenSSLError) -> [UInt8]? {
        guard unsafe SSL_is_server(ssl) == 1 else {
            return try peerCertificate(offered: offered).flatMap { (peer) throws(OpenSSLError) in
                try unsafe OpenSSLHandles.endPoint(peer.certificate)
            }
        }
        guard !isResumed, let own = unsafe SSL_get_certificate(ssl) else { return nil }
        return try unsafe OpenSSLHandles.endPoint(own)
    }

    /// The first Finished of the last handshake, which is the server's when a session was resumed.
    private var unique: [UInt8] {
        let isOurs = unsafe (SSL_is_server(ssl) == 1) == isResumed
        var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        let count =
            unsafe isOurs
            ? SSL_get_finished(ssl, &bytes, bytes.count) : SSL_get_peer_finished(ssl, &bytes, bytes.count)
        return [UInt8](bytes.prefix(count))
    }
}

/// RFC 5929, 4.1: by the hash of the certificate's signature, but by SHA-256 for MD5 and SHA-1; nil for a signature without one.
private func endPoint(_ certificate: OpaquePointer) throws(OpenSSLError) -> [UInt8]? {
    ERR_clear_error()
    var hash: CInt = NID_undef
    guard unsafe X509_get_signature_info(certificate, &hash, nil, nil, nil) == 1 else { return nil }
    if hash == NID_md5 || hash == NID_sha1 { hash = NID_sha256 }
    guard let digest = unsafe EVP_get_digestbyname(OBJ_nid2sn(hash)) else { return nil }
    var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var count: UInt32 = 0
    guard unsafe X509_digest(certificate, digest, &bytes, &count) == 1 else { throw .drain() }
    return [UInt8](bytes.prefix(Int(count)))
}
