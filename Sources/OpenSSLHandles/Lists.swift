internal import COpenSSL

/// The parts of a C string between separators, empty ones too.
func names(in list: UnsafePointer<CChar>, separators: StaticString) -> [[CChar]] {
    let text = unsafe Array(UnsafeBufferPointer(start: list, count: strlen(list)))
    let marks = [CChar](separators)
    var (names, name): ([[CChar]], [CChar]) = ([], [])
    for character in text {
        if marks.contains(character) {
            names.append(name)
            name = []
        } else {
            name.append(character)
        }
    }
    return names + [name]
}

/// A name of a list; "?" before it says that it may be unknown, and is left out then. It may stand behind OpenSSL's "*".
struct ListedName {
    let name: [CChar]
    let mayBeUnknown: Bool

    init(_ text: [CChar]) {
        let (mark, star) = (CChar(bitPattern: UInt8(ascii: "?")), CChar(bitPattern: UInt8(ascii: "*")))
        let isStarred = text.starts(with: [star, mark])
        mayBeUnknown = isStarred || text.first == mark
        name = isStarred ? [star] + text.dropFirst(2) : mayBeUnknown ? Array(text.dropFirst()) : text
    }

    /// It is unknown: to be left out if it may be, else the list is refused.
    func leaveOut(or sentence: StaticString, _ cause: OpenSSLError) throws(SettingRefused) {
        guard mayBeUnknown, !cause.isOutOfMemory else { throw SettingRefused(sentence, cause, name: name) }
    }
}

extension SettingRefused {
    static var emptyName: StaticString { "a name in the list is empty" }
}

extension [CChar] {
    /// Appends a name of a list, behind a colon unless it is the first.
    mutating func append(name: [CChar]) {
        if !isEmpty { append(CChar(bitPattern: UInt8(ascii: ":"))) }
        append(contentsOf: name)
    }
}

extension OwnedContext {
    /// Sets a list that OpenSSL takes whole or not at all, and never says which name it is that it does not know. It
    /// understands "?" from 3.3 on, and then takes a list of which nothing is left. So what it refuses, and what has a "?",
    /// is tried name by name, on a context of its own.
    func setList(
        _ list: UnsafePointer<CChar>, ifUnknown sentence: StaticString,
        _ set: (OpaquePointer, UnsafePointer<CChar>) -> CInt
    ) throws(SettingRefused) {
        let names = unsafe names(in: list, separators: ":").map(ListedName.init)
        guard names.allSatisfy({ !$0.name.isEmpty }) else { throw SettingRefused(SettingRefused.emptyName) }
        ERR_clear_error()
        if !names.contains(where: { $0.mayBeUnknown }), unsafe set(ctx, list) == 1 { return }
        let cause = OpenSSLError.drain()
        guard let trial = unsafe SSL_CTX_new(TLS_method()) else { throw SettingRefused("out of memory", .drain()) }
        defer { unsafe SSL_CTX_free(trial) }
        var known: [CChar] = []
        for listed in names {
            guard unsafe set(trial, listed.name + [0]) == 1 else {
                try listed.leaveOut(or: sentence, .drain())
                continue
            }
            known.append(name: listed.name)
            // By another name, too; OpenSSL leaves it out from 3.5 on, and says nothing before.
            guard unsafe set(trial, known + [0]) == 1 else {
                throw SettingRefused("it is in the list twice", .drain(), name: listed.name)
            }
        }
        guard !known.isEmpty else { throw SettingRefused("OpenSSL knows no name of the list", cause) }
        guard unsafe set(ctx, known + [0]) == 1 else {
            throw SettingRefused("OpenSSL does not take the list", .drain())
        }
    }
}
