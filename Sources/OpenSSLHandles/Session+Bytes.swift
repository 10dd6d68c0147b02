internal import COpenSSL

/// A session as bytes, which hold its secret: the mark, the name and the chain, each behind its length, then OpenSSL's DER.
/// Nothing secret is copied anywhere but to where the caller wants it.
extension Session {
    private static var mark: StaticString { "tlsmem session 1\n" }
    /// What is longer has more certificates than anybody needs.
    package static var bytesMax: Int { 1 << 20 }

    /// Writes it to the front of `target` if there is room for it, and it is not too long. Returns how long it is; nil
    /// without memory.
    package func write(to target: UnsafeMutableRawBufferPointer) -> Int? {
        ERR_clear_error()
        defer { ERR_clear_error() }
        let count = Int(unsafe i2d_SSL_SESSION(session, nil))
        guard let head, count > 0 else { return nil }
        guard head.count &+ count <= min(target.count, Self.bytesMax) else { return head.count &+ count }
        unsafe target.copyBytes(from: head)
        var position = unsafe target.baseAddress?.advanced(by: head.count).assumingMemoryBound(to: UInt8.self)
        _ = unsafe i2d_SSL_SESSION(session, &position)
        return head.count &+ count
    }

    /// What stands before the DER of the session, and is no secret.
    private var head: [UInt8]? {
        var certificates: [UInt8] = []
        for index in 0..<max(0, unsafe copenssl_x509s_count(chain)) {
            guard let der = unsafe encoded(copenssl_x509s_at(chain, index)) else { return nil }
            certificates.append(part: der)
        }
        let mark = Self.mark
        var head = unsafe [UInt8](UnsafeRawBufferPointer(start: mark.utf8Start, count: mark.utf8CodeUnitCount))
        head.append(part: name)
        head.append(part: certificates)
        return head
    }

    /// Reads what `write` has made. Nil for anything else.
    package static func read(_ bytes: UnsafeRawBufferPointer) -> Session? {
        ERR_clear_error()
        defer { ERR_clear_error() }
        var rest = unsafe Parts(rest: bytes)
        guard bytes.count <= bytesMax, rest.begins(with: mark), let name = unsafe rest.part(),
            let certificates = unsafe rest.part(), let chain = unsafe readChain(certificates)
        else { return nil }
        guard let session = unsafe readSession(rest.rest) else {
            unsafe copenssl_x509s_free(chain)
            return nil
        }
        return unsafe Session(session, chain, [UInt8](name))
    }

    private static func readChain(_ bytes: UnsafeRawBufferPointer) -> OpaquePointer? {
        guard let chain = unsafe copenssl_x509s_new() else { return nil }
        var rest = unsafe Parts(rest: bytes)
        while unsafe !rest.rest.isEmpty {
            guard let der = unsafe rest.part(),
                let certificate = unsafe whole(der, { unsafe complete(d2i_X509, &$0, $1) }, { unsafe X509_free($0) })
            else {
                unsafe copenssl_x509s_free(chain)
                return nil
            }
            guard unsafe copenssl_x509s_push(chain, certificate) > 0 else {
                unsafe X509_free(certificate)
                unsafe copenssl_x509s_free(chain)
                return nil
            }
        }
        return unsafe chain
    }

    /// One that can be resumed, and has a secret.
    ///
    /// OpenSSL reads DER by way of strings that it does not wipe, so it gets the DER without the secret, and the secret apart.
    static func readSession(_ der: UnsafeRawBufferPointer) -> OpaquePointer? {
        guard let session = unsafe readOnce(der) else { return nil }
        guard let peer = unsafe SSL_SESSION_get0_peer(session), unsafe isDoubtful(peer) else { return unsafe session }
        unsafe SSL_SESSION_free(session)
        return unsafe readOnce(der)
    }

    private static func readOnce(_ der: UnsafeRawBufferPointer) -> OpaquePointer? {
        guard let place = unsafe placeOfSecret(der) else { return nil }
        let secret = unsafe UnsafeRawBufferPointer(rebasing: der[place])
        var bare = unsafe [UInt8](der[..<place.lowerBound])
        bare.append(contentsOf: repeatElement(0, count: place.count))
        unsafe bare.append(contentsOf: der[place.upperBound...])
        let session = unsafe bare.withUnsafeBytes {
            unsafe whole($0, { unsafe d2i_SSL_SESSION(nil, &$0, $1) }, { unsafe SSL_SESSION_free($0) })
        }
        guard let session = unsafe session else { return nil }
        let start = unsafe secret.baseAddress?.assumingMemoryBound(to: UInt8.self)
        guard unsafe SSL_SESSION_set1_master_key(session, start, secret.count) == 1,
            unsafe SSL_SESSION_is_resumable(session) == 1, unsafe hasSecret(session), unsafe hasWholePeer(session)
        else {
            unsafe SSL_SESSION_free(session)
            return nil
        }
        return unsafe session
    }

