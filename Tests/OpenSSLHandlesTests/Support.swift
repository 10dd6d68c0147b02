import COpenSSL
import TestSupport
import Testing

@testable import OpenSSLHandles

/// Checks that OpenSSL's error queue of this thread is empty: what stays in it would be taken for the next failure.
func expectEmptyQueue(_ location: SourceLocation = #_sourceLocation) {
    #expect(ERR_peek_error() == 0, "an error stays in the queue", sourceLocation: location)
    ERR_clear_error()
}

/// Leaves an error in the queue, as another library in the process may.
func leaveError() {
    #expect(BIO_new_file("/nonexistent", "r") == nil)
    #expect(ERR_peek_error() != 0)
}

/// The sentence with which a setting is refused, nil when it is taken; the queue must be empty in both cases.
func refusal(_ location: SourceLocation = #_sourceLocation, _ setting: () throws -> Void) -> String? {
    ERR_clear_error()
    defer { expectEmptyQueue(location) }
    do {
        try setting()
        return nil
    } catch let refused as SettingRefused {
        return "\(refused.sentence)"
    } catch {
        return "\(error)"
    }
}

/// What a context would do, to be compared before and after: identity, trust, and the ClientHello or the ciphers.
func portrait(_ context: OwnedContext) -> [String] {
    var portrait = ["complete \(context.identity.isComplete), trusts \(context.trustsSomebody)"]
    let certificate = SSL_CTX_get0_certificate(context.ctx)
    portrait.append("certificate \(certificate.map { X509_get_serialNumber($0) }.map { ASN1_INTEGER_get($0) } ?? 0)")
    portrait.append("key \(SSL_CTX_get0_privatekey(context.ctx).map { "\($0)" } ?? "none")")
    let trusted = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context.ctx))
    portrait.append(
        "trusts \(OPENSSL_sk_num(trusted)), names \(OPENSSL_sk_num(SSL_CTX_get_client_CA_list(context.ctx)))")
    portrait.append("oldest \(SSL_CTX_ctrl(context.ctx, SSL_CTRL_GET_MIN_PROTO_VERSION, 0, nil))")
    portrait.append("newest \(SSL_CTX_ctrl(context.ctx, SSL_CTRL_GET_MAX_PROTO_VERSION, 0, nil))")
    let ciphers = SSL_CTX_get_ciphers(context.ctx)
    for index in 0..<max(0, OPENSSL_sk_num(ciphers)) {
        portrait.append(String(cString: SSL_CIPHER_get_name(OpaquePointer(OPENSSL_sk_value(ciphers, index)))))
    }
    if context.role == .client { portrait += helloLists(context) }
    return portrait
}

/// The groups, signature algorithms and application protocols that a client offers, read from its ClientHello.
private func helloLists(_ context: OwnedContext) -> [String] {
    guard var ssl = try? OwnedSSL(context), let incoming = try? MemoryBIO(), let outgoing = try? MemoryBIO() else {
        return ["no memory"]
    }
    ssl.attach(incoming: incoming, outgoing: outgoing)
    _ = ssl.handshake()
    let hello = outgoing.copy()
    // Record 5, message 4, version 2, random 32; then lists with their lengths in front (RFC 8446, 4.1.2).
    var place = 43
    func number(_ at: Int) -> Int { Int(hello[at]) << 8 + Int(hello[at + 1]) }
    place += 1 + Int(hello[place])
    place += 2 + number(place)
    place += 1 + Int(hello[place])
    let end = place + 2 + number(place)
    place += 2
    var found: [String] = []
    while place < end {
        let (kind, length) = (number(place), number(place + 2))
        if [10, 13, 16].contains(kind) { found.append("\(kind): \(hello[place + 4..<place + 4 + length])") }
        place += 4 + length
    }
    return found
}
