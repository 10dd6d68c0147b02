import OpenSSLHandles
import TLSEngine
import TestSupport
import Testing

@Suite struct `A session ticket` {
    private func server(_ tickets: Int?, _ mode: TicketMode = .withWrite) throws -> Pair {
        let pair = try Pair { _, server in
            if let tickets { server.context.setTickets(tickets) }
            server.context.setTicketMode(mode)
        }
        pair.client.drive()
        pair.server.drive(pair.client.takeAll())
        pair.client.drive(pair.server.takeAll())
        pair.server.drive(pair.client.takeAll())
        #expect(pair.server.events == [.established])
        return pair
    }

    @Test func `does not go out with the handshake`() throws {
        let pair = try server(nil)
        #expect(pair.server.outgoingCount == 0)
        #expect(!pair.server.ownsOutgoing)
    }

    @Test(arguments: [nil, 0, 1, 2, 16])
    func `goes out with the first write`(tickets: Int?) throws {
        let pair = try server(tickets)
        let before = pair.server.seen.recordsOut
        #expect(pair.server.write([1]) == 1)
        #expect(pair.server.seen.recordsOut == before + UInt64((tickets ?? 2) + 1))
        let afterFirst = pair.server.seen.recordsOut
        #expect(pair.server.write([2]) == 1)
        #expect(pair.server.seen.recordsOut == afterFirst + 1)
        pair.run()
        #expect(pair.client.received == [1, 2])
    }

    @Test func `is no obstacle for a client that writes, closes, and never reads`() throws {
        let pair = try server(nil)
        let all = pattern(266_668)
        #expect(pair.client.writeAll(all) == all.count)
        pair.client.close()
        pair.server.drive(pair.client.takeAll())
        #expect(difference(pair.server.received, all) == nil)
        #expect(pair.server.peerHasClosed)
        #expect(pair.server.outgoingCount == 0)
    }

    @Test(arguments: [nil, 0, 1, 2, 16])
    func `goes out with the handshake, if that is wanted`(tickets: Int?) throws {
        let pair = try server(tickets, .withHandshake)
        #expect(records(in: pair.server.takeAll()).count == tickets ?? 2)
        let before = pair.server.seen.recordsOut
        #expect(pair.server.write([1]) == 1)
        #expect(pair.server.seen.recordsOut == before + 1)
    }

    @Test func `with the handshake is one for whoever has come back`() throws {
        let first = try server(nil, .withHandshake)
        first.run()
        let pair = try Pair(after: first)
        #expect(try pair.client.offer(#require(first.client.newestSession)) == nil)
        pair.run()
        #expect(pair.server.ask { $0.isResumed })
        #expect(pair.client.newestSession != nil)
        #expect(pair.server.write([1]) == 1)
        pair.run()
        #expect(pair.client.received == [1])
    }

    @Test(arguments: Version.allCases)
    func `never goes out, if that is wanted`(version: Version) throws {
        let pair = try Pair(version) { _, server in
            server.context.setTicketMode(.withHandshake)
            server.context.setTicketMode(.never)
        }
        pair.run()
        #expect(pair.server.write([1]) == 1)
        pair.run()
        #expect(pair.client.received == [1])
        #expect(pair.client.newestSession == nil || version == .tls12)
    }

    @Test func `never goes out when nothing is written`() throws {
        let pair = try server(nil)
        pair.server.close()
        #expect(records(in: pair.server.takeAll()).count == 1)  // close_notify, alone
    }
}
