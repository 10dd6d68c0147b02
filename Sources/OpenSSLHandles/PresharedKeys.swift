internal import COpenSSL

/// A key that both sides have from elsewhere (RFC 8446, 2.2; RFC 4279), and the name that it has between them. Wiped when it
/// goes.
@safe final class PresharedKey {
    /// Shorter ones can be found out by trying: who has offered one key has shown enough for that (RFC 8446, 2.2).
    static var bytesMin: Int { 16 }
    static var bytesMax: Int { Int(PSK_MAX_PSK_LEN) }

    let identity: KeyIdentity
    private let secret: SecretBytes

    private init(_ identity: KeyIdentity, _ secret: SecretBytes) {
        (self.identity, self.secret) = (identity, secret)
    }

    /// Valid as long as this.
    var bytes: UnsafeRawBufferPointer { unsafe secret.bytes }

    /// Of an answer; nil when there is no key in it, or none that would be taken otherwise.
    static func made(of answer: Answer, _ identity: [UInt8]) -> PresharedKey? {
        guard answer.isGiven, answer.status == 0, let secret = answer.bytes,
            (bytesMin...bytesMax).contains(secret.count)
        else { return nil }
        return unsafe identity.withUnsafeBytes { name in
            guard unsafe KeyIdentity.isOne(name), let identity = unsafe KeyIdentity.make(name) else { return nil }
            return PresharedKey(identity, secret)
        }
    }

    /// Copies both. Nil without memory.
    static func make(_ identity: UnsafeRawBufferPointer, _ key: UnsafeRawBufferPointer) -> PresharedKey? {
        guard let identity = unsafe KeyIdentity.make(identity), let secret = unsafe SecretBytes.copy(key) else {
            return nil
        }
        return PresharedKey(identity, secret)
    }
}

/// The name of a key, with a zero behind it. It has an address, because OpenSSL and programs are shown it.
@safe package final class KeyIdentity {
    /// As many as fit, with the zero, in what OpenSSL 3.0 gives to who names a key.
    static var bytesMax: Int { 255 }

    package let text: UnsafePointer<CChar>
    let count: Int

    private init(_ text: UnsafePointer<CChar>, _ count: Int) {
        unsafe self.text = text
        self.count = count
    }

    deinit {
        unsafe copenssl_clear_free(UnsafeMutableRawPointer(mutating: text), count &+ 1)
    }

    fileprivate static func make(_ identity: UnsafeRawBufferPointer) -> KeyIdentity? {
        let size = identity.count
        guard let copy = unsafe copenssl_malloc(size &+ 1) else { return nil }
        unsafe UnsafeMutableRawBufferPointer(start: copy, count: size).copyMemory(from: identity)
        unsafe copy.storeBytes(of: 0, toByteOffset: size, as: UInt8.self)
        return unsafe KeyIdentity(UnsafePointer(copy.assumingMemoryBound(to: CChar.self)), size)
    }

    var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: text, count: count) }

    /// Below 0 when it stands before another, 0 when it is the same.
    func order(_ other: UnsafeRawBufferPointer) -> Int {
        guard let start = other.baseAddress else { return count }
        let order = unsafe memcmp(text, start, min(count, other.count))
        return order != 0 ? Int(order) : count &- other.count
    }

    static func isOne(_ name: UnsafeRawBufferPointer) -> Bool {
        unsafe (1...bytesMax).contains(name.count) && isText(name)
    }
}

/// Keys by their names. There may be thousands, so they are kept in order.
struct PresharedKeys {
    private(set) var all: [PresharedKey] = []

    mutating func put(_ key: PresharedKey) {
        let place = unsafe place(of: key.identity.bytes)
        if place < all.count, unsafe all[place].identity.order(key.identity.bytes) == 0 {
            all[place] = key
        } else {
            all.insert(key, at: place)
        }
    }

    func key(named identity: UnsafeRawBufferPointer) -> PresharedKey? {
        let place = unsafe place(of: identity)
        guard place < all.count, unsafe all[place].identity.order(identity) == 0 else { return nil }
        return all[place]
    }

