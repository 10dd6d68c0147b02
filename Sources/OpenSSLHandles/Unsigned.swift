internal import COpenSSL

/// Why there is no signature, as an error of OpenSSL's: the connection that fails has its sentence.
enum Unsigned: CInt {
    case nobodyToAsk = 1
    case refused, tooLong, wrong

    static var all: [Unsigned] { [.nobodyToAsk, .refused, .tooLong, .wrong] }

    private var sentence: StaticString {
        switch self {
        case .nobodyToAsk: "the key is held elsewhere, and this handshake has nobody to ask for a signature"
        case .refused: "the program has not signed"
        case .tooLong: "what the program has answered is empty, or too long for a signature of this key"
        case .wrong: "the signature that the program has answered with is not one of the certificate's key"
        }
    }

    /// OpenSSL's number for all of them.
    static var library: CInt { unsafe number }

    /// Gives OpenSSL the sentences, once in the process.
    static func begin() {
        unsafe number = ERR_get_next_error_library()
        let list = unsafe all.map {
            unsafe ERR_STRING_DATA(error: copenssl_error(library, $0.rawValue), string: cString($0.sentence))
        }
        unsafe sentences = forever(list + [ERR_STRING_DATA()])
        unsafe ERR_load_strings(library, UnsafeMutablePointer(mutating: sentences))
    }

    /// Leaves it in the queue.
    func raise<Signature>() -> Signature? {
        copenssl_raise(Self.library, rawValue)
        return nil
    }
}

private nonisolated(unsafe) var number: CInt = -1
/// OpenSSL keeps pointers into it.
private nonisolated(unsafe) var sentences: UnsafePointer<ERR_STRING_DATA>?
