internal import COpenSSL

/// A resumed handshake shows no certificate. So a server's sessions are good only where the same decides who may come in:
/// OpenSSL declines those whose context has another name (SSL_CTX_set_session_id_context), and the name says all of that, and who may come in by which versions and algorithms.
extension OwnedContext {
    /// Runs `body` while no other thread runs it, nor uses the authorities. False without memory.
    package func exclusively(_ body: () -> Bool) -> Bool {
        let store = unsafe SSL_CTX_get_cert_store(ctx)
        guard unsafe X509_STORE_lock(store) == 1 else { return false }
        defer { unsafe X509_STORE_unlock(store) }
        return body()
    }

    /// Goes on with another's tickets, which OpenSSL encrypts under keys of its own, or under the program's. False without memory.
    package func inheritTicketKeys(_ other: OwnedContext) -> Bool {
        guard role == .server else { return true }
        guard shareTicketKeys(of: other) else { return false }
        let count = 80  // name, and two keys of 32 bytes
        return unsafe withUnsafeTemporaryAllocation(byteCount: count, alignment: 8) { keys in
            defer { unsafe OPENSSL_cleanse(keys.baseAddress, count) }
            return unsafe copenssl_get_ticket_keys(other.ctx, keys.baseAddress, count) == 1
                && copenssl_set_ticket_keys(ctx, keys.baseAddress, count) == 1
        }
    }

    /// Names the context of sessions by everything that is trusted, the same in each process. To be called when nothing of it
    /// changes any more, from `exclusively`. False without memory.
    ///
    /// A client's sessions belong to no context: it verifies the server anew for each.
    package func bindSessions() -> Bool {
        guard role == .server else { return true }
        // To decrypt is nothing that anybody is asked for.
        if identity.needsSigner, (try? leaveOutStaticRSA()) == nil { return false }
        guard let content = storedDigests, let own = ownName, let keys = keyDigests,
            let name = sha256(settings + algorithms + whole(content) + whole(trust.pins) + whole(keys) + own)
        else { return false }
        return unsafe SSL_CTX_set_session_id_context(ctx, name, UInt32(clamping: name.count)) == 1 && holdSessions()
    }

    /// Nothing, or random bytes: what a program says of certificates and keys cannot be compared, so that where it is asked a session is
    /// good in the one context only. Nil when there is no randomness.
    private var ownName: [UInt8]? {
        guard asksAboutVerdicts || asksForKeys else { return [] }
        var bytes = [UInt8](repeating: 0, count: 16)
        return unsafe RAND_bytes(&bytes, CInt(bytes.count)) == 1 ? bytes : nil
    }

    private var settings: [UInt8] {
        let parameters = unsafe SSL_CTX_get0_param(ctx)
        var bytes: [UInt8] = []
        append(Int(truncatingIfNeeded: unsafe X509_VERIFY_PARAM_get_flags(parameters)), &bytes)
        append(Int(unsafe X509_VERIFY_PARAM_get_depth(parameters)), &bytes)
        append(Int(unsafe SSL_CTX_get_security_level(ctx)), &bytes)
        append(Int(unsafe SSL_CTX_get_verify_mode(ctx)), &bytes)
        append(trust.verifies ? 1 : 0, &bytes)
        append(trust.takesAnyPurpose ? 1 : 0, &bytes)
        append(asksAboutVerdicts ? 1 : 0, &bytes)
        return bytes + whole(trust.places)
    }

    /// By what a client may prove who it is, and over what: versions, ciphers (a preset is no more than those) and signatures.
    private var algorithms: [UInt8] {
        var bytes: [UInt8] = []
        append(Int(versions.lowerBound), &bytes)
        append(Int(versions.upperBound), &bytes)
        let ciphers = unsafe SSL_CTX_get_ciphers(ctx)
        let count = max(0, unsafe copenssl_ciphers_count(ciphers))
        append(Int(count), &bytes)
        for index in 0..<count {
            append(Int(unsafe SSL_CIPHER_get_protocol_id(copenssl_ciphers_at(ciphers, index))), &bytes)
        }
        return bytes + whole([signatureAlgorithms])
    }

    /// SHA-256 of the authorities and revocation lists that are in memory; those in directories may change at any time.
    private var storedDigests: [[UInt8]]? {
        let objects = unsafe X509_STORE_get0_objects(SSL_CTX_get_cert_store(ctx))
        var digests: [[UInt8]] = []
        for index in 0..<max(0, unsafe copenssl_objects_count(objects)) {
            let object = unsafe copenssl_objects_at(objects, index)
            var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
            let isMade =
                if let list = unsafe X509_OBJECT_get0_X509_CRL(object) {
                    unsafe X509_CRL_digest(list, EVP_sha256(), &digest, nil) == 1
                } else if let authority = unsafe X509_OBJECT_get0_X509(object) {
                    unsafe X509_digest(authority, EVP_sha256(), &digest, nil) == 1
                } else {
                    false
                }
            guard isMade else { return nil }
            digests.append(digest)
        }
        return digests
    }
}

/// Parts one behind the other, each behind its length, in an order that does not depend on when they were set.
private func whole(_ parts: [[UInt8]]) -> [UInt8] {
    var sorted: [[UInt8]] = []
    for part in parts {
        // Sorting by the standard library would bring a copy of its sort into this one.
        var place = sorted.count
        while place > 0, part.lexicographicallyPrecedes(sorted[place - 1]) { place -= 1 }
        sorted.insert(part, at: place)
    }
    var bytes: [UInt8] = []
    append(parts.count, &bytes)
    for part in sorted {
        append(part.count, &bytes)
        bytes += part
    }
    return bytes
}

private func append(_ number: Int, _ bytes: inout [UInt8]) {
    for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: number >> (shift * 8))) }
}
