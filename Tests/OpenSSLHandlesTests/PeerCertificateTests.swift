import COpenSSL
import TestSupport
import Testing

@testable import OpenSSLHandles

/// What stands in a certificate, as text: above all what somebody may have written into it on purpose.
@Suite struct `A certificate of the peer` {
    /// Makes one with these names, in OpenSSL's form.
    private func certificate(_ names: String?, subject: String = "somebody") throws -> PeerCertificate {
        let pem = Authority.ours.issue(subject, names: names).certificate
        let source = BIO_new_mem_buf(pem, CInt(pem.count))
        defer { BIO_free(source) }
        let parsed = PEM_read_bio_X509(source, nil, nil, nil)
        defer { X509_free(parsed) }
        ERR_clear_error()  // OpenSSL does not write an extension without content
        return try #require(PeerCertificate.of(parsed))
    }

    /// The same with a list of names in DER, each a tag and its content.
    private func certificate(der names: [(UInt8, [UInt8])]) throws -> PeerCertificate {
        var list: [UInt8] = []
        for (tag, content) in names { list += [tag, UInt8(content.count)] + content }
        return try certificate(extension: [0x30, UInt8(list.count)] + list)
    }

    private func certificate(extension bytes: [UInt8]) throws -> PeerCertificate {
        try certificate("DER:" + bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":"))
    }

    private func names(of certificate: PeerCertificate) -> [String] {
        defer { expectEmptyQueue() }
        return (0..<certificate.nameCount).map { String(decoding: certificate.name(at: $0) ?? [], as: UTF8.self) }
    }

    private let dns: UInt8 = 0x82, email: UInt8 = 0x81, uri: UInt8 = 0x86, ip: UInt8 = 0x87

    @Test func `shows its names with their kinds, addresses in canonical text`() throws {
        let found = try certificate(
            "DNS:example.com,DNS:*.example.com,IP:192.0.2.1,IP:::1,IP:2001:db8:0:0:1:0:0:1,email:a@example.com,"
                + "URI:https://example.com/?a=b,RID:1.2.3.4,otherName:1.3.6.1.5.5.7.8.9;UTF8:x")
        #expect(
            names(of: found) == [
                "DNS:example.com", "DNS:*.example.com", "IP:192.0.2.1", "IP:::1", "IP:2001:db8::1:0:0:1",
                "email:a@example.com", "URI:https://example.com/?a=b", "other:registeredID", "other:otherName",
            ])
        #expect(found.name(at: 9) == nil && found.name(at: .max) == nil && found.name(at: -1) == nil)
    }

    @Test func `never lets a byte in a name make another name of it`() throws {
        let odd: [(UInt8, [UInt8])] = [
            (dns, Array("good.example\0.evil.example".utf8)), (dns, Array("a\nDNS:b".utf8)), (dns, []),
            (email, Array("\\x00@example.com".utf8)), (uri, [0x7f, 0x80, 0xff, 0x1b]), (dns, [0xc3, 0xa9]),
        ]
        #expect(
            names(of: try certificate(der: odd)) == [
                #"DNS:good.example\x00.evil.example"#, #"DNS:a\x0ADNS:b"#, "DNS:", #"email:\x5Cx00@example.com"#,
                #"URI:\x7F\x80\xFF\x1B"#, #"DNS:\xC3\xA9"#,
            ])
    }

    @Test func `calls an address of another length no address`() throws {
        let found = try certificate(der: [
            (ip, [1, 2, 3]), (ip, []), (ip, Array(repeating: 1, count: 8)), (ip, [1, 2, 3, 4]),
        ])
        #expect(names(of: found) == ["other:iPAddress", "other:iPAddress", "other:iPAddress", "IP:1.2.3.4"])
    }

    @Test func `says of a name of another kind which one it is, and nothing of what is in it`() throws {
        let found = try certificate(der: [(0xa3, [0x30, 0]), (0xa4, [0x30, 0]), (0xa5, [0x30, 0]), (0x89, [97])])
        #expect(names(of: found) == ["other:x400Address", "other:directoryName", "other:ediPartyName", "other:"])
    }

    @Test func `has no key where OpenSSL does not know what the key is for`() throws {
        let known = try certificate(nil)
        var der = try #require(encoded(known.certificate))
        let elliptic: [UInt8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]
        let place = try #require((0..<der.count - 7).first { Array(der[$0..<$0 + 7]) == elliptic })
        der[place + 6] = 99
        let parsed = der.withUnsafeBytes { bytes in
            var position = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            return d2i_X509(nil, &position, bytes.count)
        }
        defer { X509_free(parsed) }
        ERR_clear_error()
        #expect(try #require(PeerCertificate.of(parsed)).key == nil)
        #expect(known.key != nil)
        expectEmptyQueue()
        try der.withUnsafeBytes { bytes in
            let source = try PEMSource(bytes)
            let certificates = try Certificates.read(source)
            #expect(
                refusal { _ = try PrivateKey.remote(for: certificates, source) }
                    == "the certificate's public key cannot be read")
        }
    }

    @Test func `has no names where there are none, or where the list is broken`() throws {
        #expect(try certificate(nil).nameCount == 0)
        let broken: [[UInt8]] = [
            [], [0x30], [0x30, 0x80, 0x82, 1, 97, 0, 0], [0x30, 5, 0x82, 1, 97], [0x31, 3, 0x82, 1, 97], [0x30, 0x84],
            [0x30, 3, 0x16, 1, 97], [0x30, 0], [0x30, 1, 0x82], [0x30, 6, 0x82, 0x84, 0xff, 0xff, 0xff, 0xff],
        ]
        for bytes in broken { #expect(names(of: try certificate(extension: bytes)) == [], "\(bytes)") }
        #expect(names(of: try certificate(extension: [0x30, 6, 0x82, 1, 97, 0x82, 9, 98])) == ["DNS:a"])
    }

    @Test func `has a serial, dates, a key and fingerprints`() throws {
        let found = try certificate(nil)
        let key = try #require(found.key)
        #expect(String(cString: key.type) == "EC" && key.bits == 256)
        let (from, until) = (try #require(found.notBefore), try #require(found.notAfter))
        #expect(until - from == 3600 + 86400 && abs(Int(from) + 3600 - time(nil)) < 60)
        #expect(found.fingerprint?.count == 32 && found.keyFingerprint?.count == 32)
        #expect(found.fingerprint != found.keyFingerprint)
        let number = ASN1_INTEGER_new()
        defer { ASN1_INTEGER_free(number) }
        for (value, text) in [(0, "00"), (10, "0A"), (-1, "-01"), (0x1234_5678_9abc, "123456789ABC")] {
            ASN1_INTEGER_set_int64(number, Int64(value))
            X509_set_serialNumber(found.certificate, number)
            #expect(String(decoding: found.serial, as: UTF8.self) == text)
        }
        let none = ASN1_INTEGER_new()
        defer { ASN1_INTEGER_free(none) }
        X509_set_serialNumber(found.certificate, none)
        #expect(String(decoding: found.serial, as: UTF8.self) == "00")
        expectEmptyQueue()
    }

    @Test func `says when a date is none, and reckons beyond 2038 and before 1970`() throws {
        let found = try certificate(nil)
        let time = ASN1_TIME_new()
        defer { ASN1_TIME_free(time) }
        for (text, seconds) in [
            ("500101000000Z", -631_152_000), ("20500101000000Z", 2_524_608_000), ("99991231235959Z", 253_402_300_799),
        ] {
            #expect(ASN1_TIME_set_string(time, text) == 1)
            X509_set1_notAfter(found.certificate, time)
            #expect(found.notAfter == Int64(seconds), "\(text)")
        }
        #expect(ASN1_STRING_set(X509_getm_notAfter(found.certificate), "whenever", 8) == 1)
        #expect(found.notAfter == nil)
        expectEmptyQueue()
    }

    @Test func `is printed with its names escaped as RFC 2253 has it`() throws {
        let found = try certificate(nil, subject: "Müller, \"A\" <a+b>;\n#1")
        #expect(found.subject.map { String(decoding: $0, as: UTF8.self) } == #"CN=Müller\, \"A\" \<a\+b\>\;\0A#1"#)
        #expect(found.issuer == Array("CN=our authority".utf8))
    }
}
