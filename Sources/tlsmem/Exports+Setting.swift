internal import CTLSMem
internal import OpenSSLHandles

// What the setters of a context share.

func set(
    _ ctx: OpaquePointer?, _ subject: UnsafePointer<CChar>? = nil, caller: StaticString = #function,
    _ setting: (OwnedContext) throws(SettingRefused) -> Void
) -> CInt {
    unsafe Handle.object(ctx, Context.self, caller)?.set(subject, setting) ?? TLSMEM_EINVAL.code
}

func set(
    _ ctx: OpaquePointer?, text: UnsafePointer<CChar>?, caller: StaticString = #function,
    _ setter: (OwnedContext) -> (UnsafePointer<CChar>) throws(SettingRefused) -> Void
) -> CInt {
    guard let text = unsafe text else { return TLSMEM_EINVAL.code }
    return unsafe set(ctx, text, caller: caller) { (openSSL) throws(SettingRefused) in try unsafe setter(openSSL)(text)
    }
}

func set(
    _ ctx: OpaquePointer?, file path: UnsafePointer<CChar>?, bytesMax: Int = PEMSource.bundleBytesMax,
    caller: StaticString = #function,
    _ setter: (OwnedContext) -> (borrowing PEMSource) throws(SettingRefused) -> Void
) -> CInt {
    guard let path = unsafe path else { return TLSMEM_EINVAL.code }
    return unsafe set(ctx, path, caller: caller) { (openSSL) throws(SettingRefused) in
        try setter(openSSL)(try unsafe PEMSource(path: path, bytesMax: bytesMax))
    }
}

func set(
    _ ctx: OpaquePointer?, _ bytes: UnsafeRawPointer?, _ n: Int, bytesMax: Int = PEMSource.bundleBytesMax,
    caller: StaticString = #function,
    _ setter: (OwnedContext) -> (borrowing PEMSource) throws(SettingRefused) -> Void
) -> CInt {
    guard let bytes = unsafe input(bytes, n) else { return TLSMEM_EINVAL.code }
    return unsafe set(ctx, caller: caller) { (openSSL) throws(SettingRefused) in
        try setter(openSSL)(try unsafe PEMSource(bytes, bytesMax: bytesMax))
    }
}

// What makes no sense by itself: TLSMEM_EINVAL. It is looked at inside `set`, behind the question whether anything may be set.

func expect(_ number: CInt, in range: ClosedRange<CInt>, _ sentence: StaticString) throws(SettingRefused) {
    guard range.contains(number) else { throw SettingRefused(argument: number, sentence) }
}

/// What a number of the header stands for; nil when it has no meaning.
func known<Meaning>(
    _ meaning: Meaning?, _ number: UInt32, _ sentence: StaticString
) throws(SettingRefused) -> Meaning {
    guard let meaning else { throw SettingRefused(argument: CInt(bitPattern: number), sentence) }
    return meaning
}

func expectServer(_ openSSL: OwnedContext, _ name: StaticString, _ sentence: StaticString) throws(SettingRefused) {
    guard openSSL.role == .server else { throw SettingRefused(argument: name, sentence) }
}

func expectClient(_ openSSL: OwnedContext, _ name: StaticString, _ sentence: StaticString) throws(SettingRefused) {
    guard openSSL.role == .client else { throw SettingRefused(argument: name, sentence) }
}
