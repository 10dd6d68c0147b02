internal import COpenSSL

/// Places that OpenSSL keeps in its objects for others, by number. What is put into one costs the object an allocation,
/// so only those that need it have something there.
private nonisolated(unsafe) var depthSlot: CInt = -1
private nonisolated(unsafe) var keylogSlot: CInt = -1
private nonisolated(unsafe) var slotsOnce: CRYPTO_ONCE = 0

/// The numbers are made once in the process.
private func makeSlots() {
    _ = unsafe CRYPTO_THREAD_run_once(&slotsOnce) {
        unsafe depthSlot = copenssl_ssl_index()
        unsafe keylogSlot = copenssl_ctx_index()
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

// MARK: Where secrets go

/// Has the secrets of a context's connections appended to an open file. False without memory.
func setKeylog(_ ctx: OpaquePointer, _ file: CInt) -> Bool {
    makeSlots()
    guard unsafe SSL_CTX_set_ex_data(ctx, keylogSlot, pointer(file)) == 1 else { return false }
    unsafe watchSecrets(ctx)
    return true
}

/// Has OpenSSL tell the secrets of a context's connections.
func watchSecrets(_ ctx: OpaquePointer) {
    makeSlots()
    makeReportsSlot()
    unsafe SSL_CTX_set_keylog_callback(ctx, noteSecret)
}

private let noteSecret: @convention(c) (OpaquePointer?, UnsafePointer<CChar>?) -> Void = { ssl, line in
    guard let ctx = unsafe SSL_get_SSL_CTX(ssl), let line = unsafe line else { return }
    unsafe collectSecret(ssl, line)
    let file = unsafe number(SSL_CTX_get_ex_data(ctx, keylogSlot))
    if file >= 0 { unsafe append(line, to: file) }
}

/// One write for the line and its end, to a file opened with O_APPEND: lines of several threads do not mix.
private func append(_ line: UnsafePointer<CChar>, to file: CInt) {
    var bytes = unsafe [UInt8](UnsafeRawBufferPointer(start: line, count: strlen(line)))
    bytes.append(UInt8(ascii: "\n"))
    _ = unsafe bytes.withUnsafeBytes { unsafe write(file, $0.baseAddress, $0.count) }
}
