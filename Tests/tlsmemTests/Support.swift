import CTLSMem
import Glibc
import TestSupport
import Testing

/// What a connection calls.
enum Happening: CaseIterable { case established, bytes, drain, eof, close }

/// One connection behind the C interface. Every callback is counted, and may do what the test says.
final class Subject {
    private(set) var c: OpaquePointer?
    private(set) var happenings: [Happening] = []
    private(set) var received: [UInt8] = []
    private(set) var reports: [tlsmem_report_info] = []
    private(set) var callsAfterFree = 0
    /// What the first occurrence of a happening does.
    var reactions: [Happening: (Subject) -> Void] = [:]

    private let contexts: Contexts

    init(_ contexts: Contexts, _ role: KeyPath<Contexts, OpaquePointer>, callsBack: Bool = true) {
        self.contexts = contexts
        var callbacks = callsBack ? Self.callbacks : tlsmem_callbacks()
        callbacks.size = MemoryLayout<tlsmem_callbacks>.size
        c = tlsmem_new(contexts[keyPath: role], &callbacks, Unmanaged.passUnretained(self).toOpaque())
        _ = tlsmem_set_server_name(c, "localhost")  // a server says ESTATE
    }

    deinit { free() }

    func free() {
        tlsmem_free(c)
        c = nil
    }

    func count(_ happening: Happening) -> Int { happenings.count { $0 == happening } }

    private func happened(_ happening: Happening) {
        if c == nil { callsAfterFree += 1 }
        happenings.append(happening)
        if let reaction = reactions.removeValue(forKey: happening) { reaction(self) }
    }

    private static func of(_ user: UnsafeMutableRawPointer?) -> Subject {
        Unmanaged<Subject>.fromOpaque(user!).takeUnretainedValue()
    }

    private static let callbacks = tlsmem_callbacks(
        size: 0,
        on_established: { of($1).happened(.established) },
        on_data: { _, bytes, count, user in
            of(user).received += UnsafeRawBufferPointer(start: bytes, count: count)
            of(user).happened(.bytes)
        },
        on_drain: { of($1).happened(.drain) },
        on_eof: { of($1).happened(.eof) },
        on_close: { _, report, user in
            of(user).reports.append(report!.pointee)
            of(user).happened(.close)
        })

    // MARK: What may be asked

    var want: tlsmem_want_info {
        var want = tlsmem_want_info()
        want.size = MemoryLayout<tlsmem_want_info>.size
        #expect(tlsmem_want(c, &want) == status(TLSMEM_OK))
        return want
    }

    var error: tlsmem_error_info {
        var error = tlsmem_error_info()
        error.size = MemoryLayout<tlsmem_error_info>.size
        #expect(tlsmem_error(c, &error) == status(TLSMEM_OK))
        return error
    }

    // MARK: Plaintext and ciphertext

    @discardableResult
    func write(_ bytes: [UInt8]) -> Int { tlsmem_write(c, bytes, bytes.count) }

    func read(_ most: Int) -> (result: Int, bytes: [UInt8]) {
        var bytes = [UInt8](repeating: 0, count: most)
        let result = tlsmem_read(c, &bytes, most)
        return (result, Array(bytes.prefix(max(0, result))))
    }

    /// Takes the first slice of ciphertext, at most so many bytes.
    func take(_ most: Int = .max) -> [UInt8] {
        var (start, count): (UnsafeRawPointer?, Int) = (nil, 0)
        guard tlsmem_outgoing_peek(c, &start, &count) == status(TLSMEM_OK) else { return [] }
        let bytes = Array(UnsafeRawBufferPointer(start: start, count: min(count, most)))
        _ = tlsmem_outgoing_consume(c, bytes.count)
        return bytes
    }

    @discardableResult
    func feed(_ bytes: [UInt8]) -> Int { tlsmem_feed(c, bytes, bytes.count) }
}

func status(_ status: tlsmem_status) -> CInt { CInt(rawOf(status)) }
func count(_ status: tlsmem_status) -> Int { Int(rawOf(status)) }
private func rawOf(_ status: tlsmem_status) -> Int32 { Int32(status.rawValue) }

extension tlsmem_limits {
    /// As TLSMEM_LIMITS_INIT.
    static var usual: tlsmem_limits {
        tlsmem_limits(
            size: MemoryLayout<tlsmem_limits>.size, outgoing_max: 1_048_576, outgoing_low: 262_144,
            incoming_max: 262_144, control_max: 65536, wake_max: 262_144, cert_list_max: 102_400, update_rate: 100,
            update_burst: 1024, handshake_ms: 10_000, idle_ms: 0, close_ms: 5000, read_ms: 0, write_ms: 0,
            outgoing_high: 524_288, incoming_low: 131_072, buffers_ms: 0)
    }
}

/// Two contexts, with their limits and one version; freed with the object.
final class Contexts {
    let client: OpaquePointer
    let server: OpaquePointer

    init(_ version: Version? = nil, _ change: (inout tlsmem_limits) -> Void = { _ in }) {
        client = tlsmem_ctx_new(TLSMEM_CLIENT)
        server = tlsmem_ctx_new(TLSMEM_SERVER)
        var limits = tlsmem_limits.usual
        change(&limits)
        for ctx in [client, server] {
            #expect(tlsmem_ctx_set_limits(ctx, &limits) == status(TLSMEM_OK))
            guard let version else { continue }
            #expect(tlsmem_ctx_set_min_version(ctx, version.rawValue) == status(TLSMEM_OK))
            #expect(tlsmem_ctx_set_max_version(ctx, version.rawValue) == status(TLSMEM_OK))
        }
        let (mine, trust) = (Credentials.server, Authority.ours.pem)
        #expect(tlsmem_ctx_set_cert_mem(server, mine.certificate, mine.certificate.count) == status(TLSMEM_OK))
        #expect(tlsmem_ctx_set_key_mem(server, mine.key, mine.key.count) == status(TLSMEM_OK))
        #expect(tlsmem_ctx_set_ca_mem(client, trust, trust.count) == status(TLSMEM_OK))
    }

    deinit {
        tlsmem_ctx_free(client)
        tlsmem_ctx_free(server)
    }
}

/// Carries ciphertext both ways until nothing moves, in the buffers face.
func carry(_ one: Subject, _ other: Subject) {
    var isMoving = true
    while isMoving {
        isMoving = false
        for (from, to) in [(one, other), (other, one)] {
            while from.c != nil {
                let bytes = from.take()
                if bytes.isEmpty { break }
                isMoving = true
                if to.c != nil { to.feed(bytes) }
            }
        }
    }
}

/// Two connected non-blocking sockets of the program's; the library must not close them.
final class Sockets {
    let near: CInt
    let far: CInt

    init() {
        var both: [CInt] = [-1, -1]
        let kind = CInt(bitPattern: SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        precondition(socketpair(AF_UNIX, kind, 0, &both) == 0, "no socketpair")
        (near, far) = (both[0], both[1])
    }

    deinit {
        #expect(fcntl(near, F_GETFD) != -1 && fcntl(far, F_GETFD) != -1, "somebody closed the program's socket")
        close(near)
        close(far)
    }
}
