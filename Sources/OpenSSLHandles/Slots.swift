internal import COpenSSL

/// Places that OpenSSL keeps in its objects for others, by number. What is put into one costs the object an allocation,
/// so only those that need it have something there.
private nonisolated(unsafe) var depthSlot: CInt = -1
private nonisolated(unsafe) var findingSlot: CInt = -1
private nonisolated(unsafe) var contextSlot: CInt = -1
private nonisolated(unsafe) var slotsOnce: CRYPTO_ONCE = 0

/// The numbers are made once in the process.
private func makeSlots() {
    _ = unsafe CRYPTO_THREAD_run_once(&slotsOnce) {
        unsafe depthSlot = copenssl_ssl_index()
        unsafe findingSlot = copenssl_ssl_index()
        unsafe contextSlot = copenssl_ctx_index()
    }
}

/// A number where a pointer belongs; 0 is what an empty place has.
private func pointer(_ number: CInt) -> UnsafeMutableRawPointer? {
    unsafe UnsafeMutableRawPointer(bitPattern: Int(number) &+ 1)
}

private func number(_ pointer: UnsafeMutableRawPointer?) -> CInt {
    CInt(truncatingIfNeeded: Int(bitPattern: pointer) &- 1)
}

// MARK: Where verification failed

/// Where in the chain verification failed; -1 when it did not.
func verifyDepth(of ssl: OpaquePointer) -> CInt {
    makeSlots()
    return unsafe number(SSL_get_ex_data(ssl, depthSlot))
}

/// OpenSSL's own verification decides; this only remembers where in the chain it said no, also where that is without
/// consequences because nobody asks for it.
let noteVerifyDepth: @convention(c) (CInt, OpaquePointer?) -> CInt = { isGood, store in
    guard isGood == 0, let store = unsafe store,
        let found = unsafe X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx())
    else { return isGood }
    let ssl = OpaquePointer(found)
    makeSlots()
    _ = unsafe SSL_set_ex_data(ssl, depthSlot, pointer(X509_STORE_CTX_get_error_depth(store)))
    return isGood
}

// MARK: What verification found

/// Keeps what was found, while something else has its place. False without memory.
func keepFinding(_ code: CInt, of ssl: OpaquePointer) -> Bool {
    makeSlots()
    return unsafe SSL_set_ex_data(ssl, findingSlot, pointer(code)) == 1
}

/// Puts what was kept, if anything was, where OpenSSL and others look for it. Called once, when all is over: not a part of
/// whoever calls it for each record.
@inline(never)
func restoreFinding(of ssl: OpaquePointer) {
    makeSlots()
    guard let kept = unsafe SSL_get_ex_data(ssl, findingSlot) else { return }
    unsafe SSL_set_verify_result(ssl, Int(number(kept)))
}

// MARK: Whose connection it is

/// Has the connections of an SSL_CTX find whose it is; nil when it is nobody's any more. False without memory.
func setOwner(of ctx: OpaquePointer, _ owner: OwnedContext?) -> Bool {
    makeSlots()
    return unsafe SSL_CTX_set_ex_data(ctx, contextSlot, owner.map { unsafe Unmanaged.passUnretained($0).toOpaque() })
        == 1
}

/// The context that a connection has now: a ClientHello may have changed it.
func context(of ssl: OpaquePointer) -> OwnedContext? {
    makeSlots()
    guard let found = unsafe SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), contextSlot) else { return nil }
    return unsafe Unmanaged<OwnedContext>.fromOpaque(found).takeUnretainedValue()
}

// MARK: Where secrets go

/// Has OpenSSL tell the secrets of a context's connections.
func watchSecrets(_ ctx: OpaquePointer) {
    makeReportsSlot()
    unsafe SSL_CTX_set_keylog_callback(ctx, noteSecret)
}

private let noteSecret: @convention(c) (OpaquePointer?, UnsafePointer<CChar>?) -> Void = { ssl, line in
    guard let ssl = unsafe ssl, let line = unsafe line else { return }
    unsafe collectSecret(ssl, line)
    if let file = unsafe context(of: ssl)?.keylog, file >= 0 { unsafe append(line, to: file) }
}

/// One write for the line and its end, to a file opened with O_APPEND: lines of several threads do not mix.
private func append(_ line: UnsafePointer<CChar>, to file: CInt) {
    var bytes = unsafe [UInt8](UnsafeRawBufferPointer(start: line, count: strlen(line)))
    bytes.append(UInt8(ascii: "\n"))
    _ = unsafe bytes.withUnsafeBytes { unsafe write(file, $0.baseAddress, $0.count) }
}
