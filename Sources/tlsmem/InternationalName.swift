internal import CLinux

/// Host names with letters beyond ASCII, as they stand in the DNS and in certificates: in A-labels (IDNA2008, RFC 5891).
///
/// libidn2 knows how. It is loaded with the first such name, as glibc does for AI_IDN, so that nobody else needs it.
enum InternationalName {
    private typealias LookUp =
        @convention(c) (UnsafePointer<UInt8>?, UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?, CInt) -> CInt

    /// "xn--bcher-kva.example" for "b\u{FC}cher.example"; a name in ASCII as it is. Nil for what can be no name, and without
    /// libidn2.
    static func ascii(_ name: UnsafePointer<CChar>) -> [CChar]? {
        let given = unsafe Array(UnsafeBufferPointer(start: name, count: strlen(name) + 1))
        guard given.contains(where: { UInt8(bitPattern: $0) >= 0x80 }) else { return given }
        guard let lookUp = unsafe Self.lookUp else { return nil }
        var found: UnsafeMutablePointer<UInt8>?
        let code = unsafe given.withUnsafeBytes {
            unsafe lookUp($0.baseAddress?.assumingMemoryBound(to: UInt8.self), &found, composed | nonTransitional)
        }
        guard code == 0, let found = unsafe found else { return nil }
        defer { unsafe free(found) }  // as its idn2_free does
        let text = unsafe UnsafeRawPointer(found).assumingMemoryBound(to: CChar.self)
        return unsafe Array(UnsafeBufferPointer(start: text, count: strlen(text) + 1))
    }

    /// The same, for whoever refuses what is no name with a reason.
    static func orItself(_ name: UnsafePointer<CChar>) -> [CChar] {
        unsafe ascii(name) ?? Array(UnsafeBufferPointer(start: name, count: strlen(name) + 1))
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
