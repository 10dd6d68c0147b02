import Testing

@testable import OpenSSLHandles

/// What waits to be told: in order, bounded, and what is not kept is counted by its kind.
@Suite struct `What is reported` {
    private let reports = Reports(wantsSecrets: true, wantsMessages: true)

    private func add(_ kind: Report.Kind, _ count: Int, type: CInt = 22) {
        let bytes = [UInt8](repeating: 7, count: count)
        bytes.withUnsafeBytes { reports.add(kind, Report.Origin(isSent: true, version: 0x0304, contentType: type), $0) }
    }

    private func takeAll() -> [(kind: Report.Kind, count: Int, lost: Int)] {
        var all: [(kind: Report.Kind, count: Int, lost: Int)] = []
        while let report = reports.take() { all.append((report.kind, report.bytes.count, report.lost)) }
        return all
    }

    @Test func `come in the order in which they were made`() {
        #expect(reports.isEmpty && reports.take() == nil)
        for count in 1...3 { add(count == 2 ? .secret : .message, count) }
        #expect(!reports.isEmpty)
        #expect(takeAll().map(\.count) == [1, 2, 3])
        #expect(reports.isEmpty)
        add(.record, 5, type: 23)
        let last = reports.take()
        #expect(last?.origin.isSent == true && last?.origin.version == 0x0304 && last?.origin.contentType == 23)
    }

    @Test func `have a NUL behind their bytes, as lines need it`() throws {
        add(.secret, 10)
        let report = try #require(reports.take())
        #expect(
            String(cString: try #require(report.bytes.baseAddress).assumingMemoryBound(to: UInt8.self)).utf8.count == 10
        )
    }

    @Test func `are at most so many, and those that are not kept are counted by their kind`() {
        for _ in 0..<Reports.countMax { add(.message, 1) }
        for kind in [Report.Kind.message, .secret, .record] { add(kind, 1) }
        #expect(takeAll().allSatisfy { $0.lost == 0 })
        for kind in [Report.Kind.secret, .secret, .message, .message] { add(kind, 1) }
        #expect(takeAll().map(\.lost) == [1, 0, 2, 0])
    }

    @Test func `hold at most so many bytes together`() {
        add(.message, Reports.bytesMax + 1)
        add(.message, Reports.bytesMax - 1)
        add(.message, 2)
        add(.message, 1)
        #expect(takeAll().map(\.count) == [Reports.bytesMax - 1, 1])
        add(.message, Reports.bytesMax)
        #expect(takeAll().map(\.lost) == [0])
    }
}

@Suite struct `What a trace calls things` {
    private func text(_ name: UnsafePointer<CChar>?) -> String { name.map { String(cString: $0) } ?? "" }

    @Test(arguments: [
        (0, "HelloRequest"), (1, "ClientHello"), (2, "ServerHello"), (4, "NewSessionTicket"), (5, "EndOfEarlyData"),
        (8, "EncryptedExtensions"), (11, "Certificate"), (12, "ServerKeyExchange"), (13, "CertificateRequest"),
        (14, "ServerHelloDone"), (15, "CertificateVerify"), (16, "ClientKeyExchange"), (20, "Finished"),
        (22, "CertificateStatus"), (24, "KeyUpdate"), (25, "CompressedCertificate"), (3, "unknown"), (255, "unknown"),
    ])
    func `is what the RFCs call the message of that number`(number: UInt8, name: String) {
        #expect(text(Words.handshakeType(number)) == name)
    }

    @Test(arguments: [
        (20, "change_cipher_spec"), (21, "alert"), (22, "handshake"), (23, "application_data"), (24, "unknown"),
    ])
    func `is what the RFCs call the record of that number`(number: CInt, name: String) {
        #expect(text(Words.contentType(number)) == name)
    }
}
