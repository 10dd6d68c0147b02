public import CTLSMem
internal import OpenSSLHandles

/// What certificates and keys of our own have at most.
private var bytesMax: Int { PEMSource.identityBytesMax }

@implementation @_cdecl("tlsmem_ctx_set_cert_file")
public func tlsmem_ctx_set_cert_file(_ ctx: OpaquePointer!, _ path: UnsafePointer<CChar>!) -> CInt {
    unsafe set(ctx, file: path, bytesMax: bytesMax, OwnedContext.setCertificate)
}

@implementation @_cdecl("tlsmem_ctx_set_cert_mem")
public func tlsmem_ctx_set_cert_mem(_ ctx: OpaquePointer!, _ bytes: UnsafeRawPointer!, _ n: Int) -> CInt {
    unsafe set(ctx, bytes, n, bytesMax: bytesMax, OwnedContext.setCertificate)
}

@implementation @_cdecl("tlsmem_ctx_set_key_file")
public func tlsmem_ctx_set_key_file(_ ctx: OpaquePointer!, _ path: UnsafePointer<CChar>!) -> CInt {
    unsafe set(ctx, file: path, bytesMax: bytesMax, OwnedContext.setKey)
}

@implementation @_cdecl("tlsmem_ctx_set_key_mem")
public func tlsmem_ctx_set_key_mem(_ ctx: OpaquePointer!, _ bytes: UnsafeRawPointer!, _ n: Int) -> CInt {
    unsafe set(ctx, bytes, n, bytesMax: bytesMax, OwnedContext.setKey)
}

@implementation @_cdecl("tlsmem_ctx_set_password_cb")
public func tlsmem_ctx_set_password_cb(
    _ ctx: OpaquePointer!, _ cb: tlsmem_password_cb!, _ user: UnsafeMutableRawPointer!
) -> CInt {
    let question: OwnedContext.PasswordQuestion? = unsafe cb.map { cb in
        { unsafe cb($0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count, $1, user) }
    }
    return unsafe set(ctx) { unsafe $0.setPasswordQuestion(question) }
}

@implementation @_cdecl("tlsmem_ctx_set_pkcs12")
public func tlsmem_ctx_set_pkcs12(
    _ ctx: OpaquePointer!, _ path: UnsafePointer<CChar>!, _ password: UnsafePointer<CChar>!
) -> CInt {
    guard let path = unsafe path else { return TLSMEM_EINVAL.code }
    return unsafe set(ctx, path) { (openSSL) throws(SettingRefused) in
        try unsafe openSSL.setPKCS12(PEMSource(path: path, bytesMax: bytesMax), password: password)
    }
}

@implementation @_cdecl("tlsmem_ctx_set_pkcs12_mem")
public func tlsmem_ctx_set_pkcs12_mem(
    _ ctx: OpaquePointer!, _ der: UnsafeRawPointer!, _ n: Int, _ password: UnsafePointer<CChar>!
) -> CInt {
    guard let bytes = unsafe input(der, n) else { return TLSMEM_EINVAL.code }
    return unsafe set(ctx) { (openSSL) throws(SettingRefused) in
        try unsafe openSSL.setPKCS12(PEMSource(bytes, bytesMax: bytesMax), password: password)
    }
}

@implementation @_cdecl("tlsmem_ctx_add_keypair")
public func tlsmem_ctx_add_keypair(
    _ ctx: OpaquePointer!, _ name: UnsafePointer<CChar>!, _ cert_path: UnsafePointer<CChar>!,
    _ key_path: UnsafePointer<CChar>!
) -> CInt {
    guard let cert = unsafe cert_path else { return TLSMEM_EINVAL.code }
    return unsafe add(ctx, name) { (openSSL, name) throws(SettingRefused) in
        guard let key = unsafe key_path else {
            try expectSigner(openSSL)
            return try unsafe openSSL.addRemote(for: name, PEMSource(path: cert, bytesMax: bytesMax))
        }
        try unsafe openSSL.addPair(
            for: name, PEMSource(path: cert, bytesMax: bytesMax), PEMSource(path: key, bytesMax: bytesMax))
    }
}

@implementation @_cdecl("tlsmem_ctx_add_keypair_mem")
public func tlsmem_ctx_add_keypair_mem(
    _ ctx: OpaquePointer!, _ name: UnsafePointer<CChar>!, _ cert: UnsafeRawPointer!, _ cert_n: Int,
    _ key: UnsafeRawPointer!, _ key_n: Int
) -> CInt {
    guard let cert = unsafe input(cert, cert_n), let keyBytes = unsafe input(key, key_n) else {
        return TLSMEM_EINVAL.code
    }
    return unsafe add(ctx, name) { (openSSL, name) throws(SettingRefused) in
        guard unsafe key != nil else {
            try expectSigner(openSSL)
            return try unsafe openSSL.addRemote(for: name, PEMSource(cert, bytesMax: bytesMax))
        }
        try unsafe openSSL.addPair(
            for: name, PEMSource(cert, bytesMax: bytesMax), PEMSource(keyBytes, bytesMax: bytesMax))
    }
}

@implementation @_cdecl("tlsmem_ctx_set_sni_strict")
public func tlsmem_ctx_set_sni_strict(_ ctx: OpaquePointer!, _ strict: CInt) -> CInt {
    unsafe set(ctx) { (openSSL) throws(SettingRefused) in
        try expectServer(openSSL, "strict", "only a server is asked for a name")
        openSSL.setRefusesOtherNames(strict != 0)
    }
}

/// Adds a pair. Only servers are asked for a name; what is none is refused as it stands.
private func add(
    _ ctx: OpaquePointer?, _ name: UnsafePointer<CChar>?, caller: StaticString = #function,
    _ setting: (OwnedContext, UnsafePointer<CChar>?) throws(SettingRefused) -> Void
) -> CInt {
    guard let name = unsafe name else {
        return unsafe set(ctx, caller: caller) { (openSSL) throws(SettingRefused) in try setting(openSSL, nil) }
    }
    return unsafe InternationalName.withASCII(name) { ascii in
        unsafe set(ctx, name, caller: caller) { (openSSL) throws(SettingRefused) in
            try expectServer(openSSL, "name", "only a server is asked for a name")
            try unsafe setting(openSSL, ascii ?? name)
        }
    }
}

private func expectSigner(_ openSSL: OwnedContext) throws(SettingRefused) {
    guard openSSL.asksForSignatures else {
        throw SettingRefused(argument: "key", "without one somebody has to sign: tlsmem_ctx_set_sign_cb comes first")
    }
}
