import CTLSMem
import TestSupport
import Testing

/// These tests run in a debug build, where a wrong handle is told on stderr; what is told is held in
/// Tests/Conformance/told.c.
@Suite struct `A handle` {
    private let invalid = status(TLSMEM_EINVAL)

    @Test func `that was freed is refused, and freed no second time`() {
        let ctx = tlsmem_ctx_new(TLSMEM_CLIENT)
        let c = tlsmem_new(ctx, nil, nil)
        tlsmem_free(c)
        tlsmem_free(c)
        #expect(tlsmem_write(c, "x", 1) == Int(invalid) && tlsmem_close(c) == invalid && tlsmem_user(c) == nil)
        tlsmem_ctx_free(ctx)
        tlsmem_ctx_free(ctx)
        #expect(tlsmem_new(ctx, nil, nil) == nil && tlsmem_ctx_ref(ctx) == nil)
        let loop = tlsmem_loop_new()
        tlsmem_loop_free(loop)
        tlsmem_loop_free(loop)
        #expect(tlsmem_loop_run_once(loop, 0) == invalid)
    }

    @Test func `is good while there is an owner`() {
        let ctx = tlsmem_ctx_new(TLSMEM_CLIENT)
        #expect(tlsmem_ctx_ref(ctx) == ctx)
        tlsmem_ctx_free(ctx)
        let c = tlsmem_new(ctx, nil, nil)
        #expect(c != nil)
        tlsmem_ctx_free(ctx)
        #expect(tlsmem_ctx_ref(ctx) == nil)
        #expect(tlsmem_write(c, "x", 1) == 1)  // a connection keeps its context
        tlsmem_free(c)
    }

    @Test func `is not handed out again`() {
        let ctx = tlsmem_ctx_new(TLSMEM_CLIENT)
        var seen: Set<OpaquePointer> = []
        for _ in 0..<1000 {
            guard let c = tlsmem_new(ctx, nil, nil) else { continue }
            seen.insert(c)
            tlsmem_free(c)
        }
        #expect(seen.count == 1000)
        tlsmem_ctx_free(ctx)
    }

    @Test func `of another kind, or of none, is refused`() {
        let ctx = tlsmem_ctx_new(TLSMEM_CLIENT)
        let loop = tlsmem_loop_new()
        #expect(tlsmem_write(ctx, "x", 1) == Int(invalid) && tlsmem_loop_run_once(ctx, 0) == invalid)
        #expect(tlsmem_new(loop, nil, nil) == nil)
        tlsmem_free(loop)
        #expect(tlsmem_close(OpaquePointer(bitPattern: 64)) == invalid)
        #expect(tlsmem_loop_run_once(loop, 0) == 0)
        tlsmem_loop_free(loop)
        tlsmem_ctx_free(ctx)
    }
}