    /// Where it is, or would be.
    private func place(of identity: UnsafeRawBufferPointer) -> Int {
        var (low, high) = (0, all.count)
        while low < high {
            let middle = (low &+ high) / 2
            if unsafe all[middle].identity.order(identity) < 0 { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension OwnedContext {
    /// On a client the key that it offers, in place of an earlier one; on a server one more, or another under its name.
    package func setPresharedKey(
        _ identity: UnsafePointer<CChar>, _ key: UnsafeRawBufferPointer
    ) throws(SettingRefused) {
        let name = unsafe UnsafeRawBufferPointer(start: identity, count: strlen(identity))
        guard unsafe KeyIdentity.isOne(name) else {
            throw SettingRefused(argument: "identity", "it is not 1 to 255 bytes of UTF-8")
        }
        guard key.count >= PresharedKey.bytesMin else {
            throw SettingRefused(argument: "key", "it has fewer than 16 bytes, which can be found out by trying")
        }
        guard key.count <= PresharedKey.bytesMax else {
            throw SettingRefused(argument: "key", "it has more than 512 bytes")
        }
        guard let key = unsafe PresharedKey.make(name, key) else { throw unsafe .outOfMemory() }
        try offerKeyCiphers()
        if role == .client { presharedKeys = PresharedKeys() }
        presharedKeys.put(key)
        useKeys()
    }

    /// Puts ciphers in front for which nobody needs a certificate, unless the program has named ciphers: those with forward
    /// secrecy first; not RSA-PSK, for which the server needs one all the same. And of TLS 1.3 those with SHA-256, because a
    /// key is for one hash (RFC 8446, 4.2.11); a server insists on that order, because clients of OpenSSL's have another.
    func offerKeyCiphers() throws(SettingRefused) {
        guard versionsOfCiphers == nil else { return }
        let all = unsafe SSL_CTX_get_ciphers(ctx)
        var list = [CChar](keyCiphers)
        for index in 0..<max(0, unsafe copenssl_ciphers_count(all)) {
            let cipher = unsafe copenssl_ciphers_at(all, index)
            let exchange = unsafe SSL_CIPHER_get_kx_nid(cipher)
            guard unsafe SSL_CIPHER_get_protocol_id(cipher) >> 8 != 0x13,
                ![NID_kx_psk, NID_kx_ecdhe_psk, NID_kx_dhe_psk, NID_kx_rsa_psk].contains(exchange),
                let name = unsafe SSL_CIPHER_get_name(cipher)
            else { continue }
            list.append(name: unsafe Array(UnsafeBufferPointer(start: name, count: strlen(name))))
        }
        ERR_clear_error()
        guard unsafe SSL_CTX_set_cipher_list(ctx, list + [0]) == 1,
            unsafe SSL_CTX_set_ciphersuites(ctx, cString(keySuites)) == 1
        else { throw SettingRefused("OpenSSL does not take the ciphers for keys in common", .drain()) }
        if role == .server { _ = unsafe SSL_CTX_set_options(ctx, copenssl_op_server_preference()) }
    }

    /// Names and keys, for what sessions are bound to. Nil without memory.
    var keyDigests: [[UInt8]]? {
        var digests: [[UInt8]] = []
        for key in presharedKeys.all {
            var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
            guard unsafe EVP_Digest(key.bytes.baseAddress, key.bytes.count, &digest, nil, EVP_sha256(), nil) == 1 else {
                return nil
            }
            digests.append(unsafe digest + key.identity.bytes)
        }
        return digests
    }
}

private var keyCiphers: StaticString {
    """
    ECDHE-PSK-CHACHA20-POLY1305:ECDHE-PSK-AES128-CBC-SHA256:ECDHE-PSK-AES256-CBC-SHA384:PSK-AES128-GCM-SHA256:\
    PSK-AES256-GCM-SHA384:PSK-CHACHA20-POLY1305
    """
}

private var keySuites: StaticString { "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384" }

/// UTF-8 (RFC 4279, 5.1), and no zero in it.
func isText(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard unsafe !bytes.contains(0), let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
        return false
    }
    var at = 0
    while at < bytes.count {
        var character: UInt = 0
        let count = unsafe UTF8_getc(start + at, CInt(clamping: bytes.count &- at), &character)
        guard count > 0 else { return false }
        at &+= Int(count)
    }
    return true
}
