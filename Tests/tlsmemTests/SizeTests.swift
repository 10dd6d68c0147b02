import CTLSMem
import TestSupport
import Testing

/// Calls with a struct of every wrong size; none may be taken, and none may be written to.
private func expectRefused<Struct>(
    _ usual: Struct, _ size: WritableKeyPath<Struct, Int>, _ call: (UnsafeMutablePointer<Struct>) -> CInt,
    _ location: SourceLocation = #_sourceLocation
) {
    let right = MemoryLayout<Struct>.size
    for wrong in [0, 1, 8, right - 1, right + 1, Int.max, -1, Int.min] where wrong != right {
        var value = usual
        value[keyPath: size] = wrong
        let before = withUnsafeBytes(of: value) { Array($0) }
        #expect(call(&value) == status(TLSMEM_EINVAL), "size \(wrong)", sourceLocation: location)
        #expect(withUnsafeBytes(of: value) { Array($0) } == before, "size \(wrong)", sourceLocation: location)
    }
}

@Suite struct `A struct of a wrong size` {
    @Test func `is neither taken nor written to`() {
        let contexts = Contexts()
        let subject = Subject(contexts, \.server)
        let fresh = tlsmem_ctx_new(TLSMEM_CLIENT)
        defer { tlsmem_ctx_free(fresh) }
        expectRefused(tlsmem_want_info(), \.size) { tlsmem_want(subject.c, $0) }
        expectRefused(tlsmem_report_info(), \.size) { tlsmem_report(subject.c, $0) }
        expectRefused(tlsmem_stats_info(), \.size) { tlsmem_stats(subject.c, $0) }
        expectRefused(tlsmem_error_info(), \.size) { tlsmem_error(subject.c, $0) }
        expectRefused(tlsmem_error_info(), \.size) { tlsmem_ctx_error(contexts.server, $0) }
        expectRefused(tlsmem_limits.usual, \.size) { tlsmem_ctx_set_limits(fresh, $0) }
        expectRefused(tlsmem_callbacks(), \.size) { tlsmem_set_callbacks(subject.c, $0, nil) }
        expectRefused(tlsmem_callbacks(), \.size) { callbacks in
            let made = tlsmem_new(contexts.client, callbacks, nil)
            tlsmem_free(made)
            return status(made == nil ? TLSMEM_EINVAL : TLSMEM_OK)
        }
        let loop = tlsmem_loop_new()
        defer { tlsmem_loop_free(loop) }
        var options = tlsmem_listen_options()
        options.on_accept = { _, _, _ in 1 }
        expectRefused(options, \.size) { tlsmem_loop_listen(loop, contexts.server, $0, nil) }
        "127.0.0.1".withCString { host in
            var target = tlsmem_connect_options()
            target.host = host
            target.port = 443
            expectRefused(target, \.size) { tlsmem_loop_connect(loop, subject.c, $0) }
        }
    }
}
