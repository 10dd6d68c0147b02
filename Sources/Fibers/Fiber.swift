internal import CLinux

/// A call with a stack of its own, which can stand still in its middle and be gone on with: by any thread, because nothing of
/// it lies in the thread that began it.
///
/// OpenSSL's own (ASYNC_start_job) have to end in the thread in which they began, and have no guard page.
@safe package final class Fiber {
    /// What OpenSSL gives its jobs is 32 KiB; a provider, or a signal handler, may need more. Only what is touched is there.
    private static let stackBytes = 262_144
    private static let guardBytes = 65536  // a page, however large pages are

    private let mapping: UnsafeMutableRawPointer
    private let outside = UnsafeMutablePointer<ucontext_t>.allocate(capacity: 1)
    private let inside = UnsafeMutablePointer<ucontext_t>.allocate(capacity: 1)
    private var body: (() -> CInt)?
    private var value: CInt = 0
    /// It has been begun, and has not ended.
    package private(set) var isUnderWay = false
    #if DEBUG
        private var insideForSanitizer = ThreadSanitizer.make?(0)
        private var outsideForSanitizer: UnsafeMutableRawPointer?
    #endif

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
        unsafe outside.initialize(to: ucontext_t())
        unsafe inside.initialize(to: ucontext_t())
    }

    deinit {
        _ = unsafe munmap(mapping, Self.guardBytes + Self.stackBytes)
        unsafe outside.deallocate()
        unsafe inside.deallocate()
        #if DEBUG
            unsafe ThreadSanitizer.destroy?(insideForSanitizer)
        #endif
    }

    /// Begins a call; nothing else is under way. Returns what it came to, or nil when it stands still.
    package func begin(_ body: @escaping () -> CInt) -> CInt? {
        let address = unsafe UInt(bitPattern: Unmanaged.passUnretained(self).toOpaque())
        let isMade = unsafe clinux_make_context(
            inside, outside, mapping + Self.guardBytes, Self.stackBytes,
            { high, low in
                guard let found = unsafe UnsafeMutableRawPointer(bitPattern: UInt(high) << 32 | UInt(low)) else {
                    return
                }
                unsafe Unmanaged<Fiber>.fromOpaque(found)._withUnsafeGuaranteedRef { $0.run() }
            }, UInt32(truncatingIfNeeded: address >> 32), UInt32(truncatingIfNeeded: address))
        guard isMade == 0 else { return -1 }
        self.body = body
        isUnderWay = true
        return goOn()
    }

    /// Goes on where it stands still.
    package func goOn() -> CInt? {
        #if DEBUG
            unsafe outsideForSanitizer = ThreadSanitizer.current?()
            unsafe ThreadSanitizer.change?(insideForSanitizer, 0)
        #endif
        _ = unsafe swapcontext(outside, inside)
        return isUnderWay ? nil : value
    }

    /// Has it stand still. Only on its own stack.
    package func pause() {
        #if DEBUG
            unsafe ThreadSanitizer.change?(outsideForSanitizer, 0)
        #endif
        _ = unsafe swapcontext(inside, outside)
    }

    private func run() {
        value = body?() ?? -1
        body = nil
        isUnderWay = false
        #if DEBUG
            unsafe ThreadSanitizer.change?(outsideForSanitizer, 0)
        #endif
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
