import COpenSSL
import OpenSSLHandles
import TLSEngine
import TestSupport
import Testing

@Suite struct `The server name` {
    private func sent(_ name: String) throws -> String? {
        let pair = try Pair(name: name)
        pair.run()
        #expect(pair.client.events == [.established])
        return pair.server.ask { $0.serverName.map { String(cString: $0) } }
    }

    @Test func `reaches the server`() throws {
        #expect(try sent("localhost") == "localhost")
        #expect(try sent("www.example.org") == "www.example.org")
    }

    @Test(arguments: ["127.0.0.1", "::1"])
    func `is not sent when it is an address`(address: String) throws {
        #expect(try sent(address) == nil)
    }

    @Test func `may be set again, from address to name and back`() throws {
        let pair = try Pair(name: "127.0.0.9")
        #expect(pair.client.engine.setServerName { $0.setServerName("localhost") })
        pair.run()
        #expect(pair.client.events == [.established])
        #expect(pair.server.ask { $0.serverName.map { String(cString: $0) } } == "localhost")

        let back = try Pair(name: "elsewhere.example")
        #expect(back.client.engine.setServerName { $0.setServerName("127.0.0.1") })
        back.run()
        #expect(back.client.events == [.established])
        #expect(back.server.ask { $0.serverName } == nil)
    }

    @Test(arguments: Version.allCases, ["localhost", "127.0.0.1"])
    func `is known when a session is resumed, too`(version: Version, name: String) throws {
        var pair = try Pair(version, name: name)
        for isFirst in [true, false, false] {
            let session = pair.client.newestSession
            if !isFirst { pair = try Pair(after: pair, name: name) }
            if let session { #expect(pair.client.offer(session) == nil) }
            pair.run()
            #expect(pair.differences([1], [2]).isEmpty)
            #expect(pair.server.ask { $0.isResumed } == !isFirst)
            for end in [pair.client, pair.server] {
                let known = end.ask { $0.serverName.map { String(cString: $0) } }
                #expect(known == (name == "localhost" ? name : nil))
            }
        }
    }

    @Test(arguments: [(Version.tls12, "localhost"), (.tls13, "other.example")])
    func `is that of the session in TLS 1.2, whatever is sent when it is resumed`(version: Version, known: String)
        throws
    {
        var pair = try Pair(version)
        pair.run()
        #expect(pair.differences([1], [2]).isEmpty)
        let session = try #require(pair.client.newestSession)
        pair = try Pair(after: pair)
        #expect(pair.client.offer(session) == nil)
        #expect(pair.client.ask { copenssl_set_sni(OpaquePointer($0.native), "other.example") } == 1)
        pair.run()
        #expect(pair.server.ask { $0.isResumed } && pair.server.events == [.established])
        #expect(pair.server.ask { $0.serverName.map { String(cString: $0) } } == known)
    }
}

@Suite struct `Two ends that have nothing in common` {
    private func check(_ pair: Pair, _ kind: EngineFailure.Kind, alert: UInt8) {
        pair.run()
        #expect(pair.server.failure == kind)
        #expect(pair.server.cause?.alertSent == alert)
        #expect(pair.client.failure == kind)
        #expect(pair.client.cause?.alertReceived == alert)
        #expect(!pair.client.wasEstablished && !pair.server.wasEstablished)
    }

    @Test(arguments: [(Version.tls12, Version.tls13), (.tls13, .tls12)])
    func `say so of the version`(client: Version, server: Version) throws {
        let pair = try Pair(nil) { clients, servers in
            for (context, version) in [(clients.context, client), (servers.context, server)] {
                try context.setMinimumVersion(version.rawValue)
                try context.setMaximumVersion(version.rawValue)
            }
        }
        check(pair, .noCommonVersion, alert: 70)
    }

    @Test func `say so of the ciphers of TLS 1.2`() throws {
        let pair = try Pair(.tls12) { client, server in
            try client.context.setCiphers("ECDHE-ECDSA-AES128-GCM-SHA256")
            try server.context.setCiphers("ECDHE-ECDSA-AES256-GCM-SHA384")
        }
        check(pair, .noCommonCipher, alert: 40)
    }

    @Test func `say so of the suites of TLS 1.3`() throws {
        let pair = try Pair(.tls13) { client, server in
            try client.context.setCiphers("TLS_AES_128_GCM_SHA256")
            try server.context.setCiphers("TLS_AES_256_GCM_SHA384")
        }
        check(pair, .noCommonCipher, alert: 40)
    }

