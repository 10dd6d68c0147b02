internal import COpenSSL

/// What a name of a list of ciphers stands for.
enum Cipher {
    case suite
    /// With the name by which OpenSSL takes it.
    case older([CChar])
    case unprotected([CChar])
    case unknown(OpenSSLError)

    static var protected: [CChar] { [CChar](":!aNULL:!eNULL") }

    /// `isFirst` it may be a word that OpenSSL passes over further behind.
    init(_ name: [CChar], isFirst: Bool, _ trial: OpaquePointer) {
        ERR_clear_error()
        guard name.starts(with: [CChar]("TLS_")) else {
            self = unsafe Self.older(name, isFirst, trial)
            return
        }
        if let suite = unsafe Self.suite(name, trial) {
            self = suite
        } else if let known = unsafe OPENSSL_cipher_name(name + [0]) {
            // The name of an older one in the RFCs, which OpenSSL takes for it from 3.2 on.
            self = unsafe Self.older(Array(UnsafeBufferPointer(start: known, count: strlen(known))), isFirst, trial)
        } else {
            self = .unknown(.drain())
        }
    }

    /// Nil for what is none. OpenSSL takes the RFCs' names of older ones for suites, and would offer them: those too that
    /// are not protected.
    private static func suite(_ name: [CChar], _ trial: OpaquePointer) -> Cipher? {
        defer { _ = unsafe SSL_CTX_set_ciphersuites(trial, cString("")) }
        guard unsafe SSL_CTX_set_ciphersuites(trial, name + [0]) == 1,
            let cipher = unsafe copenssl_ciphers_at(SSL_CTX_get_ciphers(trial), 0),
            unsafe SSL_CIPHER_get_protocol_id(cipher) >> 8 == 0x13
        else { return nil }
        return unsafe SSL_CIPHER_get_cipher_nid(cipher) == NID_undef ? .unprotected(name) : .suite
    }

    private static func older(_ name: [CChar], _ isFirst: Bool, _ trial: OpaquePointer) -> Cipher {
        ERR_clear_error()
        unsafe copenssl_ctx_end_suite_b(trial)  // of the name before
        let before = isFirst && isWholeList(name) ? [] : [CChar]("-ALL:")
        if unsafe SSL_CTX_set_cipher_list(trial, before + name + protected + [0]) == 1 { return .older(name) }
        let cause = OpenSSLError.drain()
        if unsafe SSL_CTX_set_cipher_list(trial, before + name + [0]) == 1 { return .unprotected(name) }
        ERR_clear_error()
        return .unknown(cause)
    }
}

/// OpenSSL's operators: "!", "-" and "+" take away and move what is behind them, "@" gives a command.
struct Operation {
    let mark: CChar
    let operand: ArraySlice<CChar>

    init?(_ term: [CChar]) {
        guard let first = term.first, [CChar]("!-+@").contains(first) else { return nil }
        mark = first
        operand = term.dropFirst()
    }

    var isCommand: Bool { mark == CChar(bitPattern: UInt8(ascii: "@")) }
}

/// The terms of a list. OpenSSL begins one at "!" and "@", too ("DEFAULT@SECLEVEL=1"), and one more space is no name.
func terms(in list: UnsafePointer<CChar>) throws(SettingRefused) -> [[CChar]] {
    var terms: [[CChar]] = []
    for part in unsafe names(in: list, separators: ":,;") {
        var isEmpty = true
        var term: [CChar] = []
        for byte in part + [space] {
            let begins = [CChar]("!@").contains(byte) && term != [question]
            if (begins || byte == space) && !term.isEmpty {
                terms.append(term)
                term = []
                isEmpty = false
            }
            if byte != space { term.append(byte) }
        }
        guard !isEmpty else { throw SettingRefused(SettingRefused.emptyName) }
    }
    return terms
}

/// Words that OpenSSL knows at the beginning of a list only.
private func isWholeList(_ word: [CChar]) -> Bool {
    isAny(word, of: ["DEFAULT", "SUITEB128", "SUITEB128C2", "SUITEB128ONLY", "SUITEB192"])
}

/// Words for ciphers that OpenSSL had once, or is built without: everybody still takes them away.
func isOfThePast(_ word: [CChar]) -> Bool {
    let words: [StaticString] = [
        "3DES", "ARIA", "ARIA128", "ARIA256", "ARIAGCM", "CAMELLIA", "CAMELLIA128", "CAMELLIA256", "DES", "DSS", "aDSS",
        "EXP", "EXPORT", "EXPORT40", "EXPORT56", "GOST", "aGOST", "kGOST", "IDEA", "KRB5", "LOW", "MD5", "MEDIUM",
        "PSK",
        "RC2", "RC4", "SEED", "SRP", "SSLv2", "aECDH", "kECDH", "EDH-DSS-DES-CBC3-SHA", "EDH-RSA-DES-CBC3-SHA",
        "KRB5-DES-CBC3-SHA", "DES-CBC3-SHA",
    ]
    return isAny(word, of: words)
}

private func isAny(_ word: [CChar], of words: [StaticString]) -> Bool {
    words.contains { known in
        word == [CChar](known)
    }
}

var unknownCipher: StaticString { "OpenSSL knows no cipher of this name" }
var plus: CChar { CChar(bitPattern: UInt8(ascii: "+")) }
private var space: CChar { CChar(bitPattern: UInt8(ascii: " ")) }
private var question: CChar { CChar(bitPattern: UInt8(ascii: "?")) }