    /// Where the secret is: SEQUENCE { INTEGER version, INTEGER protocol, OCTET STRING cipher, OCTET STRING id, OCTET STRING
    /// secret, ... (SSL_SESSION_ASN1 of OpenSSL, of version 1 since 1998).
    private static func placeOfSecret(_ der: UnsafeRawBufferPointer) -> Range<Int>? {
        guard var place = unsafe content(der, of: V_ASN1_SEQUENCE, at: 0)?.lowerBound else { return nil }
        for tag in [V_ASN1_INTEGER, V_ASN1_INTEGER, V_ASN1_OCTET_STRING, V_ASN1_OCTET_STRING] {
            guard let end = unsafe content(der, of: tag, at: place)?.upperBound else { return nil }
            place = end
        }
        return unsafe content(der, of: V_ASN1_OCTET_STRING, at: place)
    }

    /// What is in an object that begins there. Nil for one of another kind, and for what is cut off.
    private static func content(_ der: UnsafeRawBufferPointer, of tag: CInt, at place: Int) -> Range<Int>? {
        let start = unsafe der.baseAddress?.assumingMemoryBound(to: UInt8.self)
        guard let start = unsafe start else { return nil }
        var position: UnsafePointer<UInt8>? = unsafe start + place
        var (count, found, kind) = (0, CInt(0), CInt(0))
        let form = unsafe ASN1_get_object(&position, &count, &found, &kind, der.count - place)
        guard form & 0x81 == 0, found == tag, kind == V_ASN1_UNIVERSAL, let position = unsafe position else {
            return nil
        }
        let begin = unsafe position - start
        return begin..<begin + count
    }

    /// The peer's certificate, if there is one, can be verified anew.
    private static func hasWholePeer(_ session: OpaquePointer) -> Bool {
        guard let peer = unsafe SSL_SESSION_get0_peer(session) else { return true }
        return unsafe isComplete(peer)
    }

    /// The secret is as long as the protocol and the cipher have it (RFC 5246, 8.1; RFC 8446, 4.6.1), which are of one kind.
    private static func hasSecret(_ session: OpaquePointer) -> Bool {
        guard let cipher = unsafe SSL_SESSION_get0_cipher(session) else { return false }
        let count = unsafe SSL_SESSION_get_master_key(session, nil, 0)
        let isSuite = unsafe SSL_CIPHER_get_protocol_id(cipher) >> 8 == 0x13
        switch unsafe SSL_SESSION_get_protocol_version(session) {
        case TLS1_2_VERSION: return !isSuite && count == Int(SSL3_MASTER_SECRET_SIZE)
        case TLS1_3_VERSION:
            let secretCount = unsafe EVP_MD_get_size(SSL_CIPHER_get_handshake_digest(cipher))
            return isSuite && count == Int(secretCount)
        default: return false
        }
    }
}

/// Decodes an object that takes up all of the bytes.
func whole(
    _ der: UnsafeRawBufferPointer, _ decode: (inout UnsafePointer<UInt8>?, Int) -> OpaquePointer?,
    _ free: (OpaquePointer?) -> Void
) -> OpaquePointer? {
    let start = unsafe der.baseAddress?.assumingMemoryBound(to: UInt8.self)
    var position = unsafe start
    guard let start = unsafe start, let object = unsafe decode(&position, der.count) else { return nil }
    if unsafe position == start + der.count { return unsafe object }
    unsafe free(object)
    return nil
}

extension [UInt8] {
    /// Appends bytes behind their length, which has three bytes, as in TLS.
    fileprivate mutating func append(part: [UInt8]) {
        append(UInt8(truncatingIfNeeded: part.count >> 16))
        append(UInt8(truncatingIfNeeded: part.count >> 8))
        append(UInt8(truncatingIfNeeded: part.count))
        append(contentsOf: part)
    }
}

/// What is left of bytes that are read from the front.
@safe private struct Parts {
    private(set) var rest: UnsafeRawBufferPointer

    private mutating func take(_ count: Int) -> UnsafeRawBufferPointer? {
        guard unsafe count <= rest.count else { return nil }
        let part = unsafe UnsafeRawBufferPointer(rebasing: rest[..<count])
        unsafe rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        return unsafe part
    }

    mutating func begins(with mark: StaticString) -> Bool {
        guard let bytes = unsafe take(mark.bytes.count) else { return false }
        return unsafe bytes.elementsEqual(mark.bytes)
    }

    /// Takes a length and as many bytes.
    mutating func part() -> UnsafeRawBufferPointer? {
        guard let length = unsafe take(3) else { return nil }
        return unsafe take(Int(length[0]) << 16 | Int(length[1]) << 8 | Int(length[2]))
    }
}