    @Test(arguments: Version.allCases)
    func `say so of the groups`(version: Version) throws {
        let pair = try Pair(version) { client, server in
            try client.context.setGroups("X25519")
            try server.context.setGroups("P-384")
        }
        check(pair, .noCommonCipher, alert: 40)
    }

    @Test(arguments: Version.allCases)
    func `say so of the signature algorithms`(version: Version) throws {
        let ofClient = try Pair(version) { client, _ in
            try client.context.setSignatureAlgorithms("rsa_pss_rsae_sha256:rsa_pkcs1_sha256")
        }
        check(ofClient, .noCommonCipher, alert: 40)
        let ofServer = try Pair(version) { _, server in
            try server.context.setSignatureAlgorithms("RSA+SHA256:RSA-PSS+SHA256")
        }
        check(ofServer, .noCommonCipher, alert: 40)
    }
}

@Suite struct `What is chosen` {
    private func cipher(_ end: End) -> String { end.ask { $0.cipherName.map { String(cString: $0) } } ?? "" }
    private func group(_ end: End) -> String { end.ask { $0.groupName.map { String(cString: $0) } } ?? "" }

    private static let liked: [Version: [String]] = [
        .tls12: ["ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-GCM-SHA256"],
        .tls13: ["TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"],
    ]

    @Test(arguments: Version.allCases)
    func `is the cipher that the client likes best, with a preset`(version: Version) throws {
        let liked = try #require(Self.liked[version])
        for first in liked {
            let list = ([first] + liked.filter { $0 != first }).joined(separator: ":")
            let pair = try Pair(version) { client, _ in try client.context.setCiphers(list) }
            pair.run()
            #expect(cipher(pair.client) == first && cipher(pair.server) == first)
        }
    }

    @Test(arguments: Version.allCases)
    func `is the cipher that the server likes best, when it has a list`(version: Version) throws {
        let liked = try #require(Self.liked[version])
        for first in liked {
            let list = ([first] + liked.filter { $0 != first }).joined(separator: ":")
            let pair = try Pair(version) { client, server in
                try client.context.setCiphers(liked.reversed().joined(separator: ":"))
                try server.context.setCiphers(list)
            }
            pair.run()
            #expect(cipher(pair.client) == first && cipher(pair.server) == first)
        }
    }

    @Test func `is a signature algorithm of the list, of the client's certificate too`() throws {
        func used(_ end: End) -> [CInt] {
            var (ours, theirs): (CInt, CInt) = (0, 0)
            end.ask {
                SSL_ctrl(OpaquePointer($0.native), SSL_CTRL_GET_SIGNATURE_NID, 0, &ours)
                SSL_ctrl(OpaquePointer($0.native), SSL_CTRL_GET_PEER_SIGNATURE_NID, 0, &theirs)
            }
            return [ours, theirs]
        }
        for (list, hash) in [("ECDSA+SHA512", NID_sha512), ("ECDSA+SHA384", NID_sha384)] {
            for isClients in [true, false] {
                let pair = try Pair(.tls12) { client, server in
                    server.context.setVerification(asks: true, requires: true)
                    try server.context.trust(Authority.ours.pem)
                    try client.context.use(.client)
                    try (isClients ? client : server).context.setSignatureAlgorithms(list)
                }
                pair.run()
                #expect(used(pair.client) == [hash, hash] && used(pair.server) == [hash, hash])
            }
        }
    }

    @Test(arguments: Version.allCases)
    func `is the group that both have`(version: Version) throws {
        let lists = [
            ("P-384:X25519:P-256", "P-521:X25519:P-256"), ("X25519:P-256", "?no-such:X25519"),
            ("P-384:X25519:P-256", "X25519"),
        ]
        for (client, server) in lists {
            let pair = try Pair(version) { clients, servers in
                try clients.context.setGroups(client)
                try servers.context.setGroups(server)
            }
            pair.run()
            let chosen = [group(pair.client), group(pair.server)].map { $0.lowercased() }
            #expect(chosen == ["x25519", "x25519"], "\(client), \(server)")
        }
    }

    @Test(arguments: [Preset.modern, .intermediate])
    func `with a preset is TLS 1.3, without a second ClientHello`(preset: Preset) throws {
        let pair = try Pair(nil) { client, server in
            try client.context.set(preset)
            try server.context.set(preset)
        }
        pair.run()
        #expect(pair.client.events == [.established] && pair.server.events == [.established])
        #expect(pair.server.ask { $0.isTLS13 } && cipher(pair.server) == "TLS_AES_128_GCM_SHA256")
        #expect(["x25519", "x25519mlkem768"].contains(group(pair.server).lowercased()))
    }
}
