internal import COpenSSL

/// Ticket keys as text, one a line: name and secret in 160 hexadecimal digits, and the three times. What is behind "#" is
/// for people.
@safe struct TicketKeyFile {
    /// With no two of one name. Refused whole if one line is not as it should be: the line is named.
    static func read(_ source: borrowing PEMSource) throws(SettingRefused) -> [TicketKey] {
        var keys: [TicketKey] = []
        var rest = unsafe source.bytes[...]
        var number = 0
        while unsafe !rest.isEmpty {
            number &+= 1
            let end = unsafe rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
            let line = unsafe rest[rest.startIndex..<end]
            unsafe rest = rest[min(end &+ 1, rest.endIndex)...]
            do throws(SettingRefused) {
                guard let key = try unsafe key(line) else { continue }
                if keys.contains(where: { $0.name == key.name }) { throw SettingRefused.nameTaken }
                if keys.count >= TicketKeyRing.most { throw SettingRefused.tooManyKeys }
                keys.append(key)
            } catch {
                throw unsafe SettingRefused(error.sentence, error.cause, name: place(source.path, number))
            }
        }
        if keys.isEmpty { throw source.refused("there is no key in it") }
        return keys
    }

    /// Nil for a line without any.
    private static func key(_ line: Slice<UnsafeRawBufferPointer>) throws(SettingRefused) -> TicketKey? {
        let said = unsafe line.prefix { $0 != UInt8(ascii: "#") }
        let fields = unsafe said.split { [UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r")].contains($0) }
        guard let digits = unsafe fields.first else { return nil }
        guard unsafe fields.count == 4, let from = unsafe seconds(fields[1]), let until = unsafe seconds(fields[2]),
            let end = unsafe seconds(fields[3])
        else { throw SettingRefused("it is not a key and three times in seconds") }
        guard unsafe digits.count == 2 * (TicketKey.nameCount + TicketKey.secretCount) else {
            throw SettingRefused("the key does not have 160 hexadecimal digits")
        }
        var name = [UInt8](repeating: 0, count: TicketKey.nameCount)
        let nameIsGood = unsafe name.withUnsafeMutableBytes { unsafe decode(digits.prefix(2 * $0.count), $0) }
        var isGood = true
        let times = TicketKeyTimes(sealsFrom: from, sealsUntil: until, opensUntil: end)
        let key = try unsafe TicketKey.checked(name, times) { target in
            isGood = unsafe decode(digits.dropFirst(2 * TicketKey.nameCount), target)
        }
        guard nameIsGood, isGood else { throw SettingRefused("the key does not have 160 hexadecimal digits") }
        return key
    }

    private static func seconds(_ field: Slice<UnsafeRawBufferPointer>) -> Int64? {
        guard unsafe field.count <= 18 else { return nil }  // no sum of that overflows
        var number: Int64 = 0
        for index in unsafe field.indices {
            let digit = unsafe field[index]
            guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
            number = number &* 10 &+ Int64(digit - UInt8(ascii: "0"))
        }
        return number
    }

    /// Writes the bytes that as many pairs of digits stand for.
    private static func decode(
        _ digits: Slice<UnsafeRawBufferPointer>, _ target: UnsafeMutableRawBufferPointer
    ) -> Bool {
        var place = unsafe digits.startIndex
        for index in target.indices {
            guard unsafe place &+ 1 < digits.endIndex, let high = unsafe value(digits[place]),
                let low = unsafe value(digits[place + 1])
            else { return false }
            unsafe target[index] = high << 4 | low
            place &+= 2
        }
        return true
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// "keys.txt, line 7", or "line 7" of what comes from memory.
    private static func place(_ path: UnsafePointer<CChar>?, _ line: Int) -> [CChar] {
        var place = unsafe path.map { unsafe Array(UnsafeBufferPointer(start: $0, count: strlen($0))) } ?? []
        if !place.isEmpty { place += [CChar](", ") }
        return place + [CChar]("line ") + [CChar](decimal: line)
    }
}
