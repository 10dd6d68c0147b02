internal import CTLSMem
internal import OpenSSLHandles
internal import SocketTransport

@implementation @_cdecl("tlsmem_version")
public func tlsmem_version() -> UInt32 {
    UInt32(TLSMEM_VERSION_MAJOR) << 16 | UInt32(TLSMEM_VERSION_MINOR) << 8 | UInt32(TLSMEM_VERSION_PATCH)
}

@implementation @_cdecl("tlsmem_version_string")
public func tlsmem_version_string() -> UnsafePointer<CChar>! {
    unsafe cString("0.1.0")
}

@implementation @_cdecl("tlsmem_openssl_version")
public func tlsmem_openssl_version() -> UnsafePointer<CChar>! {
    unsafe Words.openSSLVersion
}

@implementation @_cdecl("tlsmem_status_name")
public func tlsmem_status_name(_ status: CInt) -> UnsafePointer<CChar>! {
    unsafe cString(tlsmem_status(rawValue: status).name)
}

@implementation @_cdecl("tlsmem_strerror")
public func tlsmem_strerror(_ status: CInt) -> UnsafePointer<CChar>! {
    unsafe cString(tlsmem_status(rawValue: status).sentence)
}

@implementation @_cdecl("tlsmem_now")
public func tlsmem_now() -> Int64 {
    MonotonicClock.milliseconds()
}

/// Literals end with a NUL.
func cString(_ text: StaticString) -> UnsafePointer<CChar>? {
    guard text.hasPointerRepresentation else { return nil }
    return unsafe UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
}
