internal import CTLSMem
internal import OpenSSLHandles
internal import TLSEngine

/// What a handshake asks about who we are.
extension Connection {
    // MARK: A signature

    func askForSignature(_ token: UInt64) -> CInt {
        let chosen = engine.ask { $0.identityHolder }.map { unsafe unsafeDowncast($0, to: Context.self) }
        guard let asked = unsafe (chosen ?? context).onSign,
            let wanted = engine.ask({ $0.signatureRequest })
        else { return TLSMEM_ESIGN.code }
        var request = unsafe tlsmem_sign_request()
        unsafe request.size = unsafe MemoryLayout<tlsmem_sign_request>.size
        unsafe request.key_type = cString(wanted.keyType)
        unsafe request.scheme = CInt(wanted.scheme.id)
        unsafe request.scheme_name = cString(wanted.scheme.name)
        unsafe request.message_bytes = wanted.message.count
        unsafe request.hash = wanted.hash
        unsafe request.digest_bytes = wanted.digest.count
        unsafe request.signature_max = wanted.signatureMax
        unsafe request.token = token
        return unsafe wanted.keyName.withUnsafeBufferPointer { name in
            unsafe wanted.message.withUnsafeBufferPointer { message in
                unsafe wanted.digest.withUnsafeBufferPointer { digest in
                    unsafe request.key_sha256 = name.baseAddress
                    unsafe request.message = UnsafeRawPointer(message.baseAddress)
                    unsafe request.digest = digest.isEmpty ? nil : digest.baseAddress
                    return unsafe asked.callback(handle, &request, asked.user)
                }
            }
        }
    }

    // MARK: A client's certificate

    func askAboutCertificate(_ token: UInt64) -> CInt {
        guard let asked = unsafe context.onCertificate, let wanted = engine.ask({ $0.certificateRequest })
        else { return TLSMEM_ENOIDENTITY.code }
        var request = unsafe tlsmem_cert_request()
        unsafe request.size = unsafe MemoryLayout<tlsmem_cert_request>.size
        unsafe request.authorities_bytes = wanted.authorities.count
        unsafe request.schemes_bytes = wanted.schemes.count
        unsafe request.token = token
        return unsafe wanted.authorities.withUnsafeBufferPointer { authorities in
            unsafe wanted.schemes.withUnsafeBufferPointer { schemes in
                unsafe request.authorities = authorities.isEmpty ? nil : authorities.baseAddress
                unsafe request.schemes = schemes.isEmpty ? nil : schemes.baseAddress
                return unsafe asked.callback(handle, &request, asked.user)
            }
        }
    }

    /// Who it is, by another context, or nobody.
    func identity(_ reply: Reply) -> Answer {
        var answer = Answer(reply.status)
        guard reply.status == TLSMEM_OK.code, let other = reply.context?.current else { return answer }
        guard other.openSSL.role == .client, other.freeze() else { return Answer(TLSMEM_EINVAL.code) }
        (answer.identity, answer.identityHolder) = (other.openSSL, other)
        return answer
    }
}
