internal import CTLSMem
internal import OpenSSLHandles
internal import TLSEngine

@implementation @_cdecl("tlsmem_set_record_cb")
public func tlsmem_set_record_cb(
    _ c: OpaquePointer!, _ cb: (@convention(c) (UnsafeRawPointer?, Int, UnsafeMutableRawPointer?) -> Void)!,
    _ user: UnsafeMutableRawPointer!
) -> CInt {
    guard let connection = unsafe connection(c) else { return TLSMEM_EINVAL.code }
    guard connection.engine.phase == .new, connection.ciphertextReceived == 0 else { return TLSMEM_ESTATE.code }
    let recording = unsafe cb.map { unsafe Recording($0, user, connection.currentMilliseconds) }
    connection.setRecording(recording)
    return TLSMEM_OK.code
}

@implementation @_cdecl("tlsmem_replay")
public func tlsmem_replay(
    _ c: OpaquePointer!, _ recording: UnsafeRawPointer!, _ n: Int,
    _ sent: (@convention(c) (UnsafeRawPointer?, Int, UnsafeMutableRawPointer?) -> Void)!,
    _ user: UnsafeMutableRawPointer!
) -> CInt {
    guard let connection = unsafe connection(c), let text = unsafe input(recording, n), let replay = unsafe Replay(text)
    else { return TLSMEM_EINVAL.code }
    guard !connection.hasTransport, connection.engine.phase == .new, connection.ciphertextReceived == 0,
        connection.clock == nil
    else { return TLSMEM_ESTATE.code }
    return replay.play(to: connection) { bytes in
        unsafe bytes.withUnsafeBytes { unsafe sent?($0.baseAddress, $0.count, user) }
    }
}

@implementation @_cdecl("tlsmem_insecure_randomness")
public func tlsmem_insecure_randomness(_ seed: UInt64) -> CInt {
    (InsecureRandomness.begin(seed) ? TLSMEM_OK : TLSMEM_ESTATE).code
}
