import TLSEngine
import TestSupport
import Testing

@Suite struct `A peer that does not speak TLS` {
    static let greetings = [
        "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "POST /x HTTP/1.0\r\n\r\n",
        "CONNECT localhost:443 HTTP/1.1\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2p1\r\n", "EHLO localhost\r\n", "PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n",
        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "hello, world",
    ]

    @Test(arguments: greetings, [Wire.whole, .oneByte])
    func `is recognised by a server`(greeting: String, wire: Wire) throws {
        let pair = try Pair()
        for byte in wire == .whole ? [Array(greeting.utf8)] : greeting.utf8.map({ [$0] }) {
            pair.server.drive(byte)
            if pair.server.failure != nil { break }
        }
        #expect(pair.server.failure == .notTLS)
        #expect(!pair.server.wasEstablished)
    }

    @Test(arguments: ["HTTP/1.1 400 Bad Request\r\n\r\n", "220 mail.example ESMTP\r\n", "SSH-2.0-OpenSSH_9.2p1\r\n"])
    func `is recognised by a client`(greeting: String) throws {
        let pair = try Pair()
        pair.client.drive()
        pair.client.drive(Array(greeting.utf8))
        #expect(pair.client.failure == .notTLS)
    }

    @Test(arguments: 1...200)
    func `and sends anything is refused, with a reason of the peer's`(seed: Int) throws {
        var random = Seeded(UInt64(seed))
        let pair = try Pair()
        for _ in 0..<20 where pair.server.failure == nil {
            var bytes = (0..<random.size(2000)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            if Bool.random(using: &random) { bytes = [22, 3, 1, 0, UInt8(min(255, bytes.count))] + bytes }
            pair.server.drive(bytes)
        }
        let kind = try #require(pair.server.failure ?? pair.server.endOfFile())
        let expected: [EngineFailure.Kind] = [
            .notTLS, .protocolViolation, .noCommonVersion, .alertReceived, .messageLimit, .endOfFileInHandshake,
        ]
        #expect(expected.contains(kind), "seed \(seed): \(kind)")
    }
}

@Suite struct `A flipped bit` {
    /// Writes and closes in both directions; returns how many records that took.
    private func talk(_ pair: Pair, _ change: (Int, [UInt8]) -> [UInt8]?) -> Int {
        _ = pair.client.write(Array("from the client".utf8))
        _ = pair.server.write(Array("from the server".utf8))
        pair.client.closeLater()
        pair.server.closeLater()
        return pair.run(changing: change)
    }

    @Test(arguments: Version.allCases)
    func `in any record ends the connection, and nothing wrong is delivered`(version: Version) throws {
        let count = talk(try Pair(version)) { $1 }
        #expect(count >= 8)
        for index in 0..<count {
            for (place, bit) in [(5, 0), (-1, 7)] as [(Int, UInt8)] {
                let pair = try Pair(version)
                _ = talk(pair) { this, record in
                    guard this == index else { return record }
                    var changed = record
                    changed[place < 0 ? record.count + place : place] ^= 1 << bit
                    return changed
                }
                let ends = [pair.client, pair.server]
                let verdicts = ends.map { $0.failure ?? $0.endOfFile() }
                #expect(verdicts != [nil, nil], "record \(index), byte \(place)")
                #expect(verdicts.allSatisfy { $0 != .unexpected }, "record \(index), byte \(place): \(verdicts)")
                #expect(["", "from the server"].map { Array($0.utf8) }.contains(pair.client.received))
                #expect(["", "from the client"].map { Array($0.utf8) }.contains(pair.server.received))
            }
        }
    }

    @Test(arguments: Version.allCases)
    func `in application data is a protocol violation with an alert`(version: Version) throws {
        let pair = try Pair(version)
        pair.run()
        #expect(pair.client.write([1, 2, 3]) == 3)
        var record = pair.client.takeAll()
        record[record.count - 1] ^= 1
        pair.server.drive(record)
        #expect(pair.server.failure == .protocolViolation)
        #expect(pair.server.cause?.alertSent == 20)  // bad_record_mac
        #expect(pair.server.outgoingCount > 0)  // the peer is owed the alert
        #expect(pair.server.received.isEmpty)
        pair.client.drive(pair.server.takeAll())
        #expect(pair.client.failure == .alertReceived)
        #expect(pair.client.cause?.alertReceived == 20)
    }

    @Test(arguments: Version.allCases)
    func `ends a connection once: later steps say the same`(version: Version) throws {
        let pair = try Pair(version)
        pair.run()
        pair.server.drive(Array("this is no record, and long enough to be seen".utf8))
        let kind = pair.server.failure
        #expect(kind == .protocolViolation)
        pair.server.drive()
        pair.server.drive([1, 2, 3])
        #expect(pair.server.events == [.established, .failed(.protocolViolation)])
        #expect(pair.server.write([1]) == 0)
        #expect(!pair.server.updateKey(askPeer: false) && !pair.server.renegotiate())
        #expect(pair.server.endOfFile() == .protocolViolation)
    }
}
