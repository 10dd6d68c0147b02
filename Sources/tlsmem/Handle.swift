internal import CLinux
internal import CTLSMem

#if !DEBUG
    /// C pointer <-> object, here and nowhere else.
    ///
    /// A handle is an unretained pointer to a Swift object. Whoever made the object with `handOut` owns one reference
    /// through it, and gives it up with `takeBack`. Nothing is checked but NULL: debug builds have another `Handle`
    /// (DebugHandle.swift), which is what the callers' names, `enter`, `leave` and `forget` are for.
    enum Handle {
        static func of(_ object: AnyObject) -> OpaquePointer {
            unsafe OpaquePointer(Unmanaged.passUnretained(object).toOpaque())
        }

        static func handOut(_ object: AnyObject) -> OpaquePointer {
            unsafe OpaquePointer(Unmanaged.passRetained(object).toOpaque())
        }

        @inline(__always)
        static func takeBack<Object: AnyObject>(
            _ handle: OpaquePointer, _: Object.Type, _: StaticString = #function
        ) {
            unsafe Unmanaged<Object>.fromOpaque(UnsafeRawPointer(handle)).release()
        }

        /// The object behind a handle, retained for as long as the caller uses it; nil for NULL.
        @inline(__always)
        static func object<Object: AnyObject>(
            _ handle: OpaquePointer?, _: Object.Type, _: StaticString = #function
        ) -> Object? {
            guard let handle = unsafe handle else { return nil }
            return unsafe Unmanaged<Object>.fromOpaque(UnsafeRawPointer(handle)).takeUnretainedValue()
        }

        /// The same where another thread may be using it.
        @inline(__always)
        static func shared<Object: AnyObject>(
            _ handle: OpaquePointer?, _ type: Object.Type, _: StaticString = #function
        ) -> Object? { unsafe object(handle, type) }

        /// Uses the object without counting the reference.
        @inline(__always)
        static func use<Object: AnyObject, Result>(
            _ handle: OpaquePointer?, _: Object.Type, _: StaticString, _ body: (Object) -> Result
        ) -> Result? {
            guard let handle = unsafe handle else { return nil }
            return unsafe Unmanaged<Object>.fromOpaque(UnsafeRawPointer(handle))._withUnsafeGuaranteedRef(body)
        }

        /// The thread begins something long in it, which may call back, and ends it.
        @inline(__always)
        static func enter(_: AnyObject) {}
        @inline(__always)
        static func leave(_: AnyObject) {}
        /// The program has freed it, however long it still lives.
        @inline(__always)
        static func forget(_: AnyObject) {}
    }
#endif

/// Bytes that come from C: nil for a NULL pointer with a length, and for a length that cannot be one.
func input(_ start: UnsafeRawPointer?, _ count: Int) -> UnsafeRawBufferPointer? {
    guard count >= 0, unsafe start != nil || count == 0 else { return nil }
    return unsafe UnsafeRawBufferPointer(start: start, count: count)
}

/// Pieces that come from C: nil for too many, when one of them is not what `input` takes, and for more bytes in all than
/// can be.
func inputs(_ start: UnsafePointer<iovec>?, _ count: CInt) -> UnsafeBufferPointer<iovec>? {
    guard count >= 0, count <= 1024, unsafe start != nil || count == 0 else { return nil }
    let pieces = unsafe UnsafeBufferPointer(start: start, count: Int(count))
    var total = 0
    for index in 0..<pieces.count {
        let piece = unsafe pieces[index]
        let size = unsafe piece.iov_len
        guard size == 0 || (unsafe input(piece.iov_base, size) != nil) else { return nil }
        let (sum, overflowed) = total.addingReportingOverflow(size)
        guard !overflowed else { return nil }
        total = sum
    }
    return unsafe pieces
}

/// Memory of C's that a text goes to; nil for NULL with a length, and for a length that cannot be one.
func output(_ text: UnsafeMutablePointer<CChar>?, _ count: Int) -> UnsafeMutableRawBufferPointer? {
    guard count >= 0, unsafe text != nil || count == 0 else { return nil }
    return unsafe UnsafeMutableRawBufferPointer(start: text, count: count)
}

/// A struct that C gave us to fill; nil for NULL or a size that we do not know.
func output<Struct>(_ target: UnsafeMutablePointer<Struct>?, _ size: (Struct) -> Int) -> UnsafeMutablePointer<Struct>? {
    guard let target = unsafe target, size(unsafe target.pointee) == MemoryLayout<Struct>.size else { return nil }
    return unsafe target
}
