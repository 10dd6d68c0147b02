internal import COpenSSL
internal import Synchronization

/// A signature that is asked of whoever holds the key.
@safe package struct SignatureRequest {
    /// By its number in TLS (RFC 8446, 4.2.3).
    package let scheme: SignatureScheme
    /// "RSA", "EC", "ED25519", "ED448".
    package let keyType: StaticString
    /// The SHA-256 of the SubjectPublicKeyInfo.
    package let keyName: [UInt8]
    package let message: [UInt8]
    /// OpenSSL's name of the hash, "SHA256"; nil where the message itself is signed.
    package let hash: UnsafePointer<CChar>?
    /// The hash of the message that is signed in the end; empty where the message itself is.
    package let digest: [UInt8]
    /// Bytes of the longest answer.
    package let signatureMax: Int
}

/// One operation: in OpenSSL's eyes a signature, and in truth a verification by the public key, which understands every
/// parameter that there is, and sees whether the answer is right.
@safe private final class RemoteSignature {
    let check: OpaquePointer
    /// Of `check`.
    var parameters: OpaquePointer?
    var key: RemoteKey?

    init?() {
        guard let check = unsafe EVP_MD_CTX_new() else { return nil }
        unsafe self.check = check
    }

    deinit {
        unsafe EVP_MD_CTX_free(check)
    }

    func start(_ key: RemoteKey?, _ hash: UnsafePointer<CChar>?, _ given: UnsafePointer<OSSL_PARAM>?) -> Bool {
        guard let key = key ?? self.key, unsafe EVP_MD_CTX_reset(check) == 1 else { return false }
        self.key = key
        unsafe parameters = nil
        return unsafe EVP_DigestVerifyInit_ex(check, &parameters, hash, nil, nil, key.publicKey, given) == 1
            && scheme != nil
    }

    /// What it is called in TLS; nil for what TLS does not have.
    var scheme: SignatureScheme? {
        guard let key else { return nil }
        var padding = CInt(0)
        if key.type == .rsa, unsafe EVP_PKEY_CTX_get_rsa_padding(parameters, &padding) <= 0 { return nil }
        let type = padding == RSA_PKCS1_PSS_PADDING ? NID_rsassaPss : key.type.number
        return unsafe SignatureScheme.of(type, hash, key.publicKey)
    }

    /// A number of OpenSSL's; NID_undef where the message itself is signed.
    private var hash: CInt { unsafe EVP_MD_CTX_get0_md(check) == nil ? NID_undef : copenssl_hash(check) }

    private func digest(_ message: UnsafeRawBufferPointer) -> [UInt8]? {
        guard let method = unsafe EVP_MD_CTX_get0_md(check), hash != NID_undef else { return [] }
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count = UInt32(0)
        guard unsafe EVP_Digest(message.baseAddress, message.count, &digest, &count, method, nil) == 1
        else { return nil }
        return Array(digest.prefix(Int(count)))
    }

    /// Returns when the program has answered. Nil, with the reason in the queue, when it has not signed.
    func sign(_ message: UnsafeRawBufferPointer) -> SecretBytes? {
        guard let key, let scheme else { return nil }
        guard let inquiry = Inquiry.running else { return Unsigned.nobodyToAsk.raise() }
        guard let digest = unsafe digest(message) else { return nil }
        let request = unsafe SignatureRequest(
            scheme: scheme, keyType: key.type.name, keyName: key.name, message: Array(message),
            hash: hash == NID_undef ? nil : OBJ_nid2sn(hash), digest: digest, signatureMax: key.signatureMax)
        guard let answer = inquiry.askForSignature(request) else { return Unsigned.refused.raise() }
        guard let signature = answer.bytes, signature.count <= key.signatureMax else { return Unsigned.tooLong.raise() }
        return unsafe isGood(signature.bytes, message) ? signature : Unsigned.wrong.raise()
    }

    /// A wrong one of RSA would give the key away (RFC 8446 has no more to say than that it must not be sent), and to verify
    /// one costs little. With others that costs more than to sign: they are verified until one was good, so that a holder
    /// with another key is found out; the peer verifies each.
    private func isGood(_ signature: UnsafeRawBufferPointer, _ message: UnsafeRawBufferPointer) -> Bool {
        guard let key, key.type == .rsa || !key.isProven.load(ordering: .relaxed) else { return true }
        let text = unsafe message.baseAddress?.assumingMemoryBound(to: UInt8.self)
        let start = unsafe signature.baseAddress?.assumingMemoryBound(to: UInt8.self)
        let good = unsafe EVP_DigestVerify(check, start, signature.count, text, message.count) == 1
        ERR_clear_error()
        if good { key.isProven.store(true, ordering: .relaxed) }
        return good
    }
}

// MARK: What OpenSSL calls (provider-signature(7))

func signatureFunctions() -> UnsafePointer<OSSL_DISPATCH> {
    unsafe dispatch([
        (OSSL_FUNC_SIGNATURE_NEWCTX, function(newSignature)),
        (OSSL_FUNC_SIGNATURE_FREECTX, function(freeSignature)),
        (OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, function(startSignature)),
        (OSSL_FUNC_SIGNATURE_DIGEST_SIGN, function(makeSignature)),
        (OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, function(setParameters)),
        (OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, function(tellParameters)),
    ])
}

private typealias Pointer = UnsafeMutableRawPointer
private typealias Text = UnsafePointer<CChar>

private func signature(_ pointer: Pointer?) -> RemoteSignature? {
    unsafe pointer.map { unsafe Unmanaged<RemoteSignature>.fromOpaque($0).takeUnretainedValue() }
}

private let newSignature: @convention(c) (Pointer?, Text?) -> Pointer? = { _, _ in
    unsafe RemoteSignature().map { unsafe Unmanaged.passRetained($0).toOpaque() }
}

private let freeSignature: @convention(c) (Pointer?) -> Void = { pointer in
    guard let pointer = unsafe pointer else { return }
    unsafe Unmanaged<RemoteSignature>.fromOpaque(pointer).release()
}

private let startSignature: @convention(c) (Pointer?, Text?, Pointer?, UnsafePointer<OSSL_PARAM>?) -> CInt = {
    pointer, hash, key, given in
    unsafe signature(pointer)?.start(remoteKey(key), hash, given) == true ? 1 : 0
}

/// Without room for it only its length is wanted.
private let makeSignature:
    @convention(c) (Pointer?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<Int>?, Int, UnsafePointer<UInt8>?, Int)
        -> CInt =
        { pointer, target, count, room, message, messageCount in
            guard let signature = unsafe signature(pointer), let count = unsafe count else { return 0 }
            guard let target = unsafe target else {
                unsafe count.pointee = signature.key?.signatureMax ?? 0
                return 1
            }
            guard let signed = unsafe signature.sign(UnsafeRawBufferPointer(start: message, count: messageCount)),
                signed.count <= room
            else { return 0 }
            unsafe UnsafeMutableRawBufferPointer(start: target, count: room).copyMemory(from: signed.bytes)
            unsafe count.pointee = signed.count
            return 1
        }

private let setParameters: @convention(c) (Pointer?, UnsafePointer<OSSL_PARAM>?) -> CInt = { pointer, given in
    unsafe EVP_PKEY_CTX_set_params(signature(pointer)?.parameters, given)
}

private let tellParameters: @convention(c) (Pointer?, Pointer?) -> UnsafePointer<OSSL_PARAM>? = { _, _ in
    unsafe copenssl_params_of_signatures()
}
