internal import CLinux

/// Host names with letters beyond ASCII, as they stand in the DNS and in certificates: in A-labels (IDNA2008, RFC 5891).
///
/// libidn2 knows how. It is loaded with the first such name, as glibc does for AI_IDN, so that nobody else needs it.
enum InternationalName {
    private typealias LookUp =
        @convention(c) (UnsafePointer<UInt8>?, UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?, CInt) -> CInt

    /// Shows "xn--bcher-kva.example" for "b\u{FC}cher.example", and a name in ASCII as it is; what can be no name as nil, and
    /// what is not in ASCII, too, without libidn2.
    static func withASCII<Result>(
        _ name: UnsafePointer<CChar>, _ body: (UnsafePointer<CChar>?) -> Result
    ) -> Result {
        let bytes = unsafe UnsafeRawBufferPointer(start: name, count: strlen(name))
        guard unsafe bytes.contains(where: { $0 >= 0x80 }) else { return unsafe body(name) }
        var found: UnsafeMutablePointer<UInt8>?
        let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        guard let lookUp = unsafe Self.lookUp, unsafe lookUp(start, &found, composed | nonTransitional) == 0 else {
            return body(nil)
        }
        defer { unsafe free(found) }  // as its idn2_free does
        return unsafe body(UnsafeRawPointer(found)?.assumingMemoryBound(to: CChar.self))
    }

    // Of idn2.h: IDN2_NFC_INPUT and IDN2_NONTRANSITIONAL.
    private static var composed: CInt { 1 }
    private static var nonTransitional: CInt { 8 }

    private static var lookUp: LookUp? {
        _ = unsafe pthread_once(&once) {
            guard let library = unsafe dlopen("libidn2.so.0", RTLD_NOW | RTLD_LOCAL) else { return }
            unsafe symbol = dlsym(library, "idn2_lookup_u8")  // the library stays loaded
        }
        return unsafe symbol.map { unsafe unsafeBitCast($0, to: LookUp.self) }
    }
}

private nonisolated(unsafe) var symbol: UnsafeMutableRawPointer?
private nonisolated(unsafe) var once: pthread_once_t = 0
