#if DEBUG
    internal import CLinux
    internal import Synchronization

    /// What a handle of a debug build points to. An object has one, from when it is first shown to the program.
    @safe struct HandleEntry: ~Copyable {
        let type: ObjectIdentifier
        let noun: String
        let address: UnsafeRawPointer
        /// Nil once it is gone, freed or not.
        weak var object: AnyObject?
        /// Made before this one, and found after it.
        fileprivate let older: UnsafeMutablePointer<HandleEntry>?
        /// Who has to give it back.
        let owners = Atomic<Int>(0)
        let isFreed = Atomic<Bool>(false)
        /// The thread that is inside, or 0; how often, it alone knows.
        private let thread = Atomic<UInt>(0)
        private var depth = 0

        fileprivate init(_ object: AnyObject, older: UnsafeMutablePointer<HandleEntry>?) {
            type = ObjectIdentifier(Swift.type(of: object))
            noun = Handle.noun(Swift.type(of: object))
            unsafe address = unsafe UnsafeRawPointer(Unmanaged.passUnretained(object).toOpaque())
            self.object = object
            unsafe self.older = unsafe older
        }

        /// One owner less; false when there is none. The last one has freed it.
        func giveUp() -> Bool {
            var left = owners.load(ordering: .relaxed)
            while left > 0 {
                let (isDone, now) = owners.compareExchange(expected: left, desired: left - 1, ordering: .relaxed)
                if isDone {
                    if left == 1 { isFreed.store(true, ordering: .relaxed) }
                    return true
                }
                left = now
            }
            return false
        }

        private static var here: UInt { UInt(pthread_self()) }

        var isAnothers: Bool {
            let inside = thread.load(ordering: .relaxed)
            return inside != 0 && inside != Self.here
        }

        mutating func enter() {
            if !isAnothers {
                thread.store(Self.here, ordering: .relaxed)
                depth += 1
            }
        }

        mutating func leave() {
            guard !isAnothers, depth > 0 else { return }
            depth -= 1
            if depth == 0 { thread.store(0, ordering: .relaxed) }
        }
    }

    /// All entries, in memory that is only reserved until they are made, and none is ever given back: whether a pointer
    /// is one of them is seen without looking at what it points to.
    extension Handle {
        typealias Entry = UnsafeMutablePointer<HandleEntry>

        /// For which there was no memory: a handle of nothing.
        nonisolated(unsafe) static let noEntry = UnsafeMutablePointer<HandleEntry>.allocate(capacity: 1)

        private static let stride = MemoryLayout<HandleEntry>.stride
        private nonisolated(unsafe) static let region = unsafe reserve()
        private static let made = Atomic<Int>(0)

        private static func reserve() -> UnsafeRawBufferPointer {
            var bytes = 1 << 36
            while bytes > 1 << 20 {
                let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
                let found = unsafe mmap(nil, bytes, PROT_READ | PROT_WRITE, flags, -1, 0)
                if unsafe found != UnsafeMutableRawPointer(bitPattern: -1) {
                    return unsafe UnsafeRawBufferPointer(start: found, count: bytes)
                }
                bytes /= 2
            }
            return unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        }

        /// The entry that a pointer of the program's is the address of.
        static func entry(_ pointer: UnsafeRawPointer) -> Entry? {
            let (start, at) = unsafe (UInt(bitPattern: region.baseAddress), UInt(bitPattern: pointer))
            guard at >= start, (at - start) % UInt(stride) == 0,
                (at - start) / UInt(stride) < UInt(made.load(ordering: .acquiring))
            else { return nil }
            return unsafe Entry(mutating: pointer.assumingMemoryBound(to: HandleEntry.self))
        }

        // MARK: From object to entry

        private static let bucketCount = 65536
        private nonisolated(unsafe) static let buckets = {
            let buckets = UnsafeMutablePointer<Atomic<UInt>>.allocate(capacity: bucketCount)
            for index in 0..<bucketCount { unsafe (buckets + index).initialize(to: Atomic(0)) }
            return unsafe buckets
        }()

        private static func bucket(_ object: AnyObject) -> UnsafeMutablePointer<Atomic<UInt>> {
            let address = UInt(bitPattern: ObjectIdentifier(object))
            return unsafe buckets + Int((address >> 4 ^ address >> 20) % UInt(bucketCount))
        }

        static func find(_ object: AnyObject) -> Entry? {
            let address = unsafe UnsafeRawPointer(Unmanaged.passUnretained(object).toOpaque())
            var next = unsafe Entry(bitPattern: bucket(object).pointee.load(ordering: .acquiring))
            while let entry = unsafe next {
                // The address may have been another's before.
                if unsafe entry.pointee.address == address, unsafe entry.pointee.object != nil { return unsafe entry }
                unsafe next = unsafe entry.pointee.older
            }
            return nil
        }

        /// Nil without memory.
        static func make(_ object: AnyObject) -> Entry? {
            let place = made.wrappingAdd(1, ordering: .acquiringAndReleasing).oldValue
            guard let base = unsafe region.baseAddress, unsafe place < region.count / stride else { return nil }
            let entry = unsafe Entry(
                mutating: (base + place * stride).assumingMemoryBound(to: HandleEntry.self))
            let bucket = unsafe bucket(object)
            var older = unsafe bucket.pointee.load(ordering: .acquiring)
            while true {
                unsafe entry.initialize(to: HandleEntry(object, older: Entry(bitPattern: older)))
                let (isDone, now) = unsafe bucket.pointee.compareExchange(
                    expected: older, desired: UInt(bitPattern: entry), ordering: .acquiringAndReleasing)
                if isDone { return unsafe entry }
                unsafe entry.deinitialize(count: 1)
                older = now
            }
        }
    }
#endif
