/// One reference to an object, whose uses are not counted. Whoever has it must not lose it while it is used.
@safe @frozen @usableFromInline package struct Held<Object: AnyObject>: ~Copyable {
    @usableFromInline let reference: Unmanaged<Object>

    @inlinable package init(_ object: consuming Object) {
        unsafe reference = Unmanaged.passRetained(object)
    }

    @inlinable deinit {
        unsafe reference.release()
    }

    /// Makes a counted one of it.
    @inlinable package consuming func counted() -> Object {
        let object = unsafe reference.takeRetainedValue()
        discard self
        return object
    }

    @inline(__always) @_alwaysEmitIntoClient
    package borrowing func use<Result>(_ body: (Object) -> Result) -> Result {
        unsafe reference._withUnsafeGuaranteedRef(body)
    }
}
