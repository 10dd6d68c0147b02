public import CTLSMem
internal import OpenSSLHandles
internal import TLSEngine

@implementation @_cdecl("tlsmem_ctx_set_early_data")
public func tlsmem_ctx_set_early_data(_ ctx: OpaquePointer!, _ max_bytes: Int) -> CInt {
    unsafe set(ctx) { (openSSL) throws(SettingRefused) in
        try expectServer(openSSL, "max_bytes", "a client decides for each connection: tlsmem_write_early")
        guard let bytes = Int32(exactly: max_bytes), bytes >= 0 else {
            throw SettingRefused(argument: "max_bytes", "it is not 0 to 2147483647")
        }
        openSSL.setEarlyData(UInt32(bytes))
    }
}

@implementation @_cdecl("tlsmem_write_early")
public func tlsmem_write_early(_ c: OpaquePointer!, _ bytes: UnsafeRawPointer!, _ n: Int) -> Int {
    guard let plaintext = unsafe input(bytes, n) else { return TLSMEM_EINVAL.count }
    return unsafe use(c) { unsafe $0.writeEarly(plaintext) } ?? TLSMEM_EINVAL.count
}

@implementation @_cdecl("tlsmem_set_early_data_cb")
public func tlsmem_set_early_data_cb(
    _ c: OpaquePointer!,
    _ cb: (@convention(c) (OpaquePointer?, UnsafeRawPointer?, Int, UnsafeMutableRawPointer?) -> Void)!,
    _ user: UnsafeMutableRawPointer!
) -> CInt {
    unsafe use(c) { unsafe $0.showEarly(to: cb, user) } ?? TLSMEM_EINVAL.code
}

@implementation @_cdecl("tlsmem_read_early")
public func tlsmem_read_early(_ c: OpaquePointer!, _ bytes: UnsafeMutableRawPointer!, _ n: Int) -> Int {
    guard unsafe input(bytes, n) != nil else { return TLSMEM_EINVAL.count }
    return unsafe use(c) { unsafe $0.readEarly(UnsafeMutableRawBufferPointer(start: bytes, count: n)) }
        ?? TLSMEM_EINVAL.count
}

@implementation @_cdecl("tlsmem_early_data_status")
public func tlsmem_early_data_status(_ c: OpaquePointer!) -> tlsmem_early_data {
    unsafe use(c) { $0.engine.earlyData.status } ?? TLSMEM_EARLY_NONE
}

extension EarlyData {
    fileprivate var status: tlsmem_early_data {
        switch self {
        case .none: TLSMEM_EARLY_NONE
        case .accepted: TLSMEM_EARLY_ACCEPTED
        case .rejected: TLSMEM_EARLY_REJECTED
        }
    }
}
