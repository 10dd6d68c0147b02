/// Uses what a variable refers to without counting the reference, which a record would otherwise pay for many times over
/// with an atomic operation. The variable must hold on to it until `body` has returned. Nil for nil.
@inline(__always) @_alwaysEmitIntoClient
package func uncounted<Object: AnyObject, Result>(_ object: Object?, _ body: (Object) -> Result) -> Result? {
    guard let held = unsafe object.map({ unsafe Unmanaged.passUnretained($0) }) else { return nil }
    return unsafe held._withUnsafeGuaranteedRef(body)
}
