import CTLSMem
import Testing

@Suite struct `A key in common` {
    private let key = [UInt8](repeating: 7, count: 16)

    private func context(_ role: tlsmem_role) -> OpaquePointer? {
        let ctx = tlsmem_ctx_new(role)
        #expect(tlsmem_ctx_set_psk(ctx, "device", key, key.count) == status(TLSMEM_OK))
        return ctx
    }

    /// Hands what one end has to the other.
    private func carry(_ from: OpaquePointer?, _ to: OpaquePointer?) {
        var (bytes, count): (UnsafeRawPointer?, Int) = (nil, 0)
        while tlsmem_outgoing_peek(from, &bytes, &count) == status(TLSMEM_OK) {
            #expect(tlsmem_feed(to, bytes, count) == count)
            #expect(tlsmem_outgoing_consume(from, count) == status(TLSMEM_OK))
        }
    }

    @Test func `stands in for certificates, authorities and names`() {
        let contexts = [context(TLSMEM_CLIENT), context(TLSMEM_SERVER)]
        let ends = contexts.map { tlsmem_new($0, nil, nil) }
        for _ in 0..<3 {
            carry(ends[0], ends[1])
            carry(ends[1], ends[0])
        }
        for end in ends {
            #expect(tlsmem_is_established(end) == 1)
            #expect(tlsmem_is_resumed(end) == 0)
            #expect(tlsmem_psk_identity(end).map { String(cString: $0) } == "device")
            tlsmem_free(end)
        }
        for ctx in contexts { tlsmem_ctx_free(ctx) }
    }

    @Test(arguments: [0, 1, 15, 513])
    func `is refused when it can be guessed, or is longer than OpenSSL takes`(count: Int) {
        let ctx = tlsmem_ctx_new(TLSMEM_SERVER)
        let key = [UInt8](repeating: 7, count: count)
        #expect(tlsmem_ctx_set_psk(ctx, "device", key, count) == status(TLSMEM_EINVAL))
        let c = tlsmem_new(ctx, nil, nil)
        #expect(tlsmem_handshake(c) == status(TLSMEM_ENOIDENTITY))
        tlsmem_free(c)
        tlsmem_ctx_free(ctx)
    }
}
