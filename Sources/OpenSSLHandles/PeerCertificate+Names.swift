internal import COpenSSL

/// The alternative names of a certificate (RFC 5280, 4.2.1.6), as text.
///
/// The list is walked and not decoded: a peer may send thousands of names, and each of them may be asked for in turn.
extension PeerCertificate {
    package var nameCount: Int {
        var count = 0
        unsafe walkNames { _, _ in
            count &+= 1
            return true
        }
        return count
    }

    /// Nil behind the last.
    package func name(at index: Int) -> [UInt8]? {
        var (left, text): (Int, [UInt8]?) = (index, nil)
        guard index >= 0 else { return nil }
        unsafe walkNames { tag, value in
            if left == 0 { text = unsafe described(tag, value) }
            left &-= 1
            return text == nil
        }
        return text
    }

    /// Shows the names one by one until `show` says false. There are none when the list is not there, or is there twice; one
    /// that is broken ends where it is, and OpenSSL does not verify such a certificate.
    private func walkNames(_ show: (_ tag: CInt, _ value: UnsafeRawBufferPointer) -> Bool) {
        let place = unsafe X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1)
        guard place >= 0, unsafe X509_get_ext_by_NID(certificate, NID_subject_alt_name, place) < 0 else { return }
        let value = unsafe X509_EXTENSION_get_data(X509_get_ext(certificate, place))
        let start = unsafe ASN1_STRING_get0_data(value)
        let bytes = unsafe UnsafeRawBufferPointer(start: start, count: Int(max(0, ASN1_STRING_length(value))))
        defer { ERR_clear_error() }
        var whole = unsafe Elements(rest: bytes)
        guard let list = whole.next(), list.tag == V_ASN1_SEQUENCE, list.kind == V_ASN1_UNIVERSAL else { return }
        var names = unsafe Elements(rest: list.content)
        while let name = names.next(), name.kind == V_ASN1_CONTEXT_SPECIFIC, unsafe show(name.tag, name.content) {}
    }
}

/// DER elements, one after the other.
@safe private struct Elements {
    @safe struct Element {
        let tag: CInt
        let kind: CInt
        let content: UnsafeRawBufferPointer
    }

    private(set) var rest: UnsafeRawBufferPointer

    /// Nil at the end, and for what is broken or of indefinite length.
    mutating func next() -> Element? {
        let room = unsafe rest.count
        guard room > 0, let start = unsafe rest.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return nil }
        var position: UnsafePointer<UInt8>? = unsafe start
        var (length, tag, kind): (Int, CInt, CInt) = (0, 0, 0)
        let form = unsafe ASN1_get_object(&position, &length, &tag, &kind, room)
        let head = unsafe UnsafeRawPointer(position).map { unsafe $0 - UnsafeRawPointer(start) } ?? 0
        guard form & (0x80 | 1) == 0, head > 0, length >= 0, length <= room - head else { return nil }
        let content = unsafe UnsafeRawBufferPointer(rebasing: rest[head..<head &+ length])
        unsafe rest = UnsafeRawBufferPointer(rebasing: rest[(head &+ length)...])
        return unsafe Element(tag: tag, kind: kind, content: content)
    }
}

/// A name by its tag. What is in it was written by whoever made the certificate: see `escaped`.
private func described(_ tag: CInt, _ value: UnsafeRawBufferPointer) -> [UInt8] {
    switch tag {
    case GEN_EMAIL: return unsafe escaped("email:", value)
    case GEN_DNS: return unsafe escaped("DNS:", value)
    case GEN_URI: return unsafe escaped("URI:", value)
    case GEN_IPADD: return unsafe address(value) ?? text("other:iPAddress")
    case GEN_OTHERNAME: return text("other:otherName")
    case GEN_X400: return text("other:x400Address")
    case GEN_DIRNAME: return text("other:directoryName")
    case GEN_EDIPARTY: return text("other:ediPartyName")
    case GEN_RID: return text("other:registeredID")
    default: return text("other:")
    }
}

private func text(_ text: StaticString) -> [UInt8] {
    unsafe [UInt8](text.bytes)
}

/// Anything but printable ASCII becomes \xHH, the backslash too: a NUL would cut the name short, a line feed begin another.
private func escaped(_ kind: StaticString, _ value: UnsafeRawBufferPointer) -> [UInt8] {
    var name = text(kind)
    for index in value.indices {
        let byte = unsafe value[index]
        if byte >= 0x20, byte < 0x7f, byte != UInt8(ascii: "\\") {
            name.append(byte)
        } else {
            name.append(UInt8(ascii: "\\"))
            name.append(UInt8(ascii: "x"))
            name.append(hexadecimal: byte)
        }
    }
    return name
}

/// Four bytes or sixteen, in the form of RFC 5952; nil for any other number.
private func address(_ value: UnsafeRawBufferPointer) -> [UInt8]? {
    guard value.count == 4 || value.count == 16 else { return nil }
    var room = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    let family = value.count == 4 ? AF_INET : AF_INET6
    guard unsafe copenssl_print_address(family, value.baseAddress, &room, UInt32(room.count)) == 1 else { return nil }
    return text("IP:") + room.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
}
