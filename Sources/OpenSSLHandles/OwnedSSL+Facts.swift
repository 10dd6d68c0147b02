internal import COpenSSL

/// What a connection negotiated, and whom it is to be with. Numbers are in Algorithms.swift, the peer in OwnedSSL+Peer.swift.
extension OwnedSSL {
    package var isTLS13: Bool { unsafe SSL_version(ssl) == TLS1_3_VERSION }

    package var protocolVersion: CInt { unsafe SSL_version(ssl) }

    package var protocolName: UnsafePointer<CChar>? { unsafe SSL_get_version(ssl) }

    /// The last that a handshake has done, in OpenSSL's words; static.
    package var handshakePlace: UnsafePointer<CChar>? { unsafe SSL_state_string_long(ssl) }

    package var cipherName: UnsafePointer<CChar>? {
        guard let cipher = unsafe SSL_get_current_cipher(ssl) else { return nil }
        return unsafe SSL_CIPHER_get_name(cipher)
    }

    package var groupName: UnsafePointer<CChar>? {
        let group = unsafe copenssl_negotiated_group(ssl)
        return group == 0 ? nil : unsafe SSL_group_to_name(ssl, group)
    }

    /// The negotiated application protocol, empty when there is none; owned by OpenSSL, as long as the connection.
    package var alpn: UnsafeRawBufferPointer {
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        unsafe SSL_get0_alpn_selected(ssl, &name, &count)
        return unsafe UnsafeRawBufferPointer(start: name, count: name == nil ? 0 : Int(count))
    }

    package var hasALPN: Bool { unsafe !alpn.isEmpty }

    package var serverName: UnsafePointer<CChar>? {
        unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)
    }

    package var isResumed: Bool { unsafe SSL_session_reused(ssl) == 1 && !(isTLS13 && isByKey) }

    /// Names the server for SNI and for verification; an address is verified and, by RFC 6066, not sent as SNI.
    package borrowing func setServerName(_ name: UnsafePointer<CChar>) -> Bool {
        ERR_clear_error()
        defer { ERR_clear_error() }
        let parameters = unsafe SSL_get0_param(ssl)
        // Not by SSL_set1_host: from OpenSSL 3.4 on that is for both kinds, and forgets the address.
        if unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, name) == 1 {
            return unsafe X509_VERIFY_PARAM_set1_host(parameters, nil, 0) == 1 && copenssl_set_sni(ssl, nil) == 1
        }
        var host = unsafe Array(UnsafeBufferPointer(start: name, count: strlen(name) &+ 1))
        if host.count > 2, host[host.count - 2] == CChar(UInt8(ascii: ".")) { host.remove(at: host.count - 2) }
        guard isHostName(host.dropLast()) else { return false }
        _ = unsafe X509_VERIFY_PARAM_set1_ip(parameters, nil, 0)
        // RFC 9525: a common name is for people to read (2), and a wildcard is a whole label (6.3).
        unsafe SSL_set_hostflags(
            ssl, UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        return unsafe X509_VERIFY_PARAM_set1_host(parameters, host, 0) == 1 && copenssl_set_sni(ssl, host) == 1
    }
}

/// Labels of 1 to 63 letters, digits, hyphens and underscores between dots. A final dot, which makes a name absolute,
/// is neither sent (RFC 6066, 3) nor found in certificates. The last label has more than digits, or it is what somebody took
/// for an address (RFC 1123, 2.1): "127.0.0.1." is one that a resolver may take, and is in no certificate.
func isHostName(_ name: ArraySlice<CChar>) -> Bool {
    guard name.count <= 253 else { return false }
    var (length, isNumber) = (0, true)
    for character in name {
        switch UInt8(bitPattern: character) {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"),
            UInt8(ascii: "_"):
            (length, isNumber) = (length &+ 1, false)
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            length &+= 1
        case UInt8(ascii: "."):
            guard length > 0 else { return false }
            (length, isNumber) = (0, true)
        default:
            return false
        }
        guard length <= 63 else { return false }
    }
    return length > 0 && !isNumber
}
