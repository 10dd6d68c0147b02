internal import COpenSSL
internal import Synchronization

/// A provider of OpenSSL's (provider(7)) for keys that are held elsewhere, in a library context of its own, where nothing else
/// in the process comes upon it: only a key that was made there is used by it.
///
/// To sign, OpenSSL first asks such a key for its private part, to do that by itself; as this is refused, it turns to the
/// provider that the key is from (do_sigver_init).
enum SigningProvider {
    /// The library context, made with the first such key; it stays. Nil without memory.
    static var library: OpaquePointer? {
        if let there = unsafe OpaquePointer(bitPattern: made.load(ordering: .acquiring)) { return unsafe there }
        _ = unsafe CRYPTO_THREAD_run_once(&tablesOnce) {
            Unsigned.begin()
            unsafe tables = Tables()
        }
        guard let fresh = unsafe OSSL_LIB_CTX_new() else { return nil }
        guard unsafe OSSL_PROVIDER_add_builtin(fresh, cString("tlsmem"), begin) == 1,
            unsafe OSSL_PROVIDER_load(fresh, cString("tlsmem")) != nil, unsafe hasAll(fresh)
        else {
            unsafe OSSL_LIB_CTX_free(fresh)
            return nil
        }
        let (isFirst, other) = made.compareExchange(
            expected: 0, desired: UInt(bitPattern: fresh), ordering: .acquiringAndReleasing)
        if isFirst { return unsafe fresh }
        unsafe OSSL_LIB_CTX_free(fresh)  // another thread was faster
        return unsafe OpaquePointer(bitPattern: other)
    }
}

/// What OpenSSL does not find once, for want of memory, it does not look for again.
private func hasAll(_ library: OpaquePointer) -> Bool {
    for type in RemoteKeyType.all {
        guard let keys = unsafe EVP_KEYMGMT_fetch(library, cString(type.name), nil) else { return false }
        unsafe EVP_KEYMGMT_free(keys)
        let name: StaticString = type == .ec ? "ECDSA" : type.name
        guard let signatures = unsafe EVP_SIGNATURE_fetch(library, cString(name), nil) else { return false }
        unsafe EVP_SIGNATURE_free(signatures)
    }
    return true
}

private let made = Atomic<UInt>(0)

// MARK: What OpenSSL finds

/// What the provider consists of, for as long as the process lasts.
@safe private struct Tables {
    let provider: UnsafePointer<OSSL_DISPATCH> = unsafe dispatch([(OSSL_FUNC_PROVIDER_QUERY_OPERATION, function(query))]
    )
    let keys: UnsafePointer<OSSL_ALGORITHM> = unsafe list(
        RemoteKeyType.all.map { unsafe ($0.keyNames, keyFunctions($0)) })
    let signatures: UnsafePointer<OSSL_ALGORITHM>

    init() {
        let functions = unsafe signatureFunctions()
        unsafe signatures = list(RemoteKeyType.all.map { unsafe ($0.signatureNames, functions) })
    }
}

/// There before OpenSSL sees the provider.
private nonisolated(unsafe) var tables: Tables?
private nonisolated(unsafe) var tablesOnce: CRYPTO_ONCE = 0

private let begin:
    @convention(c) (
        OpaquePointer?, UnsafePointer<OSSL_DISPATCH>?, UnsafeMutablePointer<UnsafePointer<OSSL_DISPATCH>?>?,
        UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) -> CInt = { _, _, functions, context in
        unsafe functions?.pointee = tables?.provider
        unsafe context?.pointee = nil
        return 1
    }

private let query:
    @convention(c) (UnsafeMutableRawPointer?, CInt, UnsafeMutablePointer<CInt>?) -> UnsafePointer<OSSL_ALGORITHM>? =
        { _, operation, isVolatile in
            unsafe isVolatile?.pointee = 0
            switch operation {
            case OSSL_OP_KEYMGMT: return unsafe tables?.keys
            case OSSL_OP_SIGNATURE: return unsafe tables?.signatures
            default: return nil
            }
        }

extension RemoteKeyType {
    fileprivate var keyNames: StaticString {
        switch self {
        case .rsa: "RSA:rsaEncryption:1.2.840.113549.1.1.1"
        case .ec: "EC:id-ecPublicKey:1.2.840.10045.2.1"
        case .ed25519: "ED25519:1.3.101.112"
        case .ed448: "ED448:1.3.101.113"
        }
    }

    /// As OpenSSL's own provider calls them.
    fileprivate var signatureNames: StaticString { self == .ec ? "ECDSA" : keyNames }
}

// MARK: Tables

typealias Function = @convention(c) () -> Void

/// A function of any type as one of none, which is how tables have them.
func function<Typed>(_ typed: Typed) -> Function {
    unsafe unsafeBitCast(typed, to: Function.self)
}

/// A table of functions by their numbers.
func dispatch(_ functions: [(CInt, Function)]) -> UnsafePointer<OSSL_DISPATCH> {
    unsafe forever(
        functions.map { OSSL_DISPATCH(function_id: $0.0, function: $0.1) }
            + [OSSL_DISPATCH(function_id: 0, function: nil)])
}

private func list(_ algorithms: [(StaticString, UnsafePointer<OSSL_DISPATCH>)]) -> UnsafePointer<OSSL_ALGORITHM> {
    unsafe forever(
        algorithms.map { names, functions in
            unsafe OSSL_ALGORITHM(
                algorithm_names: cString(names), property_definition: cString("provider=tlsmem"),
                implementation: functions, algorithm_description: nil)
        } + [unsafe OSSL_ALGORITHM()])
}

func forever<Element>(_ elements: [Element]) -> UnsafePointer<Element> {
    let memory = unsafe copenssl_allocate(elements.count &* MemoryLayout<Element>.stride)
    let copy = unsafe memory.assumingMemoryBound(to: Element.self)
    for (index, element) in elements.enumerated() { unsafe (copy + index).initialize(to: element) }
    return unsafe UnsafePointer(copy)
}
