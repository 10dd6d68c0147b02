import CTLSMem
import TestSupport
import Testing

/// What the callbacks of a pair's connection have heard.
private final class Heard {
    var pair: OpaquePointer?
    var bytes = 0
    var closes = 0
    var status: CInt = 1
    var frees = false
}

private let callbacks: tlsmem_callbacks = {
    var callbacks = tlsmem_callbacks()
    callbacks.size = MemoryLayout<tlsmem_callbacks>.size
    callbacks.on_data = { c, bytes, count, user in
        let heard = Unmanaged<Heard>.fromOpaque(user!).takeUnretainedValue()
        heard.bytes += count
        #expect(tlsmem_pair_run(heard.pair, 0) == status(TLSMEM_ESTATE))
        #expect(tlsmem_pair_end(heard.pair, 0) != nil)
        if heard.frees { tlsmem_free(c) } else { #expect(tlsmem_write(c, bytes, count) == count) }
    }
    callbacks.on_close = { _, report, user in
        let heard = Unmanaged<Heard>.fromOpaque(user!).takeUnretainedValue()
        heard.closes += 1
        heard.status = report!.pointee.status
    }
    return callbacks
}()

@Suite struct `A pair of connections` {
    private let contexts = Contexts()

    /// With a server that echoes, or frees itself; runs until it comes to rest, and shows what the client reads.
    private func visit(_ server: Heard, _ faults: tlsmem_wire_faults? = nil) -> (read: Int, outcome: CInt, time: Int64)
    {
        let pair = tlsmem_pair_new(contexts.client, contexts.server)
        defer { tlsmem_pair_free(pair) }
        server.pair = pair
        let client = tlsmem_pair_end(pair, 0)
        var table = callbacks
        #expect(
            tlsmem_set_callbacks(tlsmem_pair_end(pair, 1), &table, Unmanaged.passUnretained(server).toOpaque()) == 0)
        #expect(tlsmem_set_server_name(client, "localhost") == 0)
        if var faults { #expect(tlsmem_wire_set_faults(tlsmem_pair_wire(pair, 0), &faults) == 0) }
        #expect(tlsmem_write(client, [UInt8](repeating: 7, count: 5000), 5000) == 5000)
        _ = tlsmem_pair_run(pair, 60000)
        var read = 0
        var target = [UInt8](repeating: 0, count: 10000)
        while case let count = tlsmem_read(client, &target, 10000), count > 0 { read += count }
        tlsmem_close(client)
        let outcome = tlsmem_pair_run(pair, .max)
        return (read, outcome, tlsmem_pair_time(pair))
    }

    @Test func `brings bytes there and back`() {
        let server = Heard()
        let result = visit(server)
        #expect(result.read == 5000 && result.outcome == 0 && result.time == 0)
        #expect(server.bytes == 5000 && server.closes == 1 && server.status == 0)
    }

    @Test func `ends when one of them is freed in its callback`() {
        let server = Heard()
        server.frees = true
        let result = visit(server)
        #expect(result.read == 0 && result.outcome == 0 && server.closes == 0)
    }

    @Test func `ends at its deadlines, both of them, when nothing arrives`() {
        let server = Heard()
        var stalled = tlsmem_wire_faults()
        stalled.size = MemoryLayout<tlsmem_wire_faults>.size
        (stalled.cut_after, stalled.reset_after, stalled.flip_at) = (.max, .max, .max)
        let result = visit(server, stalled)
        #expect(result.read == 0 && result.outcome == 0 && result.time == 10000)
        #expect(server.closes == 1 && server.status == status(TLSMEM_ETIMEOUT))
    }
}
