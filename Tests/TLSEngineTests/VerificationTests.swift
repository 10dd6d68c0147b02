import COpenSSL
import OpenSSLHandles
import TLSEngine
import TestSupport
import Testing

@Suite struct `A client` {
    /// What a server shows, for whom the client asks, and what must come of it.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let server: Credentials
        var name = "localhost"
        let kind: EngineFailure.Kind
        let alert: UInt8
        let result: CInt
    }

    static let cases = [
        Case(
            testDescription: "another authority", server: .strangersServer, kind: .untrusted, alert: 48,
            result: X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY),
        Case(
            testDescription: "expired", server: .expired, kind: .expired, alert: 45, result: X509_V_ERR_CERT_HAS_EXPIRED
        ),
        Case(
            testDescription: "not yet valid", server: .notYetValid, kind: .expired, alert: 45,
            result: X509_V_ERR_CERT_NOT_YET_VALID),
        Case(
            testDescription: "another host", server: .otherHost, kind: .wrongHost, alert: 42,
            result: X509_V_ERR_HOSTNAME_MISMATCH),
        Case(
            testDescription: "another address", server: .server, name: "127.0.0.3", kind: .wrongHost, alert: 42,
            result: X509_V_ERR_IP_ADDRESS_MISMATCH),
        Case(
            testDescription: "a wildcard goes one label deep", server: .server, name: "a.b.example.org",
            kind: .wrongHost,
            alert: 42, result: X509_V_ERR_HOSTNAME_MISMATCH),
    ]

    @Test(arguments: cases, Version.allCases)
    func `refuses a certificate that is not good, and says why`(a: Case, version: Version) throws {
        let pair = try Pair(version, server: a.server, name: a.name)
        pair.run()
        #expect(pair.client.events == [.failed(a.kind)])
        #expect(pair.client.cause?.alertSent == a.alert)
        #expect(pair.client.cause?.verifyResult == Int(a.result))
        #expect(pair.client.cause?.verifyDepth == 0)
        #expect(pair.server.failure == .rejected)
        #expect(pair.server.cause?.alertReceived == a.alert)
        #expect(pair.server.cause?.verifyResult == 0)
    }

    @Test(arguments: Version.allCases, [500, 1000])
    func `shows its certificate to a server with more authorities than a handshake can name`(
        version: Version, count: Int
    ) throws {
        let others = (0..<count).map { Authority("number \($0) " + String(repeating: "with a long name ", count: 3)) }
        let pair = try Pair(version) { client, server in
            server.context.setVerification(asks: true, requires: true)
            try server.context.trust(others.flatMap { $0.pem } + Authority.ours.pem)
            try client.context.use(.client)
        }
        pair.run()
        #expect(pair.client.events == [.established] && pair.server.events == [.established])
        let named = pair.client.ask { OPENSSL_sk_num(SSL_get_client_CA_list(OpaquePointer($0.native))) }
        #expect(count == 500 ? named == 501 : named <= 0)
    }

    @Test(arguments: Version.allCases)
    func `shows its certificate to a server with as many names as fit`(version: Version) throws {
        let name = Authority(String(repeating: "a name of sixty-four bytes      ", count: 2)).pem
        let server = try OwnedContext(.server)
        let size = 2 + Int(i2d_X509_NAME(try #require(firstName(of: name)), nil))
        let most = 64000 / size
        func accept(_ count: Int, _ context: OwnedContext) throws {
            let all = [[UInt8]](repeating: name, count: count).flatMap { $0 }
            try all.withUnsafeBytes { try context.setAcceptedAuthorities(try PEMSource($0)) }
        }
        #expect(throws: SettingRefused.self) { try accept(most + 1, server) }
        let pair = try Pair(version) { client, server in
            server.context.setVerification(asks: true, requires: true)
            try server.context.trust(Authority.ours.pem)
            try accept(most, server.context)
            try client.context.use(.client)
        }
        pair.run()
        #expect(pair.server.events == [.established])
    }

    private func firstName(of pem: [UInt8]) -> OpaquePointer? {
        let bio = BIO_new_mem_buf(pem, CInt(pem.count))
        defer { BIO_free(bio) }
        return X509_get_subject_name(PEM_read_bio_X509(bio, nil, nil, nil))
    }

    @Test(arguments: ["localhost", "LOCALHOST", "www.example.org", "127.0.0.1", "::1", "0:0:0:0:0:0:0:1"])
    func `takes a certificate that is for the name`(name: String) throws {
        let pair = try Pair(name: name)
        pair.run()
        #expect(pair.client.events == [.established])
    }

    @Test func `that does not verify takes anybody`() throws {
        let pair = try Pair(server: .strangersServer, trust: nil, name: nil) { client, _ in
            client.context.setVerification(asks: false, requires: false)
        }
        pair.run()
        #expect(pair.client.events == [.established])
        #expect(pair.client.ask { $0.verifyResult } != 0)  // it is still to be had
    }

    @Test(arguments: Version.allCases)
    func `takes no longer chain than it was told`(version: Version) throws {
        let pair = try Pair(version) { client, _ in client.context.setCertificateListMax(100) }
        pair.run()
        #expect(pair.client.failure == .messageLimit)
        #expect(pair.server.failure == .alertReceived)
    }
}

@Suite struct `A server that asks for a certificate` {
    private func pair(_ version: Version, _ client: Credentials?, requires: Bool) throws -> Pair {
        let pair = try Pair(version) { clients, servers in
            if let client { try clients.context.use(client) }
            try servers.context.trust(Authority.ours.pem)
            servers.context.setVerification(asks: true, requires: requires)
        }
        pair.run()
        return pair
    }

    @Test(arguments: Version.allCases, [true, false])
    func `takes a good one`(version: Version, requires: Bool) throws {
        let pair = try pair(version, .client, requires: requires)
        #expect(pair.server.events == [.established])
        #expect(pair.server.ask { $0.peerCertificate()?.subject } == Array("CN=test client".utf8))
        #expect(pair.differences([1], [2]) == [])
    }

    @Test func `does without when it is optional`() throws {
        let pair = try pair(.tls13, nil, requires: false)
        #expect(pair.server.events == [.established])
        #expect(!pair.server.ask { $0.peerSentCertificate })
    }

    @Test(arguments: Version.allCases)
    func `does not do without when it is required`(version: Version) throws {
        let pair = try pair(version, nil, requires: true)
        #expect(pair.server.events == [.failed(.noCertificate)])
        #expect(pair.server.cause?.alertSent == (version == .tls13 ? 116 : 40))
        #expect(pair.client.failure == (version == .tls13 ? .rejected : .alertReceived))
    }

    @Test(arguments: Version.allCases, [true, false])
    func `refuses a stranger's, also when it is optional`(version: Version, requires: Bool) throws {
        let pair = try pair(version, .strangersClient, requires: requires)
        #expect(pair.server.events == [.failed(.untrusted)])
        #expect(pair.client.failure == .rejected)
        #expect(pair.client.wasEstablished == (version == .tls13))  // TLS 1.3 clients learn of it afterwards
    }
}
