import COpenSSL
import TestSupport
import Testing

@testable import OpenSSLHandles

/// What an authority says of a certificate, as it may be written by somebody who means no good.
@Suite struct `An OCSP response` {
    private func certificate(_ pem: [UInt8]) throws -> OpaquePointer {
        let source = BIO_new_mem_buf(pem, CInt(pem.count))
        defer { BIO_free(source) }
        return try #require(PEM_read_bio_X509(source, nil, nil, nil))
    }

    /// One about our server's certificate, from now for an hour; the server itself has signed it.
    private func response(_ change: (OpaquePointer) -> Void = { _ in }) throws -> [UInt8] {
        let (leaf, issuer) = (try certificate(Credentials.server.certificate), try certificate(Authority.ours.pem))
        defer {
            X509_free(leaf)
            X509_free(issuer)
        }
        let (from, until) = (X509_gmtime_adj(nil, -3600), X509_gmtime_adj(nil, 3600))
        defer {
            ASN1_TIME_free(from)
            ASN1_TIME_free(until)
        }
        let basic = OCSP_BASICRESP_new()
        defer { OCSP_BASICRESP_free(basic) }
        let id = OCSP_cert_to_id(nil, leaf, issuer)
        defer { OCSP_CERTID_free(id) }
        let single = OCSP_basic_add1_status(basic, id, V_OCSP_CERTSTATUS_GOOD, 0, nil, from, until)
        change(try #require(single))
        let text = BIO_new_mem_buf(Credentials.server.key, CInt(Credentials.server.key.count))
        let key = PEM_read_bio_PrivateKey(text, nil, nil, nil)
        defer {
            EVP_PKEY_free(key)
            BIO_free(text)
        }
        #expect(OCSP_basic_sign(basic, leaf, key, EVP_sha256(), nil, 0) == 1)
        let response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic)
        defer { OCSP_RESPONSE_free(response) }
        var der = [UInt8](repeating: 0, count: Int(i2d_OCSP_RESPONSE(response, nil)))
        der.withUnsafeMutableBytes {
            var position = $0.baseAddress?.assumingMemoryBound(to: UInt8.self)
            i2d_OCSP_RESPONSE(response, &position)
        }
        return der
    }

    /// What it says of our server's certificate.
    private func statement(_ der: [UInt8]) throws -> OCSPStatement? {
        let (leaf, issuer) = (try certificate(Credentials.server.certificate), try certificate(Authority.ours.pem))
        defer {
            X509_free(leaf)
            X509_free(issuer)
            expectEmptyQueue()
        }
        return try #require(der.withUnsafeBytes { OCSPResponse.decode($0) }).statement(about: leaf, of: issuer)
    }

    @Test func `is one only with all of its bytes, and no more`() throws {
        let der = try response()
        #expect(try statement(der)?.validity == .valid)
        #expect((der + [0]).withUnsafeBytes { OCSPResponse.decode($0) } == nil)
        #expect(der.dropLast().withUnsafeBytes { OCSPResponse.decode($0) } == nil)
        expectEmptyQueue()
    }

    @Test(arguments: [true, false]) func `with a date that is none is good at no time`(isFirst: Bool) throws {
        let der = try response { single in
            var this: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
            var next: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
            OCSP_single_get0_status(single, nil, nil, &this, &next)
            ASN1_STRING_set(isFirst ? this : next, "whenever", 8)
        }
        let said = try #require(try statement(der))
        #expect(said.validity == .over && said.status == V_OCSP_CERTSTATUS_GOOD)
        #expect((isFirst ? said.thisUpdate : said.nextUpdate) == nil)
    }

    @Test func `about an issuer whose hash has another length is about nobody`() throws {
        let der = try response { single in
            var name: UnsafeMutablePointer<ASN1_OCTET_STRING>?
            OCSP_id_get0_info(&name, nil, nil, nil, OCSP_SINGLERESP_get0_id(single))
            ASN1_STRING_set(name, "short", 5)
        }
        #expect(try statement(der) == nil)
    }

    @Test(arguments: [
        (
            "-----BEGIN OCSP RESPONSE-----\nMAMKAQ==\n-----END OCSP RESPONSE-----\n",
            "an OCSP response in it cannot be parsed"
        ),
        ("-----BEGIN OTHER-----\nMAMKAQA=\n-----END OTHER-----\n", "there is no OCSP response in it"),
    ])
    func `that is none is refused with the reason`(text: String, reason: String) throws {
        let context = try OwnedContext(.server)
        try Array(text.utf8).withUnsafeBytes { bytes in
            let source = try PEMSource(bytes)
            #expect(refusal { try context.setStaples(source) } == reason)
        }
    }
}
