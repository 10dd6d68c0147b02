internal import COpenSSL

/// What OpenSSL manages keys that are held elsewhere by (provider-keymgmt(7)).
func keyFunctions(_ type: RemoteKeyType) -> UnsafePointer<OSSL_DISPATCH> {
    unsafe dispatch([
        (OSSL_FUNC_KEYMGMT_NEW, function(maker(type))),
        (OSSL_FUNC_KEYMGMT_FREE, function(freeKey)),
        (OSSL_FUNC_KEYMGMT_HAS, function(hasPart)),
        (OSSL_FUNC_KEYMGMT_MATCH, function(areEqual)),
        (OSSL_FUNC_KEYMGMT_IMPORT, function(importKey)),
        (OSSL_FUNC_KEYMGMT_IMPORT_TYPES, function(tellParts)),
        (OSSL_FUNC_KEYMGMT_EXPORT, function(exportKey)),
        (OSSL_FUNC_KEYMGMT_EXPORT_TYPES, function(tellParts)),
        (OSSL_FUNC_KEYMGMT_GET_PARAMS, function(getParameters)),
        (OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, function(tellParameters)),
        (OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, function(type == .ec ? nameECDSA : nameSame)),
    ])
}

/// The key behind a pointer that OpenSSL has kept for us.
func remoteKey(_ pointer: UnsafeMutableRawPointer?) -> RemoteKey? {
    unsafe pointer.map { unsafe Unmanaged<RemoteKey>.fromOpaque($0).takeUnretainedValue() }
}

private typealias Pointer = UnsafeMutableRawPointer
private typealias Make = @convention(c) (Pointer?) -> Pointer?

/// A function of C's carries nothing with it, so there is one for each type.
private func maker(_ type: RemoteKeyType) -> Make {
    switch type {
    case .rsa: { _ in unsafe fresh(.rsa) }
    case .ec: { _ in unsafe fresh(.ec) }
    case .ed25519: { _ in unsafe fresh(.ed25519) }
    case .ed448: { _ in unsafe fresh(.ed448) }
    }
}

private func fresh(_ type: RemoteKeyType) -> Pointer {
    unsafe Unmanaged.passRetained(RemoteKey(type)).toOpaque()
}

private let freeKey: @convention(c) (Pointer?) -> Void = { key in
    guard let key = unsafe key else { return }
    unsafe Unmanaged<RemoteKey>.fromOpaque(key).release()
}

/// It passes for a whole one: somebody has the private part.
private let hasPart: @convention(c) (UnsafeRawPointer?, CInt) -> CInt = { key, _ in
    unsafe remoteKey(Pointer(mutating: key))?.publicKey == nil ? 0 : 1
}

private let areEqual: @convention(c) (UnsafeRawPointer?, UnsafeRawPointer?, CInt) -> CInt = { one, other, _ in
    guard let one = unsafe remoteKey(Pointer(mutating: one)), let other = unsafe remoteKey(Pointer(mutating: other))
    else { return 0 }
    return unsafe EVP_PKEY_eq(one.publicKey, other.publicKey) == 1 ? 1 : 0
}

private let importKey: @convention(c) (Pointer?, CInt, UnsafePointer<OSSL_PARAM>?) -> CInt = { key, _, parameters in
    unsafe remoteKey(key)?.take(parameters) == true ? 1 : 0
}

/// The private part is not ours to give.
private let exportKey:
    @convention(c) (Pointer?, CInt, (@convention(c) (UnsafePointer<OSSL_PARAM>?, Pointer?) -> CInt)?, Pointer?) -> CInt =
        { key, selection, take, target in
            guard selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY == 0, let key = unsafe remoteKey(key) else { return 0 }
            return unsafe EVP_PKEY_export(key.publicKey, selection, take, target)
        }

private let getParameters: @convention(c) (Pointer?, UnsafeMutablePointer<OSSL_PARAM>?) -> CInt = { key, parameters in
    guard let key = unsafe remoteKey(key) else { return 0 }
    return unsafe EVP_PKEY_get_params(key.publicKey, parameters)
}

/// Which signature belongs to it, where that is called differently.
private let nameECDSA: @convention(c) (CInt) -> UnsafePointer<CChar>? = { operation in
    unsafe operation == OSSL_OP_SIGNATURE ? cString("ECDSA") : nil
}
private let nameSame: @convention(c) (CInt) -> UnsafePointer<CChar>? = { _ in nil }

private let tellParts: @convention(c) (CInt) -> UnsafePointer<OSSL_PARAM>? = { _ in unsafe copenssl_params_of_parts() }
private let tellParameters: @convention(c) (Pointer?) -> UnsafePointer<OSSL_PARAM>? = { _ in
    unsafe copenssl_params_of_keys()
}
