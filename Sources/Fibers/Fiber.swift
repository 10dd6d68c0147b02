internal import CLinux

/// A call with a stack of its own, which can stand still in its middle and be gone on with: by any thread, because nothing of
/// it lies in the thread that began it.
///
/// OpenSSL's own (ASYNC_start_job) have to end in the thread in which they began, and have no guard page.
@safe package final class Fiber {
    /// What OpenSSL gives its jobs is 32 KiB; a provider, or a signal handler, may need more. Only what is touched is there.
    private static let stackBytes = 262_144
    private static let guardBytes = 65536  // a page, however large pages are

    /// What the call itself sees of it, which holds no reference: what lies on its stack at its end is never let go.
    @safe private struct State {
        let outside = unsafe clinux_allocate(2 * MemoryLayout<ucontext_t>.stride)
            .assumingMemoryBound(to: ucontext_t.self)
        var body: (() -> CInt)?
        var value: CInt = 0
        var isUnderWay = false
        var inside: UnsafeMutablePointer<ucontext_t> { unsafe outside + 1 }
        #if DEBUG
            var insideForSanitizer: UnsafeMutableRawPointer?
            var outsideForSanitizer: UnsafeMutableRawPointer?
        #endif
    }

    private let mapping: UnsafeMutableRawPointer
    private let state = unsafe clinux_allocate(MemoryLayout<State>.size).assumingMemoryBound(to: State.self)

    /// Nil without memory.
    package static func make() -> Fiber? {
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK
        guard
            let mapping = unsafe mmap(nil, guardBytes + stackBytes, PROT_READ | PROT_WRITE, flags, -1, 0),
            unsafe mapping != UnsafeMutableRawPointer(bitPattern: -1)
        else { return nil }
        guard unsafe mprotect(mapping, guardBytes, PROT_NONE) == 0 else {
            _ = unsafe munmap(mapping, guardBytes + stackBytes)
            return nil
        }
        return unsafe Fiber(mapping)
    }

    private init(_ mapping: UnsafeMutableRawPointer) {
        unsafe self.mapping = mapping
        unsafe state.initialize(to: State())
        unsafe state.pointee.outside.initialize(repeating: ucontext_t(), count: 2)
    }

    deinit {
        _ = unsafe munmap(mapping, Self.guardBytes + Self.stackBytes)
        unsafe free(state.pointee.outside)
        unsafe state.deinitialize(count: 1)
        unsafe free(state)
    }

    /// A call has been begun, and has not ended.
    package var isUnderWay: Bool { unsafe state.pointee.isUnderWay }

    /// Begins a call; nothing else is under way. Returns what it came to, or nil when it stands still.
    package func begin(_ body: @escaping () -> CInt) -> CInt? {
        let address = UInt(bitPattern: unsafe state)
        let isMade = unsafe clinux_make_context(
            state.pointee.inside, state.pointee.outside, mapping + Self.guardBytes, Self.stackBytes,
            { high, low in
                guard let state = unsafe UnsafeMutablePointer<State>(bitPattern: UInt(high) << 32 | UInt(low)) else {
                    return
                }
                unsafe Fiber.run(state)
                unsafe Fiber.leave(state)  // and does not come back
            }, UInt32(truncatingIfNeeded: address >> 32), UInt32(truncatingIfNeeded: address))
        guard isMade == 0 else { return -1 }
        unsafe state.pointee.body = body
        unsafe state.pointee.isUnderWay = true
        #if DEBUG
            unsafe state.pointee.insideForSanitizer = ThreadSanitizer.make?(0)
        #endif
        return goOn()
    }

    /// Goes on where it stands still.
    package func goOn() -> CInt? {
        unsafe Fiber.enter(state)
        if isUnderWay { return nil }
        #if DEBUG
            unsafe ThreadSanitizer.destroy?(state.pointee.insideForSanitizer)
        #endif
        return unsafe state.pointee.value
    }

    /// Has it stand still. Only on its own stack.
    package func pause() { unsafe Fiber.leave(state) }

    private static func run(_ state: UnsafeMutablePointer<State>) {
        unsafe state.pointee.value = unsafe state.pointee.body?() ?? -1
        unsafe state.pointee.body = nil
        unsafe state.pointee.isUnderWay = false
    }

    private static func enter(_ state: UnsafeMutablePointer<State>) {
        #if DEBUG
            unsafe state.pointee.outsideForSanitizer = ThreadSanitizer.current?()
            unsafe ThreadSanitizer.change?(state.pointee.insideForSanitizer, 0)
        #endif
        // It would bring along which signals were blocked where it stood still; another thread may block others.
        _ = unsafe pthread_sigmask(SIG_SETMASK, nil, &state.pointee.inside.pointee.uc_sigmask)
        _ = unsafe swapcontext(state.pointee.outside, state.pointee.inside)
    }

    private static func leave(_ state: UnsafeMutablePointer<State>) {
        #if DEBUG
            unsafe ThreadSanitizer.change?(state.pointee.outsideForSanitizer, 0)
        #endif
        _ = unsafe swapcontext(state.pointee.inside, state.pointee.outside)
    }
}

#if DEBUG
    /// ThreadSanitizer has to hear on which stack it is: told in the function that switches, because it counts calls.
    private enum ThreadSanitizer {
        private static func find<Function>(_ name: String, _: Function.Type) -> Function? {
            guard let found = unsafe dlsym(nil, name) else { return nil }
            return unsafe unsafeBitCast(found, to: Function.self)
        }

        static let make = unsafe find(
            "__tsan_create_fiber", (@convention(c) (CUnsignedInt) -> UnsafeMutableRawPointer?).self)
        static let current = unsafe find(
            "__tsan_get_current_fiber", (@convention(c) () -> UnsafeMutableRawPointer?).self)
        static let change = unsafe find(
            "__tsan_switch_to_fiber", (@convention(c) (UnsafeMutableRawPointer?, CUnsignedInt) -> Void).self)
        static let destroy = unsafe find(
            "__tsan_destroy_fiber", (@convention(c) (UnsafeMutableRawPointer?) -> Void).self)
    }
#endif
